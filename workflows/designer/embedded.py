"""The rows of a condition for pages other than the designer: the same card, verbs and counts.

Nothing is stored between two clicks: the form carries the condition as it stands, what was typed is
read into it, a button changes it, and the card is drawn anew. Saving is the page's own matter.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from people.models import CustomField
from workflows.conditions.check import check_group
from workflows.conditions.describe import describe_group
from workflows.conditions.tree import Group, parse_group
from workflows.designer.cards import tree_read
from workflows.designer.conditions import ConditionsCard, conditions_card
from workflows.designer.controls import Findings
from workflows.designer.errors import EditRefusedError
from workflows.designer.matching import Count, Directory, group_counts
from workflows.designer.posted import Posted
from workflows.designer.subjects import Subjects, request_answers
from workflows.designer.verbs import VERBS
from workflows.document.shape import Data
from workflows.field_types import field_types_now
from workflows.fields import CUSTOM_PREFIX, FIELDS
from workflows.problems import DocumentError, Problem

HOST = "conditions"
ROW_VERBS = frozenset(
    (
        *("save", "add-rule", "add-group", "delete-row", "duplicate-row", "move-row"),
        *("add-conditions", "everybody"),
    )
)
_LONGEST = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedRule:
    """A condition on a form: its card, the text that the form carries, and whom it fits."""

    card: ConditionsCard
    carried: str
    words: str
    count: Count | None
    problems: tuple[Problem, ...]


def rule_drawn(
    data: Data | None,
    *,
    people: Directory | None,
    leave_out: frozenset[str] = frozenset(),
    of_requests: bool = False,
) -> EmbeddedRule:
    """The card of a condition. ``leave_out``: fields that mean nothing here.

    ``of_requests``: it may also ask about the request that somebody decides.
    """
    types = field_types_now()
    group: Group | None = None
    problems: list[Problem] = []
    if data is not None:
        group, reader = parse_group(data, HOST)
        problems = list(reader.problems) or check_group(group, HOST, types=types)
    return EmbeddedRule(
        card=conditions_card(
            group, HOST, HOST, _subjects(leave_out, of_requests), Findings(problems), types=types
        ),
        carried=json.dumps(data) if data is not None else "",
        words=describe_group(group) if group is not None else "",
        count=people.count(group) if people is not None and group and not problems else None,
        problems=tuple(problem for problem in problems if problem.level == "error"),
    )


def rule_edited(values: Mapping[str, list[str]], verb: str) -> tuple[Data | None, str]:
    """The condition after what was typed and after ``verb``; and where the focus goes.

    Raises ``EditRefusedError`` where it cannot be done, with the reason in words.
    """
    posted = Posted(values)
    data: dict[str, Any] = {HOST: _carried(posted.one("rule"))}
    act = VERBS.get(verb) if verb in ROW_VERBS else None
    if act is None:
        raise EditRefusedError("This page does not know that button. Load it again.")
    draft = copy.deepcopy(data)
    tree_read(draft, HOST, posted, types=field_types_now())
    said = act(draft, posted)
    return draft.get(HOST), said.focus


def rule_counts(data: Data | None, *, people: Directory) -> dict[str, Count]:
    """Address of each row → how many pass it alone; rows that say nothing yet are left out."""
    if data is None:
        return {}
    try:
        group, reader = parse_group(data, HOST)
    except DocumentError:
        return {}
    return {} if reader.problems else group_counts(group, people=people)


def _carried(text: str) -> Data | None:
    if not text.strip():
        return None
    if len(text) > _LONGEST:
        raise EditRefusedError("The condition is too long.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EditRefusedError("The condition came in pieces. Load the page again.") from error
    group, reader = parse_group(found, HOST)
    if reader.problems:
        raise EditRefusedError("The condition came in pieces. Load the page again.")
    return group.to_data()


def _subjects(leave_out: frozenset[str], of_requests: bool) -> Subjects:
    person = tuple(
        (key, spec.label)
        for key, spec in FIELDS.items()
        if key.startswith("person.") and key not in leave_out
    )
    custom = tuple(
        (f"{CUSTOM_PREFIX}{key}", label)
        for key, label in CustomField.objects.filter(enabled=True).values_list("key", "label")
    )
    found = [("Person", person), ("Custom fields", custom)]
    if of_requests:
        asked = ((key, spec.label) for key, spec in FIELDS.items() if key.startswith("request."))
        found += [("Request", tuple(asked)), ("Answers of the request", tuple(request_answers({})))]
    return tuple((words, fields) for words, fields in found if fields)
