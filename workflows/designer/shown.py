"""The shape of what the page shows of a draft: cards, lanes, the whole."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.designer.conditions import ConditionsCard
from workflows.designer.controls import Choice, Control, Link
from workflows.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCard:
    """A list of steps inside a step, with who takes it."""

    place: str
    label: str
    steps: tuple[StepCard, ...]
    kind: str
    name: Control | None = None
    when: ConditionsCard | None = None
    errors: tuple[Problem, ...] = ()
    index: int = 0
    last: bool = False

    @property
    def id(self) -> str:
        """Its id on the page."""
        return f"lane-{self.place.replace('/', '-')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCard:
    """One step."""

    key: str
    place: str
    number: str
    index: int
    count: int
    kind: str
    icon: str
    title: str
    sentence: str
    detail: str = ""
    destructive: bool = False
    reversible: str = ""
    disabled: bool = False
    controls: tuple[Control, ...] = ()
    options: tuple[Control, ...] = ()
    when: ConditionsCard | None = None
    errors: tuple[Problem, ...] = ()
    wrong: int = 0
    strange: tuple[str, ...] = ()
    places: tuple[Choice, ...] = ()
    lanes: tuple[LaneCard, ...] = ()
    outcomes_left: tuple[Choice, ...] = ()

    @property
    def id(self) -> str:
        """Its id on the page."""
        return f"step-{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The whole editor."""

    about: tuple[Control, ...]
    limits: tuple[Control, ...]
    triggers: tuple[tuple[str, tuple[Choice, ...]], ...]
    trigger_sentence: str
    trigger_params: tuple[Control, ...]
    timing: dict[str, Control]
    trigger_errors: tuple[Problem, ...]
    conditions: ConditionsCard
    steps: tuple[StepCard, ...]
    steps_errors: tuple[Problem, ...]
    problems: tuple[Link, ...]

    @property
    def errors(self) -> int:
        """How many problems stand between the draft and publishing."""
        return sum(link.problem.level == "error" for link in self.problems)
