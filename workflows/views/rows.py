"""Forms made of rows: one page, one form; a button moves a row, and only “save” saves.

Without script every button posts the whole form; the page comes back with the rows moved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from workflows.fields import FIELDS, FieldSpec, field_spec
from workflows.operators import OPERATORS
from workflows.problems import Problem

Row = TypeVar("Row")

MOST_ROWS = 60


def rows_posted(post: Mapping[str, Any], prefix: str, names: Sequence[str]) -> list[dict[str, str]]:
    """Rows ``prefix-0-name`` … of the form, in order."""
    rows: list[dict[str, str]] = []
    for number in range(MOST_ROWS):
        found = {name: str(post.get(f"{prefix}-{number}-{name}", "")).strip() for name in names}
        if not any(f"{prefix}-{number}-{name}" in post for name in names):
            break
        rows.append(found)
    return rows


def row_done(rows: list[Row], do: str, prefix: str, *, blank: Row) -> bool:
    """Carry out ``add-PREFIX``, ``up-PREFIX-2`` …; False when ``do`` is about something else."""
    verb, _, rest = do.partition("-")
    if verb == "add" and rest == prefix:
        if len(rows) < MOST_ROWS:
            rows.append(blank)
        return True
    name, _, number = rest.rpartition("-")
    if verb not in ("up", "down", "delete") or name != prefix or not number.isdecimal():
        return False
    index = int(number)
    if index >= len(rows):
        return True
    if verb == "delete":
        del rows[index]
        return True
    other = index + (-1 if verb == "up" else 1)
    if 0 <= other < len(rows):
        rows[index], rows[other] = rows[other], rows[index]
    return True


_PLACE = re.compile(r"(\w+)\[(\d+)\]")


def problem_words(problem: Problem, names: Mapping[str, str]) -> str:
    """A problem with its place as people see it: ``fields[2].choices`` is “Question 3, choices”."""
    parts = []
    for part in problem.path.split("."):
        found = _PLACE.fullmatch(part)
        if found and found[1] in names:
            parts.append(f"{names[found[1]]} {int(found[2]) + 1}")
        elif not found and part not in ("when", "audience", "value", ""):
            parts.append(part.replace("_", " "))
    place = ", ".join(parts)
    return f"{place[:1].upper()}{place[1:]}: {problem.message}" if place else problem.message


CONDITION = ("field", "operator", "value")
NO_CONDITION: Mapping[str, str] = {"field": "", "operator": "is", "value": ""}


def condition_rows(data: Mapping[str, Any] | None) -> tuple[str, list[dict[str, str]]] | None:
    """A stored condition as (combinator, rows); ``None`` when it has groups or a “not” inside."""
    if not data:
        return "and", []
    if data.get("not"):
        return None
    rows: list[dict[str, str]] = []
    for rule in data.get("rules", []):
        if not isinstance(rule, Mapping) or "field" not in rule:
            return None
        rows.append(
            {
                "field": str(rule["field"]),
                "operator": str(rule.get("operator", "is")),
                "value": _text(rule.get("value"), field_spec(str(rule["field"]))),
            }
        )
    return str(data.get("combinator", "and")), rows


def _text(value: Any, spec: FieldSpec | None) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(_text(item, spec) for item in value)
    return spec.value_label(value) if spec is not None and spec.choices else str(value)


def condition_data(combinator: str, rows: Sequence[Mapping[str, str]]) -> dict[str, Any] | None:
    """The condition as it stands in a document; rows without a field are left out."""
    rules = [_rule(row) for row in rows if row["field"]]
    if not rules:
        return None
    return {"combinator": "or" if combinator == "or" else "and", "rules": rules}


def _rule(row: Mapping[str, str]) -> dict[str, Any]:
    rule: dict[str, Any] = {"field": row["field"], "operator": row["operator"]}
    operator, spec = OPERATORS.get(row["operator"]), field_spec(row["field"])
    takes = operator.takes if operator is not None else "one"
    if takes == "none":
        return rule
    if takes == "many":
        parts = [part.strip() for part in row["value"].split(",")]
        rule["value"] = [_value(part, spec) for part in parts if part]
    elif takes == "days":
        rule["value"] = int(row["value"]) if row["value"].isdecimal() else row["value"]
    else:
        rule["value"] = _value(row["value"], spec)
    return rule


def _value(text: str, spec: FieldSpec | None) -> Any:
    """What people call it becomes what is stored: France → FRA, 12 → a number."""
    if spec is None:
        return text
    by_label = {label.casefold(): key for key, label in spec.choices}
    if text.casefold() in by_label:
        return by_label[text.casefold()]
    if spec.type == "number":
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    return text


def field_choices(*prefixes: str) -> list[tuple[str, str]]:
    """(key, label) of the fields a condition may ask about."""
    return [(key, spec.label) for key, spec in FIELDS.items() if key.startswith(prefixes)]


def operator_choices() -> list[tuple[str, str]]:
    """(key, label) of every operator; which fit a field is judged when it is saved."""
    return [(key, operator.label) for key, operator in OPERATORS.items()]
