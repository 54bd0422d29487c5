"""Who a draft is for, now: counts for the panel, names behind each count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from people.choices import PersonStatus
from people.models import Person
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.sql import group_to_q
from workflows.conditions.tree import Group, Rule
from workflows.document.shape import WorkflowDocument
from workflows.facts import facts_for

_MOST_ROWS = 40
_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many pass, and for how many nobody can tell."""

    matched: int
    unknown: int
    everybody: int

    @property
    def missed(self) -> int:
        """Those who do not pass."""
        return self.everybody - self.matched - self.unknown


def present_people() -> QuerySet[Person]:
    """Everybody who has not left: whom a draft is measured by."""
    return Person.objects.exclude(status=PersonStatus.ENDED)


def split(group: Group | None, *, today: date) -> tuple[set[int], set[int]]:
    """Primary keys of those who pass, and of those for whom nobody can tell."""
    people = present_people().order_by()
    if group is None:
        return set(people.values_list("pk", flat=True)), set()
    found = group_to_q(group, today=today)
    if found.exact:
        return (
            set(people.filter(found.matched).values_list("pk", flat=True)),
            set(people.filter(found.unknown).values_list("pk", flat=True)),
        )
    test = compile_group(group)
    matched: set[int] = set()
    unknown: set[int] = set()
    for pk, facts in _candidates(people, found.matched, found.unknown):
        truth = test(facts, today)
        if truth is Truth.TRUE:
            matched.add(pk)
        elif truth is Truth.UNKNOWN:
            unknown.add(pk)
    return matched, unknown


def _candidates(
    people: QuerySet[Person], matched: Any, unknown: Any
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield from facts_for(people.filter(matched | unknown))


def count(group: Group | None, *, today: date) -> Count:
    """How many pass a condition now."""
    people = present_people().order_by()
    everybody = people.count()
    if group is None:
        return Count(matched=everybody, unknown=0, everybody=everybody)
    found = group_to_q(group, today=today)
    if found.exact:
        matched, unknown = (
            people.filter(found.matched).count(),
            people.filter(found.unknown).count(),
        )
    else:
        pair = split(group, today=today)
        matched, unknown = len(pair[0]), len(pair[1])
    return Count(matched=matched, unknown=unknown, everybody=everybody)


def row_counts(document: WorkflowDocument, *, today: date) -> dict[str, Count]:
    """Address of each row of the workflow's own conditions → how many pass it alone."""
    found: dict[str, Count] = {}
    for path, entry in _rows(document.conditions, ""):
        if len(found) == _MOST_ROWS:
            break
        alone = entry if isinstance(entry, Group) else Group(rules=(entry,))
        if isinstance(entry, Rule) and not entry.field:
            continue
        found[path] = count(alone, today=today)
    return found


def _rows(group: Group | None, path: str) -> Iterator[tuple[str, Group | Rule]]:
    for index, entry in enumerate(group.rules if group else ()):
        below = f"{path}.{index}" if path else str(index)
        yield below, entry
        if isinstance(entry, Group):
            yield from _rows(entry, below)


def row_at(document: WorkflowDocument, path: str) -> Group | Rule | None:
    """The row at an address of the workflow's own conditions; "" is all of them."""
    if not path:
        return document.conditions
    return dict(_rows(document.conditions, "")).get(path)
