"""The shape of a condition: groups of rules, read from plain data and written back without loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from typing import Any, Literal, TypeAlias, cast

from workflows.problems import Reader, join, shown

Combinator = Literal["and", "or"]
Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = Scalar | tuple[Scalar, ...]

MAX_GROUP_DEPTH = 8
"""Groups inside groups that a document may have."""
_MAX_TREE_DEPTH = 64
_MAX_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison. `value` is a scalar, a tuple of scalars, or None where none is needed."""

    field: str
    operator: str
    value: Value = None
    # 1, 1.0 and True are equal in Python but are different values in a document.
    _identity: str = attribute(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        """Accept a list for a tuple, so that rules stay hashable."""
        if isinstance(self.value, list):
            object.__setattr__(self, "value", tuple(self.value))
        object.__setattr__(self, "_identity", repr(self.value))

    def to_data(self) -> dict[str, Any]:
        """The rule as it stands in a document."""
        data: dict[str, Any] = {"field": self.field, "operator": self.operator}
        if self.value is not None:
            data["value"] = list(self.value) if isinstance(self.value, tuple) else self.value
        return data


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rules and groups joined by and / or. An empty group can never be told (it is no "everybody").

    Raises ValueError when nested deeper than any document may be.
    """

    combinator: Combinator = "and"
    negated: bool = False
    rules: tuple[Group | Rule, ...] = ()
    depth: int = attribute(default=1, init=False, repr=False)
    _hash: int = attribute(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        """Hash once: groups are keys of the cache of compiled conditions."""
        object.__setattr__(self, "rules", tuple(self.rules))
        depth = 1 + max((rule.depth for rule in self.rules if isinstance(rule, Group)), default=0)
        if depth > _MAX_TREE_DEPTH:
            raise ValueError(f"Groups are nested deeper than {_MAX_TREE_DEPTH}.")
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "_hash", hash((self.combinator, self.negated, self.rules)))

    def __hash__(self) -> int:
        """The hash worked out on creation."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Same combinator, same negation, same rules in the same order."""
        if self is other:
            return True
        if not isinstance(other, Group) or self._hash != other._hash:
            return False
        return (self.combinator, self.negated, self.rules) == (
            other.combinator,
            other.negated,
            other.rules,
        )

    def to_data(self) -> dict[str, Any]:
        """The group as it stands in a document; `not` only where it is true."""
        data: dict[str, Any] = {"combinator": self.combinator}
        if self.negated:
            data["not"] = True
        data["rules"] = [rule.to_data() for rule in self.rules]
        return data

    def walk_rules(self, path: str = "conditions") -> Iterator[tuple[str, Rule]]:
        """Every rule below, with its path, in reading order."""
        for index, rule in enumerate(self.rules):
            inner = f"{path}.rules[{index}]"
            if isinstance(rule, Rule):
                yield inner, rule
            else:
                yield from rule.walk_rules(inner)

    def walk_groups(self, path: str = "conditions") -> Iterator[tuple[str, Group]]:
        """This group and every group below, with its path."""
        yield path, self
        for index, rule in enumerate(self.rules):
            if isinstance(rule, Group):
                yield from rule.walk_groups(f"{path}.rules[{index}]")


def read_group(reader: Reader, data: object, path: str, *, depth: int = 1) -> Group:
    """Read a group; what is wrong is noted in `reader` and left out of the result."""
    if depth > MAX_GROUP_DEPTH:
        reader.error(path, f"Groups may be nested {MAX_GROUP_DEPTH} deep, not deeper.")
        return Group()
    found = reader.mapping(data, path, allowed=("combinator", "not", "rules"))
    combinator = reader.choice(
        found.get("combinator", "and"), join(path, "combinator"), ("and", "or"), default="and"
    )
    negated = reader.flag(found.get("not", False), join(path, "not"))
    entries = reader.items(found.get("rules", []), join(path, "rules"))
    rules = tuple(
        _read_entry(reader, entry, f"{join(path, 'rules')}[{index}]", depth=depth)
        for index, entry in enumerate(entries)
    )
    return Group(cast(Combinator, combinator), negated, rules)


def _read_entry(reader: Reader, data: object, path: str, *, depth: int) -> Group | Rule:
    if isinstance(data, Mapping) and ("rules" in data or "combinator" in data or "not" in data):
        return read_group(reader, data, path, depth=depth + 1)
    found = reader.mapping(data, path, allowed=("field", "operator", "value"))
    return Rule(
        reader.text(found.get("field", ""), join(path, "field"), limit=200),
        reader.text(found.get("operator", ""), join(path, "operator"), limit=60),
        _read_value(reader, found.get("value"), join(path, "value")),
    )


def _read_value(reader: Reader, data: object, path: str) -> Value:
    if isinstance(data, list | tuple):
        if len(data) > _MAX_VALUES:
            reader.error(path, f"More than {_MAX_VALUES} values.")
            return ()
        return tuple(
            _read_scalar(reader, item, f"{path}[{index}]") for index, item in enumerate(data)
        )
    return _read_scalar(reader, data, path)


def _read_scalar(reader: Reader, data: object, path: str) -> Scalar:
    if data is None or isinstance(data, str | int | float | bool):
        return data
    if isinstance(data, date):  # a datetime keeps its time, and is then refused as a date
        return data.isoformat()
    reader.error(path, f"Expected one value or a list of values, found {shown(data)}.")
    return None


def parse_group(data: object, path: str = "conditions") -> tuple[Group, Reader]:
    """Read a group that stands alone (an entitlement, a policy); problems are in the reader."""
    reader = Reader()
    return read_group(reader, data, path), reader
