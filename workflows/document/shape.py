"""The workflow document as frozen dataclasses, and back to plain data without loss.

Only `params` are plain dicts: their meaning belongs to the trigger or action that they are for.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from workflows.conditions.tree import Group

FORMAT = "siit.workflow/1"
OUTCOMES_OF = {
    "approval.request": ("approved", "rejected", "expired"),
    "task.create": ("done", "refused"),
}
"""Actions that end in one of several ways, each with steps of its own."""
OUTCOMES = tuple(name for names in OUTCOMES_OF.values() for name in names)

Direction = Literal["before", "same_day", "after"]
OnError = Literal["stop", "continue"]
OnDateChange = Literal["replan", "ask", "keep", "cancel"]
BranchMode = Literal["first_match", "every_match"]
Data: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TriggerSpec:
    """What starts the workflow. `type` is "" while nobody has chosen."""

    type: str = ""
    params: Data = field(default_factory=dict)

    def to_data(self) -> Data:
        """As in a document."""
        data: Data = {"type": self.type}
        if self.params:
            data["params"] = copy.deepcopy(self.params)
        return data


@dataclass(frozen=True, slots=True)
class HoldAbove:
    """Starts more than this inside a rolling `per_hours` are held; None: the workspace's value."""

    people: int | None = None
    percent: int | None = None
    per_hours: int | None = None

    def to_data(self) -> Data:
        """As in a document."""
        pairs = {"people": self.people, "percent": self.percent, "per_hours": self.per_hours}
        return {key: value for key, value in pairs.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Limits:
    """The brake of one workflow; None: the workspace default stands."""

    hold_above: HoldAbove | None = None
    hold_above_week: HoldAbove | None = None
    """The same for seven days; it has no `per_hours` of its own."""

    def to_data(self) -> Data:
        """As in a document."""
        pairs = {"hold_above": self.hold_above, "hold_above_week": self.hold_above_week}
        return {key: value.to_data() for key, value in pairs.items() if value is not None}


@dataclass(frozen=True, slots=True)
class WaitFor:
    """A pause of whole calendar days."""

    days: int

    def to_data(self) -> Data:
        """As in a document."""
        return {"for": {"days": self.days}}


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """A pause until a local moment around a date of the person. `at` is "HH:MM"."""

    anchor: str
    direction: Direction = "same_day"
    days: int = 0
    at: str = "09:00"

    @property
    def offset_days(self) -> int:
        """Days from the anchor: negative before it."""
        return {"before": -self.days, "same_day": 0, "after": self.days}[self.direction]

    def to_data(self) -> Data:
        """As in a document."""
        until = {
            "anchor": self.anchor,
            "direction": self.direction,
            "days": self.days,
            "at": self.at,
        }
        return {"until": until}


@dataclass(frozen=True, slots=True)
class ActionStep:
    """Do one thing. `outcomes`, see `OUTCOMES_OF`: outcome → steps."""

    key: str
    action: str
    params: Data = field(default_factory=dict)
    when: Group | None = None
    on_error: OnError = "stop"
    disabled: bool = False
    outcomes: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    on_date_change: OnDateChange | None = None

    def __post_init__(self) -> None:
        """Outcomes always stand in the same order, so that equal steps are written alike."""
        names = [*OUTCOMES, *(name for name in self.outcomes if name not in OUTCOMES)]
        ordered = {name: self.outcomes[name] for name in names if name in self.outcomes}
        object.__setattr__(self, "outcomes", ordered)

    def to_data(self) -> Data:
        """As in a document; what is at its default is left out."""
        data: Data = {"key": self.key, "action": self.action}
        if self.params:
            data["params"] = copy.deepcopy(self.params)
        if self.when is not None:
            data["when"] = self.when.to_data()
        if self.on_error != "stop":
            data["on_error"] = self.on_error
        if self.outcomes:
            data["outcomes"] = {
                name: [step.to_data() for step in steps] for name, steps in self.outcomes.items()
            }
        return data | _tail(self)


@dataclass(frozen=True, slots=True)
class WaitStep:
    """Pause; on waking the person is read and the workflow's conditions are tested again."""

    key: str
    wait: WaitFor | WaitUntil
    disabled: bool = False
    on_date_change: OnDateChange | None = None

    def to_data(self) -> Data:
        """As in a document."""
        return {"key": self.key, "wait": self.wait.to_data()} | _tail(self)


@dataclass(frozen=True, slots=True)
class Lane:
    """One way of a branch. Without `when` it is open to everybody."""

    name: str
    when: Group | None = None
    steps: tuple[Step, ...] = ()

    def to_data(self) -> Data:
        """As in a document."""
        data: Data = {"name": self.name}
        if self.when is not None:
            data["when"] = self.when.to_data()
        data["steps"] = [step.to_data() for step in self.steps]
        return data


@dataclass(frozen=True, slots=True)
class BranchStep:
    """Fork: the first lane that matches, or every one; `otherwise` where none does."""

    key: str
    mode: BranchMode = "first_match"
    lanes: tuple[Lane, ...] = ()
    otherwise: tuple[Step, ...] = ()
    disabled: bool = False

    def to_data(self) -> Data:
        """As in a document."""
        branch: Data = {"mode": self.mode, "lanes": [lane.to_data() for lane in self.lanes]}
        if self.otherwise:
            branch["otherwise"] = [step.to_data() for step in self.otherwise]
        data: Data = {"key": self.key, "branch": branch}
        return data | ({"disabled": True} if self.disabled else {})


Step: TypeAlias = ActionStep | WaitStep | BranchStep


def _tail(step: ActionStep | WaitStep) -> Data:
    data: Data = {"on_date_change": step.on_date_change} if step.on_date_change else {}
    return data | ({"disabled": True} if step.disabled else {})


@dataclass(frozen=True, slots=True)
class WorkflowDocument:
    """One workflow, whole. Made by `parse_document` and `load_document`."""

    key: str
    name: str = ""
    description: str = ""
    category: str = ""
    owner: str = ""
    trigger: TriggerSpec = field(default_factory=TriggerSpec)
    conditions: Group | None = None
    limits: Limits | None = None
    steps: tuple[Step, ...] = ()
    format: str = FORMAT

    def to_data(self) -> Data:
        """The document as plain data, in the order that people read it. Parsing it gives `self`."""
        data: Data = {"format": self.format, "key": self.key, "name": self.name}
        for name in ("description", "category", "owner"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        if self.trigger.type or self.trigger.params:
            data["trigger"] = self.trigger.to_data()
        if self.conditions is not None:
            data["conditions"] = self.conditions.to_data()
        if self.limits is not None:
            data["limits"] = self.limits.to_data()
        data["steps"] = [step.to_data() for step in self.steps]
        return data

    def walk(self) -> Iterator[tuple[str, Step]]:
        """Every step with its path, in reading order, lanes and outcomes included."""
        yield from walk_steps(self.steps, "steps")

    def walk_conditions(self) -> Iterator[tuple[str, Group]]:
        """Every condition of the document with its path: its own, of steps, and of lanes."""
        if self.conditions is not None:
            yield "conditions", self.conditions
        for path, step in self.walk():
            if isinstance(step, ActionStep) and step.when is not None:
                yield f"{path}.when", step.when
            elif isinstance(step, BranchStep):
                for index, lane in enumerate(step.lanes):
                    if lane.when is not None:
                        yield f"{path}.branch.lanes[{index}].when", lane.when

    def step(self, key: str) -> Step | None:
        """The step of that key, wherever it stands."""
        return next((step for _, step in self.walk() if step.key == key), None)


def inner_steps(step: Step, path: str) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The lists of steps inside a step, with their paths."""
    if isinstance(step, ActionStep):
        for name, steps in step.outcomes.items():
            yield f"{path}.outcomes.{name}", steps
    elif isinstance(step, BranchStep):
        for index, lane in enumerate(step.lanes):
            yield f"{path}.branch.lanes[{index}].steps", lane.steps
        yield f"{path}.branch.otherwise", step.otherwise


def walk_steps(steps: tuple[Step, ...], path: str) -> Iterator[tuple[str, Step]]:
    """`steps` and everything inside them, with paths, in reading order."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        yield here, step
        for inner_path, inner in inner_steps(step, here):
            yield from walk_steps(inner, inner_path)
