"""How values compare: what a rule wants, and what a fact is, in one comparable form.

Evaluation, SQL and validation all read a rule through `wanted`, so that they cannot differ on
which rules make sense.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from workflows.conditions.tree import Rule
from workflows.fields import NO_TYPES, FieldSpec, FieldTypes, field_spec, is_dynamic
from workflows.operators import OPERATORS, OPERATORS_BY_TYPE, FieldType
from workflows.problems import did_you_mean, shown

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,100}(\.[0-9]{1,100})?")
_MAX_DAYS = 36_500


class Refused(ValueError):
    """A rule that makes no sense, with the part of it that is wrong."""

    def __init__(self, part: str, message: str) -> None:
        self.part = part
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rule compares with: folded texts, dates, numbers, or a number of days."""

    spec: FieldSpec
    operator: str
    values: tuple[Any, ...] = ()

    @property
    def first(self) -> Any:
        """The only value of an operator that takes one."""
        return self.values[0]


def fold(text: str) -> str:
    """Text without its case and surrounding space; two ways to write an accent are one."""
    folded = text.strip().casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def text_of(value: object) -> str:
    """A fact as folded text; "" where it is missing or no text at all."""
    if type(value) is str:
        return fold(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Decimal):
        return fold(str(value))
    return value.isoformat() if isinstance(value, date) else ""


def date_of(value: object) -> date | None:
    """A fact as a date; None where it is missing or no date. A moment counts as its own day."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value.strip()[:10]):
        try:
            return date.fromisoformat(value.strip()[:10])
        except ValueError:
            return None
    return None


def number_of(value: object) -> int | float | None:
    """A fact as a number: 10 and "10" alike; None where it is missing or no number."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return None
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
    if isinstance(value, Decimal):
        value = float(value) if value.is_finite() else math.nan
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return None


def list_of(value: object) -> frozenset[str] | None:
    """A fact as a set of folded texts; None where it is missing or no list."""
    if isinstance(value, list | tuple | set | frozenset):
        return frozenset(filter(None, map(text_of, value)))
    return None


def rule_spec(rule: Rule, types: FieldTypes = NO_TYPES) -> FieldSpec | None:
    """The field that a rule asks about, or None if there is no such field.

    A dynamic field whose type the caller does not know has the one that the rule needs to make
    sense: its operator or the kind of its value tells. What may be published was checked against
    the types that admins gave (`conditions.check`), and values are stored in them, so that a
    condition means the same wherever it is evaluated, and keeps its meaning with its version.
    """
    if rule.field in types or not is_dynamic(rule.field):
        return field_spec(rule.field, types)
    return field_spec(rule.field, {rule.field: _needed_type(rule)})


def _needed_type(rule: Rule) -> FieldType:
    if rule.operator in _ONLY_DATES:
        return "date"
    if rule.operator in _ONLY_NUMBERS:
        return "number"
    is_number = isinstance(rule.value, int | float) and not isinstance(rule.value, bool)
    return "number" if is_number else "text"


_ONLY_DATES = frozenset(OPERATORS_BY_TYPE["date"]) - frozenset(OPERATORS_BY_TYPE["text"])
_ONLY_NUMBERS = frozenset(OPERATORS_BY_TYPE["number"]) - frozenset(OPERATORS_BY_TYPE["text"])


def wanted(rule: Rule, spec: FieldSpec | None) -> Wanted:
    """What the rule compares with. Raises Refused where no answer could ever be right."""
    if spec is None:
        raise Refused("field", f"There is no field {shown(rule.field)}.")
    operator = OPERATORS.get(rule.operator)
    offered = OPERATORS_BY_TYPE[spec.type]
    if operator is None or rule.operator not in offered:
        why = "There is no operator" if operator is None else f"{spec.label} has no operator"
        hint = did_you_mean(rule.operator, offered) or f" It has {', '.join(offered)}."
        raise Refused("operator", f"{why} {shown(rule.operator)}.{hint}")
    if operator.takes == "none":
        return Wanted(spec, operator.key)
    if operator.takes == "days":
        return Wanted(spec, operator.key, (_days(rule.value),))
    if operator.takes == "many":
        if not isinstance(rule.value, tuple) or not rule.value:
            raise Refused("value", f"Expected a list of values, found {shown(rule.value)}.")
        return Wanted(spec, operator.key, tuple(_one(item, spec.type) for item in rule.value))
    return Wanted(spec, operator.key, (_one(rule.value, spec.type),))


def _days(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_DAYS:
        return value
    raise Refused(
        "value", f"Expected a number of days from 0 to {_MAX_DAYS}, found {shown(value)}."
    )


def _one(value: object, field_type: FieldType) -> Any:
    if value is None or value == "":
        raise Refused("value", "Choose a value to compare with.")
    if isinstance(value, tuple):
        raise Refused("value", "Expected one value, found a list; is the operator meant to be in?")
    if field_type == "date":
        return _date(value)
    if field_type == "number":
        if number_of(value) is not None and not isinstance(value, str):
            return value
        raise Refused("value", f"Expected a number without quotes, found {shown(value)}.")
    if not isinstance(value, str):
        raise Refused("value", f"Expected text, found {shown(value)}: put it between quotes.")
    folded = fold(value)
    if not folded:
        raise Refused("value", "Choose a value to compare with; to find missing ones use is_empty.")
    return folded


def _date(value: object) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as exc:
            raise Refused("value", f"{value} is no date of the calendar.") from exc
    raise Refused("value", f"Expected a date like 2026-01-31, found {shown(value)}.")


def days_after(day: date, days: int) -> date:
    """`day` moved by `days`, held at the first and last day of the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
