"""Who meets a condition, asked of the database; rows that it cannot decide are judged in Python.

Rows with a text beyond printable ASCII are few. They are left out of the queries and judged one by
one, so that everybody else is counted where they are: many conditions in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from people.models import Person
from workflows.conditions.columns import Columns, in_columns
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.sql import group_to_q, odd_rows, text_columns
from workflows.conditions.tree import Group
from workflows.facts import facts_for

MANY = 8
"""From so many conditions on, reading the columns once costs less than asking the database."""
_AT_ONCE = 20
"""So many conditions in one query: each is said four times, and a query has a longest length."""


def judged(
    group: Group, facts: Iterable[tuple[int, Mapping[str, Any]]], today: date
) -> tuple[set[int], set[int]]:
    """Of people with their facts: those who pass, and those for whom nobody can tell."""
    test = compile_group(group)
    matched: set[int] = set()
    unknown: set[int] = set()
    for pk, known in facts:
        truth = test(known, today)
        if truth is Truth.TRUE:
            matched.add(pk)
        elif truth is Truth.UNKNOWN:
            unknown.add(pk)
    return matched, unknown


def split_in_database(
    group: Group, people: QuerySet[Person], *, today: date
) -> tuple[set[int], set[int]]:
    """Primary keys of those of ``people`` who pass, and of those for whom nobody can tell."""
    found = group_to_q(group, today=today, plain=True)
    if not found.exact:
        wide = group_to_q(group, today=today)
        # An empty filter is everybody, and would drop out of an OR.
        either = wide.matched | wide.unknown if wide.matched and wide.unknown else Q()
        return judged(group, facts_for(people.filter(either)), today)
    odd = odd_rows(text_columns(group))
    plain = people.exclude(odd)
    matched, unknown = judged(group, facts_for(people.filter(odd)), today)
    return (
        matched.union(plain.filter(found.matched).values_list("pk", flat=True)),
        unknown.union(plain.filter(found.unknown).values_list("pk", flat=True)),
    )


def counts_in_database(
    groups: Sequence[Group], people: QuerySet[Person], *, today: date
) -> list[tuple[int, int]]:
    """For each condition how many of ``people`` pass, and of how many nobody can tell."""
    if len(groups) >= MANY:
        return _counts_in_columns(groups, people, today=today)
    filters = [group_to_q(group, today=today, plain=True) for group in groups]
    decided = [number for number, found in enumerate(filters) if found.exact]
    counts = {
        number: tuple(map(len, split_in_database(group, people, today=today)))
        for number, group in enumerate(groups)
        if not filters[number].exact
    }
    odd = odd_rows(set().union(*(text_columns(groups[number]) for number in decided)))
    rest = list(facts_for(people.filter(odd)))
    plain = people.exclude(odd)
    for start in range(0, len(decided), _AT_ONCE):
        part = decided[start : start + _AT_ONCE]
        found = plain.aggregate(**dict(_counted(part, [filters[number] for number in part])))
        for number in part:
            matched, unknown = judged(groups[number], rest, today)
            counts[number] = (
                found[f"matched_{number}"] + len(matched),
                found[f"unknown_{number}"] + len(unknown),
            )
    return [(counts[number][0], counts[number][1]) for number in range(len(groups))]


def _counts_in_columns(
    groups: Sequence[Group], people: QuerySet[Person], *, today: date
) -> list[tuple[int, int]]:
    """The same for many conditions: what they ask about is read once."""
    told = [group for group in groups if in_columns(group)]
    columns = Columns(people, told, today=today)
    return [
        columns.counts(group)
        if in_columns(group)
        else counts_in_database([group], people, today=today)[0]
        for group in groups
    ]


def _counted(numbers: Sequence[int], filters: Sequence[Any]) -> Iterator[tuple[str, Count]]:
    for number, found in zip(numbers, filters, strict=True):
        for name in ("matched", "unknown"):
            query: Q = getattr(found, name)
            # No filter at all is everybody.
            yield f"{name}_{number}", Count("pk", filter=query) if query else Count("pk")
