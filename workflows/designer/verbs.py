"""Every verb of the designer: from what was sent to a changed draft and what to say about it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.designer import rules, steps
from workflows.designer.cards import card_read
from workflows.designer.errors import EditRefusedError
from workflows.designer.posted import Posted
from workflows.document.parse import parse_document
from workflows.document.shape import Data, WorkflowDocument
from workflows.fields import NO_TYPES, FieldTypes
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a verb has to say: one line for the live region, and where the focus goes."""

    words: str = ""
    focus: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A draft after a verb."""

    document: WorkflowDocument
    said: Said


Verb = Callable[[Data, Posted], Said]
VERBS: dict[str, Verb] = {}
ONE_STEP = {"up": -1, "down": 1}


def edit(
    data: Mapping[str, Any], verb: str, posted: Posted, *, types: FieldTypes = NO_TYPES
) -> Edited:
    """Carry out a verb on a copy of a draft; the card that was sent along is taken over first.

    Raises EditRefusedError where it cannot be done, with the reason in words.
    """
    act = VERBS.get(verb)
    if act is None:
        raise EditRefusedError("The designer does not know this button. Load the page again.")
    draft = copy.deepcopy(dict(data))
    card_read(draft, posted, types=types)
    said = act(draft, posted)
    try:
        return Edited(document=parse_document(draft), said=said)
    except DocumentError as error:
        problem = error.problems[0]
        part = problem.path.rpartition(".")[2].partition("[")[0].replace("_", " ")
        raise EditRefusedError(f"{part.capitalize()}: {problem.message}") from error


def verb(name: str) -> Callable[[Verb], Verb]:
    """Register a verb under the name in its address."""

    def register(act: Verb) -> Verb:
        VERBS[name] = act
        return act

    return register


@verb("save")
def save(data: Data, posted: Posted) -> Said:
    """Only the card that was sent."""
    return Said(words="Saved")


# Steps


@verb("add-step")
def add_step(data: Data, posted: Posted) -> Said:
    """“kind” is an action, “wait” or “branch”; “place” and “at” say where."""
    kind = posted.one("kind")
    action = ACTIONS.get(kind)
    if action is None and kind not in ("wait", "branch"):
        raise EditRefusedError("Choose what the step does.")
    step = steps.step_new(data, kind)
    steps.step_add(data, step, place=posted.one("place"), at=posted.number("at"))
    label = action.label if action else kind.capitalize()
    return Said(words=f"{label} added", focus=f"step-{step['key']}-edit")


@verb("duplicate-step")
def duplicate_step(data: Data, posted: Posted) -> Said:
    """A copy after it."""
    key = steps.step_duplicate(data, posted.one("step"))
    return Said(words="Step duplicated", focus=f"step-{key}-edit")


@verb("switch-step")
def switch_step(data: Data, posted: Posted) -> Said:
    """Off, or on again."""
    key = posted.one("step")
    on = steps.step_switch(data, key)
    return Said(words="Step switched on" if on else "Step switched off", focus=f"step-{key}-menu")


@verb("delete-step")
def delete_step(data: Data, posted: Posted) -> Said:
    """It can be brought back by undo."""
    key = posted.one("step")
    found = steps.step_find(data, key)
    beside = [item["key"] for item in found.steps if item["key"] != key]
    steps.step_delete(data, key)
    near = beside[min(found.index, len(beside) - 1)] if beside else ""
    return Said(words="Step deleted", focus=f"step-{near}-edit" if near else "designer-undo")


@verb("move-step")
def move_step(data: Data, posted: Posted) -> Said:
    """“go” is up or down; else “to” is the position from 1 on, “into” another lane."""
    key, go = posted.one("step"), posted.one("go")
    found = steps.step_find(data, key)
    if go in ONE_STEP:
        index, count = found.index + ONE_STEP[go], len(found.steps)
        if not 0 <= index < count:
            end = "first" if go == "up" else "last"
            return Said(words=f"It is the {end} step already", focus=f"step-{key}-{go}")
        steps.step_move(data, key, to=index)
        return Said(words=f"Moved to position {index + 1} of {count}", focus=f"step-{key}-{go}")
    position = posted.number("to")
    into = posted.one("into") if posted.has("into") else None
    if into == found.place:
        into = None
    if position is None and into is None:
        raise EditRefusedError("Say to which position.")
    to = position - 1 if position else (10_000 if into is not None else 0)
    index, count = steps.step_move(data, key, to=to, place=into)
    return Said(words=f"Moved to position {index + 1} of {count}", focus=f"step-{key}-menu")


@verb("add-lane")
def add_lane(data: Data, posted: Posted) -> Said:
    """One more way of a branch."""
    key = posted.one("step")
    index = steps.lane_add(data, key)
    return Said(words=f"Lane {index + 1} added", focus=f"lane-{key}-lane-{index}-lane-name")


def _lane(posted: Posted) -> tuple[str, int]:
    key, _, rest = posted.one("lane").partition("/")
    number = rest.rpartition("/")[2]
    return key, int(number) if number.isdecimal() else -1


@verb("delete-lane")
def delete_lane(data: Data, posted: Posted) -> Said:
    """With its steps."""
    key, index = _lane(posted)
    steps.lane_delete(data, key, index)
    return Said(words="Lane deleted", focus=f"step-{key}-edit")


@verb("move-lane")
def move_lane(data: Data, posted: Posted) -> Said:
    """“go” is up or down."""
    key, index = _lane(posted)
    go = posted.one("go")
    to = steps.lane_move(data, key, index, by=ONE_STEP.get(go, 0))
    return Said(words=f"Lane moved to position {to + 1}", focus=f"lane-{key}-lane-{to}-{go}")


@verb("add-outcome")
def add_outcome(data: Data, posted: Posted) -> Said:
    """“outcome” is approved, rejected or expired."""
    key, name = posted.one("step"), posted.one("outcome")
    steps.outcome_add(data, key, name)
    return Said(words=f"{steps.LANE_WORDS[name]}: lane added", focus=f"add-to-{key}-{name}")


@verb("delete-outcome")
def delete_outcome(data: Data, posted: Posted) -> Said:
    """“lane” is KEY/approved."""
    key, _, name = posted.one("lane").partition("/")
    steps.outcome_delete(data, key, name)
    return Said(words="Lane deleted", focus=f"step-{key}-edit")


# Conditions


def _row(data: Data, posted: Posted) -> tuple[Data, str, str]:
    """The group a row belongs to, its host and the row's address, from “row”: HOST:PATH."""
    host, _, path = posted.one("row").partition(":")
    owner, name = steps.host_of(data, host)
    if owner.get(name) is None:
        owner[name] = {"combinator": "and", "rules": []}
    return owner[name], host, path


def _row_id(host: str, path: str) -> str:
    tail = f"-{path.replace('.', '-')}" if path else ""
    return f"only-if-{host.replace('/', '-')}-row{tail}"


@verb("add-rule")
def add_rule(data: Data, posted: Posted) -> Said:
    """A row at the end of a group."""
    group, host, path = _row(data, posted)
    return Said(
        words="Condition added", focus=f"{_row_id(host, rules.rule_add(group, path))}-field"
    )


@verb("add-group")
def add_group(data: Data, posted: Posted) -> Said:
    """A group at the end of a group."""
    group, host, path = _row(data, posted)
    return Said(words="Group added", focus=f"{_row_id(host, rules.group_add(group, path))}-mode")


@verb("delete-row")
def delete_row(data: Data, posted: Posted) -> Said:
    """A row or a group with everything in it."""
    group, host, path = _row(data, posted)
    rules.row_delete(group, path)
    outer = path.rpartition(".")[0]
    return Said(words="Condition deleted", focus=f"{_row_id(host, outer)}-add")


@verb("duplicate-row")
def duplicate_row(data: Data, posted: Posted) -> Said:
    """A copy after it."""
    group, host, path = _row(data, posted)
    path = rules.row_duplicate(group, path)
    return Said(words="Condition duplicated", focus=f"{_row_id(host, path)}-menu")


@verb("move-row")
def move_row(data: Data, posted: Posted) -> Said:
    """“go” is up or down; else “to.PATH” is the position from 1 on. Within its group."""
    group, host, path = _row(data, posted)
    go = posted.one("go")
    index = rules.indices(path)[-1] if path else 0
    rows = rules.row_find(group, path.rpartition(".")[0])["rules"]
    if go not in ONE_STEP:
        position = posted.number(f"to.{path}")
        if not position:
            raise EditRefusedError("Say to which position.")
        moved, count = rules.row_move(group, path, to=position - 1)
        words = f"Moved to position {rules.indices(moved)[-1] + 1} of {count}"
        return Said(words=words, focus=f"{_row_id(host, moved)}-menu")
    wanted = index + ONE_STEP[go]
    if not 0 <= wanted < len(rows):
        end = "first" if go == "up" else "last"
        return Said(words=f"It is the {end} condition already", focus=f"{_row_id(host, path)}-{go}")
    moved, count = rules.row_move(group, path, to=wanted)
    words = f"Moved to position {wanted + 1} of {count}"
    return Said(words=words, focus=f"{_row_id(host, moved)}-{go}")


@verb("add-conditions")
def add_conditions(data: Data, posted: Posted) -> Said:
    """Only some people: a group with one empty row, at “host”."""
    host = posted.one("host")
    owner, name = steps.host_of(data, host)
    if owner.get(name) is None:
        owner[name] = {"combinator": "and", "rules": [{"field": "", "operator": "is"}]}
    return Said(words="Condition added", focus=f"{_row_id(host, '0')}-field")


@verb("everybody")
def everybody(data: Data, posted: Posted) -> Said:
    """No condition at “host”."""
    host = posted.one("host")
    owner, name = steps.host_of(data, host)
    owner.pop(name, None)
    return Said(words="For everybody", focus=f"only-if-{host.replace('/', '-')}-add")
