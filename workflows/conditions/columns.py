"""Many conditions over very many people: each rule once for each value, the rest is bits.

Thousands of people share few countries, teams and days, and hundreds of workflows share rules. So
a column is read once, each distinct rule is decided once for each distinct value by the very
function that decides it for one person, and groups are joined as whole numbers, one bit a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import reduce
from itertools import compress
from operator import and_, or_
from typing import Any, NamedTuple

from django.db.models import QuerySet

from people.models import Person
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.tree import Group, Rule
from workflows.fields import FIELDS

_CHUNK = 5_000
_CODES = 256
_IS_TRUE, _IS_UNKNOWN = bytes.maketrans(b"tfu", b"100"), bytes.maketrans(b"tfu", b"001")
_SET = "1"
_LETTERS = {Truth.TRUE: b"t", Truth.FALSE: b"f", Truth.UNKNOWN: b"u"}


class Bits(NamedTuple):
    """For whom something is true, and for whom nobody can tell: a bit for each person."""

    true: int
    unknown: int


def in_columns(group: Group) -> bool:
    """Whether each rule asks of one column of Person, or of nothing that a person alone has."""
    return all(
        rule.field.startswith(("request.", "change.")) or _column(rule)
        for _, rule in group.walk_rules()
    )


def _column(rule: Rule) -> str:
    spec = FIELDS.get(rule.field)
    return spec.orm if spec is not None and rule.field.startswith("person.") else ""


def columns_of(groups: Iterable[Group]) -> set[str]:
    """The columns of Person that these conditions ask about."""
    rules = (rule for group in groups for _, rule in group.walk_rules())
    return {column for rule in rules if (column := _column(rule))}


class _Column:
    """One field of everybody."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.different = list(dict.fromkeys(values))
        places = {value: place for place, value in enumerate(self.different)}
        few = len(self.different) <= _CODES
        # A byte for each person where that is enough: then a table translates all at once.
        self._codes = bytes(map(places.__getitem__, values)) if few else b""
        self._values = values

    def letters(self, letter_of: Callable[[Any], bytes]) -> bytes:
        """A letter for each person, by their value."""
        letters = [letter_of(value) for value in self.different]
        if self._codes:
            return self._codes.translate(b"".join(letters).ljust(_CODES, b"f"))
        table = dict(zip(self.different, letters, strict=True))
        return b"".join(map(table.__getitem__, self._values))


class Columns:
    """The columns of some people that some conditions ask about, read in one query."""

    def __init__(self, people: QuerySet[Person], groups: Iterable[Group], *, today: date) -> None:
        names = sorted(columns_of(groups))
        held: list[list[Any]] = [[] for _ in ("pk", *names)]
        seen: dict[Any, Any] = {}
        for row in people.values_list("pk", *names).iterator(chunk_size=_CHUNK):
            held[0].append(row[0])
            for values, value in zip(held[1:], row[1:], strict=True):
                values.append(seen.setdefault(value, value))
        self.keys: list[int] = held[0]
        self._columns = {
            name: _Column(values) for name, values in zip(names, held[1:], strict=True)
        }
        self.names = frozenset(names)
        self._today = today
        self._everybody = (1 << len(self.keys)) - 1
        self._rules: dict[Rule, Bits] = {}

    def bits(self, group: Group) -> Bits:
        """Who meets the group."""
        found = [
            self.bits(entry) if isinstance(entry, Group) else self._rule(entry)
            for entry in group.rules
        ]
        if not found:
            return Bits(0, self._everybody)
        false = [self._everybody & ~(bits.true | bits.unknown) for bits in found]
        every, some = (and_, or_) if group.combinator == "and" else (or_, and_)
        yes, no = reduce(every, (bits.true for bits in found)), reduce(some, false)
        unknown = self._everybody & ~(yes | no)
        return Bits(no if group.negated else yes, unknown)

    def chosen(self, bits: int) -> set[int]:
        """Primary keys of those whose bit is set."""
        letters = f"{bits:0{len(self.keys)}b}" if self.keys else ""
        return set(compress(self.keys, map(_SET.__eq__, letters)))

    def counts(self, group: Group) -> tuple[int, int]:
        """How many meet the group, and of how many nobody can tell."""
        bits = self.bits(group)
        return bits.true.bit_count(), bits.unknown.bit_count()

    def _rule(self, rule: Rule) -> Bits:
        found = self._rules.get(rule)
        if found is None:
            found = self._rules[rule] = self._decided(rule)
        return found

    def _decided(self, rule: Rule) -> Bits:
        test = compile_group(Group(rules=(rule,)))

        def letter_of(value: Any) -> bytes:
            facts: Mapping[str, Any] = {rule.field: value}
            return _LETTERS[test(facts, self._today)]

        column = self._columns.get(_column(rule))
        if column is None:
            same = {b"t": (1, 0), b"f": (0, 0), b"u": (0, 1)}[letter_of(None)]
            return Bits(*(self._everybody * bit for bit in same))
        letters = column.letters(letter_of)
        if not letters:
            return Bits(0, 0)
        return Bits(int(letters.translate(_IS_TRUE), 2), int(letters.translate(_IS_UNKNOWN), 2))
