"""Rows of a condition: add, set, duplicate, move, delete. Pure, on the group's plain data.

A row is addressed by the indices that lead to it: "" is the outermost group, "0" its first row,
"2.1" the second row of the group that stands third. Functions change `group` in place.
"""

from __future__ import annotations

import copy
from typing import Any

from workflows.conditions.tree import MAX_GROUP_DEPTH
from workflows.designer.errors import EditRefusedError
from workflows.document.shape import Data

MODES = {
    "all": ("and", False),
    "any": ("or", False),
    "none": ("or", True),
    "not_all": ("and", True),
}
"""How a group joins its rows, in a person's words → combinator and `not`."""
_GONE = "This condition is not in the draft any more."


def indices(path: str) -> list[int]:
    """The numbers of a row's address."""
    parts = path.split(".") if path else []
    if not all(part.isdecimal() and len(part) < 5 for part in parts):
        raise EditRefusedError(_GONE)
    return [int(part) for part in parts]


def is_group(entry: Any) -> bool:
    """Whether a row is a group of rows."""
    return isinstance(entry, dict) and "rules" in entry


def row_find(group: Data, path: str) -> Data:
    """The row at an address. Raises EditRefusedError where there is none."""
    entry = group
    for index in indices(path):
        rows = entry.get("rules")
        if not isinstance(rows, list) or index >= len(rows):
            raise EditRefusedError(_GONE)
        entry = rows[index]
    return entry


def _parent(group: Data, path: str) -> tuple[list[Data], int]:
    if not path:
        raise EditRefusedError("The outermost group stays; choose “everybody” to leave it out.")
    outer, _, last = path.rpartition(".")
    row_find(group, path)
    rows: list[Data] = row_find(group, outer)["rules"]
    return rows, int(last)


def _rows(group: Data, path: str) -> list[Data]:
    entry = row_find(group, path)
    if not is_group(entry):
        raise EditRefusedError("Rows can only be added to a group.")
    rows: list[Data] = entry["rules"]
    return rows


def _below(path: str, index: int) -> str:
    return f"{path}.{index}" if path else str(index)


def mode_of(group: Data) -> str:
    """One of MODES."""
    pair = (group.get("combinator", "and"), bool(group.get("not", False)))
    return next(name for name, found in MODES.items() if found == pair)


def mode_set(group: Data, path: str, mode: str) -> None:
    """Join the rows of a group another way."""
    if mode not in MODES:
        raise EditRefusedError("Choose all, any or none.")
    entry = row_find(group, path)
    combinator, negated = MODES[mode]
    entry["combinator"] = combinator
    entry.pop("not", None)
    if negated:
        entry["not"] = True


def rule_add(group: Data, path: str) -> str:
    """An empty row at the end of a group; its address."""
    rows = _rows(group, path)
    rows.append({"field": "", "operator": "is"})
    return _below(path, len(rows) - 1)


def group_add(group: Data, path: str) -> str:
    """A group with one empty row at the end of a group; its address."""
    if len(indices(path)) + 2 > MAX_GROUP_DEPTH:
        raise EditRefusedError(f"Groups can be nested {MAX_GROUP_DEPTH} deep, not deeper.")
    rows = _rows(group, path)
    rows.append({"combinator": "or", "rules": [{"field": "", "operator": "is"}]})
    return _below(path, len(rows) - 1)


def row_delete(group: Data, path: str) -> None:
    """Take a row away, with everything below it."""
    rows, index = _parent(group, path)
    rows.pop(index)


def row_duplicate(group: Data, path: str) -> str:
    """A copy right after the row; its address."""
    rows, index = _parent(group, path)
    rows.insert(index + 1, copy.deepcopy(rows[index]))
    outer = path.rpartition(".")[0]
    return _below(outer, index + 1)


def row_move(group: Data, path: str, *, to: int) -> tuple[str, int]:
    """Move a row within its group; its new address, and how many rows the group has."""
    rows, index = _parent(group, path)
    target = max(0, min(to, len(rows) - 1))
    rows.insert(target, rows.pop(index))
    return _below(path.rpartition(".")[0], target), len(rows)
