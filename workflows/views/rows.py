"""Forms made of rows: one page, one form; a button moves a row, and only “save” saves.

Without script every button posts the whole form; the page comes back with the rows moved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

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
