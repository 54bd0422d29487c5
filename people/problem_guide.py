"""What each data problem means, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from people.choices import Problem

if TYPE_CHECKING:
    from people.models import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """``meaning``: what goes wrong because of it. ``there``: in the HR system. ``here``: in this
    application, with ``url_name`` of the page where; blank where nothing helps here."""

    problem: str
    meaning: str
    there: str
    here: str = ""
    url_name: str = ""

    @property
    def label(self) -> str:
        """The problem's name."""
        return str(Problem(self.problem).label)


def _guide(problem: Problem, meaning: str, there: str, here: str = "", url_name: str = "") -> Guide:
    return Guide(problem=problem.value, meaning=meaning, there=there, here=here, url_name=url_name)


_BY_HAND = "Or set the value by hand on the person's page; it then wins over the HR system."
GUIDES: tuple[Guide, ...] = (
    _guide(
        Problem.NO_MANAGER,
        "Approvals and notices for the manager go to the fallback instead.",
        "Open the person in the HR system and choose a direct manager.",
        _BY_HAND,
    ),
    _guide(
        Problem.MANAGER_UNKNOWN,
        "The manager who is named is not in the directory; approvals go to the fallback.",
        "See whether the manager has an active contract and a work email; else choose another.",
        _BY_HAND,
    ),
    _guide(
        Problem.MANAGER_SELF,
        "Nobody may approve their own request; approvals go to the fallback.",
        "Choose somebody else as the direct manager.",
        _BY_HAND,
    ),
    _guide(
        Problem.MANAGER_CYCLE,
        "Following the managers upwards leads in a circle: escalation has no top.",
        "Look at the manager of each person in the circle; one of them is wrong.",
        _BY_HAND,
    ),
    _guide(
        Problem.MANAGER_ENDED,
        "Approvals would go to somebody who has left.",
        "Give the person a new direct manager.",
        _BY_HAND,
    ),
    _guide(
        Problem.UNKNOWN_WORKER_TYPE,
        "Rules that ask for the worker or employment type do not match.",
        "See which kind of contract the person has there.",
        "Map the new value on the page of the connection, or set the worker type by hand.",
        "integrations",
    ),
    _guide(
        Problem.UNKNOWN_STATUS,
        "The contract's status is a word this software does not know: the dates decide.",
        "See the status of the contract there; support can name its meaning.",
    ),
    _guide(
        Problem.UNKNOWN_COUNTRY,
        "Rules and templates by country do not match, and the time zone is unknown.",
        "Correct the country of the contract or of the address.",
        _BY_HAND,
    ),
    _guide(
        Problem.NO_TIMEZONE,
        "Days are counted in the workspace's zone: what is due at midnight may come hours off.",
        "The HR system gives no time zone; nothing is to be done there.",
        "Give the legal entity a time zone: that helps everybody in it. Or set it for the person.",
        "entities",
    ),
    _guide(
        Problem.NO_START_DATE,
        "No onboarding starts: nothing says when.",
        "Enter the start date of the contract.",
        _BY_HAND,
    ),
    _guide(
        Problem.NO_END_DATE,
        "An offboarding is under way, but nothing says when access ends.",
        "Enter the last working day of the offboarding.",
        _BY_HAND,
    ),
    _guide(
        Problem.END_DATE_INFERRED,
        "The contract ended without a date; the day on which it was first seen counts.",
        "Enter the end date of the contract.",
        _BY_HAND,
    ),
    _guide(
        Problem.BAD_VALUE,
        "A value could not be read and was left out.",
        "Correct the value; the note beside the person quotes it.",
        _BY_HAND,
    ),
    _guide(
        Problem.TWO_LIVE_EMPLOYMENTS,
        "Two contracts are live at once. The person leaves with the last of them.",
        "End the contract that is over, if one is.",
        "If the records belong to two people, split them on the person's page.",
    ),
)
BY_PROBLEM = {guide.problem: guide for guide in GUIDES}


def guide_for(person: Person) -> list[Guide]:
    """What to do about each of the person's problems."""
    return [BY_PROBLEM[problem] for problem in person.problems if problem in BY_PROBLEM]
