"""Conditions in words."""

from __future__ import annotations

from datetime import date

from workflows.conditions.tree import Group, Rule
from workflows.conditions.values import date_of, rule_spec
from workflows.fields import NO_TYPES, FieldSpec, FieldTypes
from workflows.operators import OPERATORS

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def long_date(day: date) -> str:
    """A date that reads the same everywhere: 3 May 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def lower_first(text: str) -> str:
    """For use inside a sentence; acronyms stay."""
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() or len(text) < 2 else text


def listed(words: list[str], last: str) -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def value_words(value: object, spec: FieldSpec | None) -> str:
    """A value (a rule's or a fact's) as people call it."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        words = [value_words(item, spec) for item in value]
        return listed(words, "and") if words else "nothing"
    if spec is not None and spec.type == "date":
        day = date_of(value)
        return long_date(day) if day else str(value)
    return spec.value_label(value) if spec is not None else str(value)


def wanted_words(rule: Rule, spec: FieldSpec | None) -> str:
    """The part of a rule after its field: "is France or Spain", "is before 1 May 2026"."""
    operator = OPERATORS.get(rule.operator)
    if operator is None:
        return f"{rule.operator or '…'} {_operand(rule, spec)}"
    if operator.takes == "none":
        return operator.label
    if operator.takes == "days":
        return _days_words(operator.key, rule.value)
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    words = [value_words(value, spec) if value not in (None, "") else "…" for value in values]
    words = words or ["…"]
    if operator.key == "in":
        return f"is {listed(words, 'or')}"
    if operator.key == "not_in":
        return f"is neither {listed(words, 'nor')}" if len(words) > 1 else f"is not {words[0]}"
    joined = "or" if operator.key == "has_any" else "and"
    label = "includes" if operator.key in ("has_any", "has_all") else operator.label
    return f"{label} {listed(words, joined)}"


def _operand(rule: Rule, spec: FieldSpec | None) -> str:
    return "…" if rule.value in (None, "", ()) else value_words(rule.value, spec)


def _days_words(operator: str, days: object) -> str:
    ahead = operator == "in_next_days"
    if days == 0:
        return "is today"
    count = "day" if days == 1 else f"{days} days"
    return f"is {'today or in the next' if ahead else 'today or in the last'} {count}"


def describe_rule(rule: Rule, types: FieldTypes = NO_TYPES) -> str:
    """One rule: "worker type is Contractor"."""
    spec = rule_spec(rule, types)
    label = lower_first(spec.label) if spec else rule.field or "…"
    return f"{label} {wanted_words(rule, spec)}"


def describe_group(group: Group, types: FieldTypes = NO_TYPES) -> str:
    """The condition in words: "worker type is Contractor and (country is France or Spain)"."""
    parts = [_part(rule, group, types) for rule in group.rules]
    text = f" {group.combinator} ".join(parts) if parts else "(no condition yet)"
    return f"not ({text})" if group.negated else text


def _part(rule: Group | Rule, parent: Group, types: FieldTypes) -> str:
    alone = len(parent.rules) == 1
    if isinstance(rule, Group):
        text = describe_group(rule, types)
        simple = alone or rule.negated or (len(rule.rules) < 2 and not text.startswith("("))
        return text if simple else f"({text})"
    text = describe_rule(rule, types)
    joined = {"in": "or", "has_any": "or", "has_all": "and"}.get(rule.operator)
    several = isinstance(rule.value, tuple) and len(rule.value) > 1
    return f"({text})" if several and joined and joined != parent.combinator and not alone else text
