"""The tabs over the list of people: who stands under each, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from people.choices import PersonStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from people.models import Person

ALL = "all"
PROBLEMS = "problems"
CURRENT = "current"
WITH_PROBLEMS = Q(has_problems=True) & ~Q(status=PersonStatus.ENDED)
"""Nobody needs to mend the data of somebody who has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """``statuses`` empty means everybody."""

    key: str
    label: str
    statuses: tuple[str, ...] = ()

    def narrow(self, people: QuerySet[Person]) -> QuerySet[Person]:
        """Those who stand under this tab."""
        if self.key == PROBLEMS:
            return people.filter(WITH_PROBLEMS)
        return people.filter(status__in=self.statuses) if self.statuses else people

    def count(self, by_status: Mapping[str, int], problems: int) -> int:
        """How many that is, from :func:`counts`."""
        if self.key == PROBLEMS:
            return problems
        wanted = self.statuses or tuple(by_status)
        return sum(by_status.get(status, 0) for status in wanted)


TABS = (
    Tab(
        key=CURRENT,
        label="Current staff",
        statuses=(PersonStatus.ACTIVE.value, PersonStatus.OFFBOARDING.value),
    ),
    *(
        Tab(key=status.value, label=str(status.label), statuses=(status.value,))
        for status in PersonStatus
    ),
    Tab(key=PROBLEMS, label="Data problems"),
    Tab(key=ALL, label="All"),
)
BY_KEY = {tab.key: tab for tab in TABS}


def tab_for(key: str, *, default: str) -> Tab:
    """The tab of that key; the default for none and for an unknown one."""
    return BY_KEY.get(key) or BY_KEY[default]


def counts(people: QuerySet[Person]) -> tuple[dict[str, int], int]:
    """Status → how many people, and how many have data problems, as :data:`WITH_PROBLEMS` says.

    One query, over an index of these two columns alone.
    """
    rows = people.order_by().values_list("status", "has_problems").annotate(Count("pk"))
    by_status: dict[str, int] = {}
    problems = 0
    for status, has_problems, number in rows:
        by_status[status] = by_status.get(status, 0) + number
        if has_problems and status != PersonStatus.ENDED:
            problems += number
    return by_status, problems


def people_tabs(people: QuerySet[Person]) -> dict[str, int]:
    """Tab → how many people stand under it."""
    by_status, problems = counts(people)
    return {tab.key: tab.count(by_status, problems) for tab in TABS}
