"""Who a draft is for, now: counts for the panel, names behind each count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet

from people.choices import PersonStatus
from people.models import Person
from workflows.conditions.columns import Columns, columns_of, in_columns
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
    _read: list[Columns] = field(default_factory=list, compare=False, repr=False)

    def prepare(self, groups: Iterable[Group | None]) -> None:
        """Read once what all of ``groups`` ask about, where the directory is large."""
        told = [group for group in groups if group is not None and in_columns(group)]
        if self.facts is None and told:
            people = present_people().order_by()
            self._read[:] = [Columns(people, told, today=self.today)]

    def _columns(self, group: Group) -> Columns | None:
        """What was read beforehand, where it answers for this condition."""
        for columns in self._read:
            if in_columns(group) and columns_of([group]) <= columns.names:
                return columns
        return None

    def everybody(self) -> int:
        """How many there are."""
        if self._read:
            return len(self._read[0].keys)
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
        columns = self._columns(group)
        if columns is not None:
            bits = columns.bits(group)
            return columns.chosen(bits.true), columns.chosen(bits.unknown)
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
        read = [self._columns(group) for group in groups]
        if all(read) and groups:
            found = [
                columns.counts(group)
                for columns, group in zip(read, groups, strict=True)
                if columns is not None
            ]
        elif self.facts is None or len(groups) >= MANY:
            found = counts_in_database(groups, present_people().order_by(), today=self.today)
        else:
            sets = (judged(group, self.facts.items(), self.today) for group in groups)
            found = [(len(matched), len(unknown)) for matched, unknown in sets]
        return [
            Count(matched=matched, unknown=unknown, everybody=everybody)
            for matched, unknown in found
        ]

    def shared(self, document: WorkflowDocument, other: WorkflowDocument) -> int:
        """How many match both, or could."""
        mine, theirs = self._could(document.conditions), self._could(other.conditions)
        if mine is None or theirs is None:
            return len(self.eligible(document) & self.eligible(other))
        return (mine & theirs).bit_count()

    def _could(self, group: Group | None) -> int | None:
        """:meth:`eligible` as a bit for each person, where the columns were read."""
        columns = self._columns(group) if group is not None else None
        if group is None or columns is None:
            return None
        bits = columns.bits(group)
        return bits.true | bits.unknown if depends_on_event(group) else bits.true

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
