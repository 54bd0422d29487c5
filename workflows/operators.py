"""The operators of conditions: their words, and the field types each belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

FieldType = Literal["text", "choice", "reference", "date", "number", "list"]
# What stands in a rule's `value`: nothing, one value, a list of values, or a number of days.
Takes = Literal["none", "one", "many", "days"]


@dataclass(frozen=True, slots=True)
class Operator:
    """`label` follows the field's name in a sentence: "Country is one of …"."""

    key: str
    label: str
    takes: Takes = "one"


_ALL = (
    Operator("is", "is"),
    Operator("is_not", "is not"),
    Operator("contains", "contains"),
    Operator("not_contains", "does not contain"),
    Operator("starts_with", "starts with"),
    Operator("ends_with", "ends with"),
    Operator("in", "is one of", "many"),
    Operator("not_in", "is none of", "many"),
    Operator("before", "is before"),
    Operator("after", "is after"),
    Operator("on_or_before", "is on or before"),
    Operator("on_or_after", "is on or after"),
    Operator("in_next_days", "is in the next … days", "days"),
    Operator("in_last_days", "is in the last … days", "days"),
    Operator("less_than", "is less than"),
    Operator("greater_than", "is more than"),
    Operator("at_most", "is at most"),
    Operator("at_least", "is at least"),
    Operator("has", "includes"),
    Operator("has_not", "does not include"),
    Operator("has_any", "includes any of", "many"),
    Operator("has_all", "includes all of", "many"),
    Operator("is_empty", "is empty", "none"),
    Operator("is_not_empty", "is not empty", "none"),
)
OPERATORS: Mapping[str, Operator] = MappingProxyType({item.key: item for item in _ALL})

_EMPTINESS = ("is_empty", "is_not_empty")
_MEMBERSHIP = ("is", "is_not", "in", "not_in")
OPERATORS_BY_TYPE: Mapping[FieldType, tuple[str, ...]] = MappingProxyType(
    {
        "text": (
            "is",
            "is_not",
            "contains",
            "not_contains",
            "starts_with",
            "ends_with",
            "in",
            "not_in",
            *_EMPTINESS,
        ),
        "choice": (*_MEMBERSHIP, *_EMPTINESS),
        "reference": (*_MEMBERSHIP, *_EMPTINESS),
        "date": (
            "is",
            "before",
            "after",
            "on_or_before",
            "on_or_after",
            "in_next_days",
            "in_last_days",
            *_EMPTINESS,
        ),
        "number": (
            "is",
            "is_not",
            "less_than",
            "greater_than",
            "at_most",
            "at_least",
            *_EMPTINESS,
        ),
        "list": ("has", "has_not", "has_any", "has_all", *_EMPTINESS),
    }
)


def operators_for(field_type: FieldType) -> tuple[Operator, ...]:
    """The operators that a field of this type offers, in the order a person chooses from."""
    return tuple(OPERATORS[key] for key in OPERATORS_BY_TYPE[field_type])
