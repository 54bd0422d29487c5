"""What conditions mean, told a second time, for tests to hold the engine against."""

from __future__ import annotations

from typing import Any

from workflows.conditions.tree import Group, Rule
from workflows.conditions.values import date_of, list_of, number_of, text_of
from workflows.fields import field_spec
from workflows.tests.strategies import TODAY, TYPES


def oracle(node: Group | Rule, known: dict[str, object]) -> bool | None:
    """Told again from the page that defines conditions, sharing only the casts of values."""
    if isinstance(node, Group):
        answers = [oracle(rule, known) for rule in node.rules]
        stop = node.combinator == "or"
        answer = stop if stop in answers else None if None in answers else not stop
        return answer if answer is None or not node.negated else not answer
    return _oracle_rule(node, known.get(node.field))


def _oracle_rule(rule: Rule, fact: object) -> bool | None:
    missing = fact is None or (isinstance(fact, str) and fact.strip() == "")
    if rule.operator.endswith("_empty"):
        return (missing or fact == []) == (rule.operator == "is_empty")
    if missing:
        return None
    spec = field_spec(rule.field, TYPES)
    assert spec is not None
    casts = {"date": date_of, "number": number_of, "list": list_of}
    cast = casts.get(spec.type, text_of)
    have: Any = cast(fact)
    if have is None or have == "":
        return None
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    if rule.operator in ("in_next_days", "in_last_days"):
        distance = (have - TODAY).days * (1 if rule.operator == "in_next_days" else -1)
        return bool(0 <= distance <= int(str(rule.value)))
    one = text_of if spec.type == "list" else cast
    want: Any = [one(value) for value in values]
    first = want[0]
    return bool(
        {
            "is": lambda: have == first,
            "is_not": lambda: have != first,
            "in": lambda: any(have == item for item in want),
            "not_in": lambda: all(have != item for item in want),
            "contains": lambda: have.find(first) >= 0,
            "not_contains": lambda: have.find(first) < 0,
            "starts_with": lambda: have[: len(first)] == first,
            "ends_with": lambda: have[-len(first) :] == first,
            "before": lambda: have < first,
            "after": lambda: first < have,
            "on_or_before": lambda: not first < have,
            "on_or_after": lambda: not have < first,
            "less_than": lambda: have < first,
            "greater_than": lambda: first < have,
            "at_most": lambda: not first < have,
            "at_least": lambda: not have < first,
            "has": lambda: first in have,
            "has_not": lambda: first not in have,
            "has_any": lambda: any(item in have for item in want),
            "has_all": lambda: all(item in have for item in want),
        }[rule.operator]()
    )
