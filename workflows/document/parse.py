"""Plain data → WorkflowDocument. Only the shape is judged here; meaning is `validate`'s part.

A draft that somebody is still writing parses: no trigger yet, an empty group, an empty field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast, get_args

from workflows.conditions.tree import Group, read_group
from workflows.document.plain import clean
from workflows.document.shape import (
    FORMAT,
    OUTCOMES,
    ActionStep,
    BranchMode,
    BranchStep,
    Data,
    HoldAbove,
    Lane,
    Limits,
    OnDateChange,
    OnError,
    Step,
    TriggerSpec,
    WaitFor,
    WaitStep,
    WaitUntil,
    WorkflowDocument,
)
from workflows.document.timing import MAX_DAYS, read_direction_and_days, read_time
from workflows.problems import DocumentError, Reader, join, shown

MAX_STEPS = 200
MAX_LANE_DEPTH = 8
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,78}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DOCUMENT_KEYS = (
    *("format", "key", "name", "description", "category", "owner"),
    *("trigger", "conditions", "limits", "steps"),
)
_STEP_KEYS = {
    "action": ("key", "action", "params", "when", "on_error", "outcomes"),
    "wait": ("key", "wait"),
    "branch": ("key", "branch"),
}


def parse_document(data: object) -> WorkflowDocument:
    """Read a document from plain data. Raises DocumentError with every problem of its shape."""
    reader = Reader()
    cleaned = clean(reader, data)
    if reader.problems:
        raise DocumentError(reader.problems)
    document = _DocumentReader(reader).document(cleaned)
    if reader.problems:
        raise DocumentError(reader.problems, partial=document)
    return document


class _DocumentReader:
    """One reading of one document: counts steps and remembers their keys."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.keys: dict[str, str] = {}
        self.count = 0

    def document(self, data: object) -> WorkflowDocument:
        reader = self.reader
        found = reader.mapping(data, "", allowed=_DOCUMENT_KEYS)
        self._format(found)
        trigger = found.get("trigger")
        document = WorkflowDocument(
            key=self._slug(found, "key", ""),
            name=self._text(found, "name", "", limit=200),
            description=self._text(found, "description", "", limit=5_000),
            category=self._text(found, "category", "", limit=100),
            owner=self._owner(found),
            trigger=TriggerSpec() if trigger is None else self._trigger(trigger),
            conditions=self._group(found, "conditions", ""),
            limits=self._limits(found.get("limits")),
            steps=self._steps(found.get("steps", []), "steps", depth=0),
        )
        if self.count > MAX_STEPS:
            reader.error("steps", f"{self.count} steps; at most {MAX_STEPS} are allowed.")
        return document

    def _format(self, found: Data) -> None:
        value = found.get("format")
        if value is None:
            self.reader.error("format", f'Missing; a workflow begins with "format: {FORMAT}".')
        elif value != FORMAT:
            self.reader.error("format", f"Expected {FORMAT}, found {shown(value)}.")

    def _text(self, found: Data, key: str, path: str, *, limit: int) -> str:
        value = found.get(key)
        return "" if value is None else self.reader.text(value, join(path, key), limit=limit)

    def _slug(self, found: Data, key: str, path: str) -> str:
        here = join(path, key)
        if found.get(key) in (None, ""):
            self.reader.error(here, "Missing: a short name of lower-case letters, digits and -.")
            return ""
        value = self.reader.text(found[key], here)
        if value and not _SLUG.fullmatch(value):
            self.reader.error(
                here,
                f"{shown(value)} is no short name: lower-case letters, digits, - and _, up to 80, "
                "beginning and ending with a letter or digit.",
            )
        return value

    def _owner(self, found: Data) -> str:
        owner = self._text(found, "owner", "", limit=254)
        if owner and not _EMAIL.fullmatch(owner):
            self.reader.error("owner", f"Expected a work email, found {shown(owner)}.")
        return owner

    def _trigger(self, data: object) -> TriggerSpec:
        found = self.reader.mapping(data, "trigger", allowed=("type", "params"))
        return TriggerSpec(
            type=self._text(found, "type", "trigger", limit=100),
            params=self._params(found, "trigger"),
        )

    def _params(self, found: Data, path: str) -> Data:
        value = found.get("params")
        return {} if value is None else self.reader.mapping(value, join(path, "params"))

    def _group(self, found: Data, key: str, path: str) -> Group | None:
        value = found.get(key)
        return None if value is None else read_group(self.reader, value, join(path, key))

    def _limits(self, data: object) -> Limits | None:
        if data is None:
            return None
        found = self.reader.mapping(data, "limits", allowed=("hold_above", "hold_above_week"))
        return Limits(
            self._hold_above(found, "hold_above", ("people", "percent", "per_hours")),
            self._hold_above(found, "hold_above_week", ("people", "percent")),
        )

    def _hold_above(self, limits: Data, name: str, allowed: tuple[str, ...]) -> HoldAbove | None:
        if limits.get(name) is None:
            return None
        path = join("limits", name)
        found = self.reader.mapping(limits[name], path, allowed=allowed)

        def number(key: str, low: int, high: int) -> int | None:
            if found.get(key) is None:
                return None
            return self.reader.integer(found[key], join(path, key), low=low, high=high, default=low)

        return HoldAbove(
            people=number("people", 0, 1_000_000),
            percent=number("percent", 0, 100),
            per_hours=number("per_hours", 1, 24 * 366),
        )

    def _steps(self, data: object, path: str, *, depth: int) -> tuple[Step, ...]:
        if depth > MAX_LANE_DEPTH:
            self.reader.error(path, f"Lanes may be nested {MAX_LANE_DEPTH} deep, not deeper.")
            return ()
        entries = self.reader.items(data, path) if data is not None else []
        return tuple(
            self._step(entry, f"{path}[{index}]", depth=depth)
            for index, entry in enumerate(entries)
        )

    def _step(self, data: object, path: str, *, depth: int) -> Step:
        self.count += 1
        raw = self.reader.mapping(data, path)
        shapes = [shape for shape in _STEP_KEYS if shape in raw]
        if len(shapes) != 1:
            if raw:
                self.reader.error(path, "A step has exactly one of action, wait and branch.")
            return ActionStep("", "")  # keeps its place, so that later paths stay true
        allowed = (*_STEP_KEYS[shapes[0]], "disabled")
        if shapes[0] != "branch":
            allowed = (*allowed, "on_date_change")
        found = self.reader.mapping(raw, path, allowed=allowed)
        key = self._slug(found, "key", path)
        if key in self.keys:
            self.reader.error(
                join(path, "key"), f'The key "{key}" is taken by {self.keys[key]} already.'
            )
        elif key:
            self.keys[key] = path
        make: dict[str, Callable[..., Step]] = {
            "action": self._action,
            "wait": self._wait,
            "branch": self._branch,
        }
        disabled = self.reader.flag(found.get("disabled", False), join(path, "disabled"))
        return make[shapes[0]](found, path, key=key, disabled=disabled, depth=depth)

    def _on_date_change(self, found: Data, path: str) -> OnDateChange | None:
        value = found.get("on_date_change")
        if value is None:
            return None
        known = get_args(OnDateChange)
        here = join(path, "on_date_change")
        return cast(OnDateChange, self.reader.choice(value, here, known, default="replan"))

    def _action(
        self, found: Data, path: str, *, key: str, disabled: bool, depth: int
    ) -> ActionStep:
        reader = self.reader
        on_error = reader.choice(
            found.get("on_error", "stop"), join(path, "on_error"), get_args(OnError), default="stop"
        )
        outcomes: dict[str, tuple[Step, ...]] = {}
        if found.get("outcomes") is not None:
            here = join(path, "outcomes")
            lanes = reader.mapping(found["outcomes"], here, allowed=OUTCOMES)
            outcomes = {
                name: self._steps(lanes[name], join(here, name), depth=depth + 1)
                for name in OUTCOMES
                if name in lanes
            }
        return ActionStep(
            key=key,
            action=reader.text(found["action"], join(path, "action"), limit=100),
            params=self._params(found, path),
            when=self._group(found, "when", path),
            on_error=cast(OnError, on_error),
            disabled=disabled,
            outcomes=outcomes,
            on_date_change=self._on_date_change(found, path),
        )

    def _wait(self, found: Data, path: str, *, key: str, disabled: bool, depth: int) -> WaitStep:
        here = join(path, "wait")
        wait = self.reader.mapping(found["wait"], here, allowed=("for", "until"))
        moment: WaitFor | WaitUntil = WaitFor(1)
        if len(wait) != 1:
            self.reader.error(here, "A wait has exactly one of for and until.")
        elif "for" in wait:
            moment = self._wait_for(wait["for"], join(here, "for"))
        else:
            moment = self._wait_until(wait["until"], join(here, "until"))
        return WaitStep(key, moment, disabled, self._on_date_change(found, path))

    def _wait_for(self, data: object, path: str) -> WaitFor:
        found = self.reader.mapping(data, path, allowed=("days",))
        here = join(path, "days")
        return WaitFor(self.reader.integer(found.get("days"), here, low=1, high=366, default=1))

    def _wait_until(self, data: object, path: str) -> WaitUntil:
        reader = self.reader
        found = reader.mapping(data, path, allowed=("anchor", "direction", "days", "at"))
        direction, days = read_direction_and_days(reader, found, path, high=MAX_DAYS)
        return WaitUntil(
            anchor=reader.text(found.get("anchor", ""), join(path, "anchor"), limit=200),
            direction=direction,
            days=days,
            at=read_time(reader, found.get("at", "09:00"), join(path, "at")),
        )

    def _branch(
        self, found: Data, path: str, *, key: str, disabled: bool, depth: int
    ) -> BranchStep:
        reader = self.reader
        here = join(path, "branch")
        branch = reader.mapping(found["branch"], here, allowed=("mode", "lanes", "otherwise"))
        mode = reader.choice(
            branch.get("mode", "first_match"),
            join(here, "mode"),
            get_args(BranchMode),
            default="first_match",
        )
        entries: list[Any] = reader.items(branch.get("lanes", []), join(here, "lanes"))
        lanes = tuple(
            self._lane(entry, f"{join(here, 'lanes')}[{index}]", depth=depth)
            for index, entry in enumerate(entries)
        )
        otherwise = self._steps(branch.get("otherwise"), join(here, "otherwise"), depth=depth + 1)
        return BranchStep(key, cast(BranchMode, mode), lanes, otherwise, disabled)

    def _lane(self, data: object, path: str, *, depth: int) -> Lane:
        found = self.reader.mapping(data, path, allowed=("name", "when", "steps"))
        return Lane(
            name=self._text(found, "name", path, limit=200),
            when=self._group(found, "when", path),
            steps=self._steps(found.get("steps"), join(path, "steps"), depth=depth + 1),
        )
