"""Which step comes next: pure, from the document and what became of its steps so far.

A run holds no program counter. Where it stands follows from its step rows, so that any worker can
go on from any crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflows.document.shape import ActionStep, BranchStep, Step
from workflows.models import StepRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflows.document.shape import WorkflowDocument

OTHERWISE = "otherwise"
Status = StepRun.Status


@dataclass(frozen=True, slots=True)
class StepState:
    """What is known of a step that was begun."""

    status: str
    outcome: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Next:
    """This step is to be begun or gone on with."""

    step: Step
    position: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """This step failed, or nobody knows whether it happened; the run stops here."""

    step: Step
    status: str


@dataclass(frozen=True, slots=True)
class Finished:
    """No step is left. ``reason`` where a step ended the run early."""

    reason: str = ""


def next_step(
    document: WorkflowDocument, states: Mapping[str, StepState]
) -> Next | Blocked | Finished:
    """The step to do now. ``states`` maps step keys to what became of them."""
    found = _search(document.steps, states, positions(document))
    return found if found is not None else Finished()


def positions(document: WorkflowDocument) -> dict[str, int]:
    """Step key → place in reading order, from 0."""
    return {step.key: index for index, (_, step) in enumerate(document.walk())}


def _search(
    steps: Sequence[Step], states: Mapping[str, StepState], order: Mapping[str, int]
) -> Next | Blocked | Finished | None:
    for step in steps:
        if step.disabled:
            continue
        state = states.get(step.key)
        if state is None or state.status not in StepRun.SETTLED:
            if state is not None and state.status == Status.UNCERTAIN:
                if _goes_on_after_error(step):
                    continue
                return Blocked(step, state.status)
            return Next(step, order[step.key])
        if state.status == Status.FAILED and not _goes_on_after_error(step):
            return Blocked(step, state.status)
        if state.outcome.get("stop"):
            return Finished(str(state.outcome["stop"]))
        for inner in _chosen(step, state):
            found = _search(inner, states, order)
            if found is not None:
                return found
    return None


def _goes_on_after_error(step: Step) -> bool:
    return isinstance(step, ActionStep) and step.on_error == "continue"


def _chosen(step: Step, state: StepState) -> list[Sequence[Step]]:
    """The lists of steps that a settled step opened."""
    lanes = state.outcome.get("lanes")
    if not lanes or state.status != Status.DONE:
        return []
    if isinstance(step, BranchStep):
        chosen: list[Sequence[Step]] = [
            lane.steps for index, lane in enumerate(step.lanes) if str(index) in lanes
        ]
        return [*chosen, step.otherwise] if OTHERWISE in lanes else chosen
    if isinstance(step, ActionStep):
        return [step.outcomes[name] for name in lanes if name in step.outcomes]
    return []
