"""Who a draft is for, now: counts for the panel, names behind each count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet

from people.choices import PersonStatus
from people.models import Person
from workflows.conditions.counting import MANY, counts_in_database, judged, split_in_database
from workflows.conditions.tree import Group, Rule
from workflows.document.shape import WorkflowDocument
from workflows.facts import facts_for

_MOST_ROWS = 40
_READ_WHOLE = 30_000


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everybody who has not left, as they are on one day; read once for many questions."""

    today: date
    facts: Mapping[int, Mapping[str, Any]] | None
    """By primary key; None in a directory so large that the database is asked each time."""
    asked: dict[Group, tuple[set[int], set[int]]] = field(default_factory=dict, compare=False)
    """Answers so far: one request asks for the same condition several times."""

    def everybody(self) -> int:
        """How many there are."""
        return len(self.facts) if self.facts is not None else present_people().count()

    def split(self, group: Group | None) -> tuple[set[int], set[int]]:
        """Primary keys of those who pass, and of those for whom nobody can tell."""
        if group is None:
            if self.facts is not None:
                return set(self.facts), set()
            return set(present_people().order_by().values_list("pk", flat=True)), set()
        if group not in self.asked:
            self.asked[group] = self._split(group)
        return self.asked[group]

    def _split(self, group: Group) -> tuple[set[int], set[int]]:
        if self.facts is not None:
            return judged(group, self.facts.items(), self.today)
        return split_in_database(group, present_people().order_by(), today=self.today)

    def count(self, group: Group | None) -> Count:
        """How many pass a condition."""
        if group is None:
            everybody = self.everybody()
            return Count(matched=everybody, unknown=0, everybody=everybody)
        return self.counts([group])[0]

    def counts(self, groups: Sequence[Group]) -> list[Count]:
        """How many pass each of several conditions."""
        everybody = self.everybody()
        if self.facts is None or len(groups) >= MANY:
            found = counts_in_database(groups, present_people().order_by(), today=self.today)
        else:
            sets = (judged(group, self.facts.items(), self.today) for group in groups)
            found = [(len(matched), len(unknown)) for matched, unknown in sets]
        return [
            Count(matched=matched, unknown=unknown, everybody=everybody)
            for matched, unknown in found
        ]

    def eligible(self, document: WorkflowDocument) -> set[int]:
        """Those who match, or could: what a request or a change will say is not known before."""
        matched, unknown = self.split(document.conditions)
        return matched | unknown if depends_on_event(document.conditions) else matched


def depends_on_event(group: Group | None) -> bool:
    """Whether a condition asks about what sets the workflow off, not about the person alone."""
    rules = group.walk_rules() if group is not None else ()
    return any(rule.field.startswith(("request.", "change.")) for _, rule in rules)


def directory(today: date) -> Directory:
    """The directory as it is now, its days counted from ``today``."""
    people = present_people().order_by()
    if people.count() > _READ_WHOLE:
        return Directory(today=today, facts=None)
    return Directory(today=today, facts=dict(facts_for(people)))


def row_counts(document: WorkflowDocument, *, people: Directory) -> dict[str, Count]:
    """Address of each row of the workflow's own conditions → how many pass it alone."""
    return group_counts(document.conditions, people=people)


def group_counts(group: Group | None, *, people: Directory) -> dict[str, Count]:
    """Address of each row of a condition → how many pass it alone."""
    asked: dict[str, Group] = {}
    for path, entry in _rows(group, ""):
        if len(asked) == _MOST_ROWS:
            break
        alone = entry if isinstance(entry, Group) else Group(rules=(entry,))
        if depends_on_event(alone) or (isinstance(entry, Rule) and not entry.field):
            continue
        asked[path] = alone
    return dict(zip(asked, people.counts(list(asked.values())), strict=True))


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
