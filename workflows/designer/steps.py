"""Steps of a draft: find, add, duplicate, switch, move, delete. Pure, on the document's plain data.

A step is addressed by its key, which never changes. A list of steps is addressed by its place: ""
is the trunk, "KEY/approved" an outcome of an approval, "KEY/lane/0" and "KEY/otherwise" ways of a
branch. Every function changes `data` in place: callers hand in a copy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.designer.errors import EditRefusedError
from workflows.document.shape import OUTCOMES, OUTCOMES_OF, Data

_KEY_LENGTH = 60
LANE_WORDS = {
    "approved": "If approved",
    "rejected": "If rejected",
    "expired": "If nobody answers",
    "done": "If done",
    "refused": "If it cannot be done",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A step, the list it stands in, and where."""

    step: Data
    steps: list[Data]
    index: int
    place: str


def places_inside(step: Data) -> Iterator[tuple[str, list[Data]]]:
    """Place and list of steps of every lane inside a step."""
    key = step.get("key", "")
    for name in OUTCOMES:
        if name in step.get("outcomes", {}):
            yield f"{key}/{name}", step["outcomes"][name]
    if "branch" in step:
        for index, lane in enumerate(step["branch"].setdefault("lanes", [])):
            yield f"{key}/lane/{index}", lane.setdefault("steps", [])
        yield f"{key}/otherwise", step["branch"].setdefault("otherwise", [])


def walk(steps: list[Data], place: str = "") -> Iterator[Found]:
    """Every step in reading order."""
    for index, step in enumerate(steps):
        yield Found(step, steps, index, place)
        for inner_place, inner in places_inside(step):
            yield from walk(inner, inner_place)


def step_find(data: Data, key: str) -> Found:
    """The step with this key. Raises EditRefusedError where somebody deleted it."""
    found = next(
        (item for item in walk(data.setdefault("steps", [])) if item.step["key"] == key), None
    )
    if found is None:
        raise EditRefusedError("This step is not in the draft any more.")
    return found


def steps_at(data: Data, place: str) -> list[Data]:
    """The list of steps at a place. Raises EditRefusedError where there is none."""
    steps: list[Data] = data.setdefault("steps", [])
    if not place:
        return steps
    owner = step_find(data, place.partition("/")[0]).step
    for inner_place, inner in places_inside(owner):
        if inner_place == place:
            return inner
    raise EditRefusedError("This lane is not in the draft any more.")


def key_fresh(data: Data, wish: str) -> str:
    """A key that no step has: the wish, or the wish with a number."""
    taken = {item.step["key"] for item in walk(data.setdefault("steps", []))}
    base = "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in wish.lower())
    base = base.strip("-")[:_KEY_LENGTH].rstrip("-") or "step"
    number, key = 1, base
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key


def step_new(data: Data, kind: str) -> Data:
    """A step of a kind: an action's key, "wait" or "branch". Not yet in the draft."""
    if kind == "wait":
        return {"key": key_fresh(data, "wait"), "wait": {"for": {"days": 1}}}
    if kind == "branch":
        lane = {"name": "", "when": {"combinator": "and", "rules": []}, "steps": []}
        branch: Data = {"mode": "first_match", "lanes": [lane]}
        return {"key": key_fresh(data, "branch"), "branch": branch}
    noun, _, verb = kind.partition(".")
    wish = {"send": "message", "request": "approval", "call": "call", "create": "task"}
    return {"key": key_fresh(data, wish.get(verb, verb or noun)), "action": kind}


def step_add(data: Data, step: Data, *, place: str = "", at: int | None = None) -> None:
    """Put a step into a list, at the end unless told."""
    steps = steps_at(data, place)
    steps.insert(len(steps) if at is None else max(0, min(at, len(steps))), step)


def step_delete(data: Data, key: str) -> Data:
    """Take a step out, with everything inside it."""
    found = step_find(data, key)
    step: Data = found.steps.pop(found.index)
    return step


def step_duplicate(data: Data, key: str) -> str:
    """A copy right after the step; the copy and what is inside it get keys of their own."""
    found = step_find(data, key)
    twin = copy.deepcopy(found.step)
    reserved: Data = {"steps": [*data["steps"]]}
    for item in list(walk([twin])):
        item.step["key"] = key_fresh(reserved, item.step["key"])
        reserved["steps"].append({"key": item.step["key"]})
    found.steps.insert(found.index + 1, twin)
    return str(twin["key"])


def step_switch(data: Data, key: str) -> bool:
    """Switch a step off or on again; whether it is on now."""
    step = step_find(data, key).step
    if step.pop("disabled", False):
        return True
    step["disabled"] = True
    return False


def step_move(data: Data, key: str, *, to: int, place: str | None = None) -> tuple[int, int]:
    """Move a step to an index, in its list or to another place; the index and the list's length."""
    found = step_find(data, key)
    target = found.steps if place is None else steps_at(data, place)
    if place is not None and any(target is inner for inner in _lists_inside(found.step)):
        raise EditRefusedError("A step cannot be moved into itself.")
    found.steps.pop(found.index)
    index = max(0, min(to, len(target)))
    target.insert(index, found.step)
    return index, len(target)


def _lists_inside(step: Data) -> list[list[Data]]:
    found: list[list[Data]] = []
    for _, inner in places_inside(step):
        found.append(inner)
        for item in inner:
            found += _lists_inside(item)
    return found


def outcome_add(data: Data, key: str, name: str) -> None:
    """Give an approval or a task a lane for one of its outcomes."""
    step = step_find(data, key).step
    if name not in OUTCOMES_OF.get(str(step.get("action", "")), ()):
        raise EditRefusedError("This step does not end in that way.")
    step.setdefault("outcomes", {}).setdefault(name, [])


def outcome_delete(data: Data, key: str, name: str) -> None:
    """Take an outcome's lane away, with its steps."""
    step = step_find(data, key).step
    step.get("outcomes", {}).pop(name, None)
    if not step.get("outcomes"):
        step.pop("outcomes", None)


def _lanes(data: Data, key: str) -> list[Data]:
    step = step_find(data, key).step
    if "branch" not in step:
        raise EditRefusedError("Only a branch has lanes.")
    lanes: list[Data] = step["branch"].setdefault("lanes", [])
    return lanes


def lane_find(data: Data, key: str, index: int) -> Data:
    """A lane of a branch."""
    lanes = _lanes(data, key)
    if not 0 <= index < len(lanes):
        raise EditRefusedError("This lane is not in the draft any more.")
    return lanes[index]


def lane_add(data: Data, key: str) -> int:
    """One more lane, after the others; its index."""
    lanes = _lanes(data, key)
    lanes.append({"name": "", "when": {"combinator": "and", "rules": []}, "steps": []})
    return len(lanes) - 1


def lane_delete(data: Data, key: str, index: int) -> None:
    """Take a lane away, with its steps."""
    lane_find(data, key, index)
    _lanes(data, key).pop(index)


def lane_move(data: Data, key: str, index: int, *, by: int) -> int:
    """Move a lane among its neighbours; its new index."""
    lane_find(data, key, index)
    lanes = _lanes(data, key)
    to = max(0, min(index + by, len(lanes) - 1))
    lanes.insert(to, lanes.pop(index))
    return to


def host_of(data: Data, host: str) -> tuple[dict[str, Any], str]:
    """Where a condition hangs: the mapping and the key in it. `host` is "conditions", "KEY/when"
    or "KEY/lane/0"."""
    if host == "conditions":
        return data, "conditions"
    key, _, rest = host.partition("/")
    if rest == "when":
        return step_find(data, key).step, "when"
    kind, _, number = rest.partition("/")
    if kind == "lane" and number.isdecimal():
        return lane_find(data, key, int(number)), "when"
    raise EditRefusedError("There are no conditions at this place.")
