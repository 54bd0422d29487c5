"""A workflow to read and to print: its steps as a numbered list, with lanes inside. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.conditions.describe import describe_group
from workflows.designer.steps import LANE_WORDS
from workflows.document.describe import describe_wait
from workflows.document.shape import ActionStep, BranchStep, Step, WaitStep, WorkflowDocument
from workflows.document.validate import Vocabulary

_LETTERS = "abcdefghijklmnop"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLane:
    """One way after a step: its name, for whom, and what is done on it."""

    label: str
    who: str
    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """One step in words. ``kind`` is action, wait or branch."""

    number: str
    kind: str
    title: str
    words: str = ""
    who: str = ""
    destructive: bool = False
    disabled: bool = False
    lanes: tuple[PlanLane, ...] = ()


def plan_of(document: WorkflowDocument, vocabulary: Vocabulary) -> tuple[PlanStep, ...]:
    """Every step in order."""
    return _steps(document.steps, "", vocabulary)


def _steps(steps: tuple[Step, ...], prefix: str, vocabulary: Vocabulary) -> tuple[PlanStep, ...]:
    return tuple(
        _step(step, f"{prefix}{number}", vocabulary) for number, step in enumerate(steps, start=1)
    )


def _step(step: Step, number: str, vocabulary: Vocabulary) -> PlanStep:
    if isinstance(step, WaitStep):
        words = describe_wait(step)
        return PlanStep(
            number=number, kind="wait", title=words.capitalize(), disabled=step.disabled
        )
    if isinstance(step, BranchStep):
        return _branch(step, number, vocabulary)
    return _action(step, number, vocabulary)


def _branch(step: BranchStep, number: str, vocabulary: Vocabulary) -> PlanStep:
    first = step.mode == "first_match"
    lanes = [
        PlanLane(
            label=lane.name or f"Lane {index + 1}",
            who=describe_group(lane.when, vocabulary.field_types) if lane.when else "everybody",
            steps=_steps(lane.steps, f"{number}{_LETTERS[index % 16]}.", vocabulary),
        )
        for index, lane in enumerate(step.lanes)
    ]
    otherwise = _steps(step.otherwise, f"{number}z.", vocabulary)
    lanes.append(PlanLane(label="Otherwise", who="", steps=otherwise))
    return PlanStep(
        number=number,
        kind="branch",
        title="Take the first lane that fits" if first else "Take every lane that fits",
        disabled=step.disabled,
        lanes=tuple(lanes),
    )


def _action(step: ActionStep, number: str, vocabulary: Vocabulary) -> PlanStep:
    entry = vocabulary.action(step.action)
    title = entry.label if entry else f"{step.action} (not supported here)"
    words = entry.sentence(dict(step.params)) if entry else ""
    same = words.casefold() == title.casefold()
    return PlanStep(
        number=number,
        kind="action",
        title=title,
        words="" if same else f"{words[:1].upper()}{words[1:]}",
        who=describe_group(step.when, vocabulary.field_types) if step.when is not None else "",
        destructive=bool(entry and entry.destructive),
        disabled=step.disabled,
        lanes=tuple(
            PlanLane(
                label=LANE_WORDS.get(name, name.capitalize()),
                who="",
                steps=_steps(steps, f"{number}.", vocabulary),
            )
            for name, steps in step.outcomes.items()
        ),
    )
