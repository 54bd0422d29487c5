"""What changed between two versions of a document, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflows.conditions.describe import describe_group
from workflows.conditions.tree import Group
from workflows.document.describe import describe_wait
from workflows.document.shape import (
    ActionStep,
    BranchStep,
    Step,
    WaitStep,
    WorkflowDocument,
    inner_steps,
)
from workflows.problems import shown


def diff_documents(old: WorkflowDocument, new: WorkflowDocument) -> list[str]:
    """One line per change; [] exactly where the documents are equal."""
    lines = list(_head(old, new)) + list(_steps(old, new))
    if not lines and old != new:
        lines.append("Details of steps changed.")
    return lines


def _head(old: WorkflowDocument, new: WorkflowDocument) -> Iterator[str]:
    for name in ("key", "name", "description", "category", "owner"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{name.capitalize()}: {_word(before)} → {_word(after)}"
    if old.trigger.type != new.trigger.type:
        yield f"Starts on: {_word(old.trigger.type)} → {_word(new.trigger.type)}"
    yield from _values("When", old.trigger.params, new.trigger.params)
    if old.conditions != new.conditions:
        yield f"Only if: {_group(old.conditions)} → {_group(new.conditions)}"
    if old.limits != new.limits:
        before = old.limits.to_data() if old.limits else {}
        after = new.limits.to_data() if new.limits else {}
        changes = list(_values("Limit", before, after))
        yield from changes or ["Limit: the workspace default is named instead of assumed"]


def _word(value: object) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(str(item) for item in value)
    return value if isinstance(value, str) and len(value) <= 80 else shown(value)


def _group(group: Group | None) -> str:
    return describe_group(group) if group is not None else "everybody"


def _values(label: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Changes between two mappings, inner mappings by their path."""
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if before == after and type(before) is type(after) and (key in old) is (key in new):
            continue
        name = f"{label}, {str(key).replace('_', ' ')}"
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _values(name, before, after)
        else:
            yield f"{name}: {_word(before)} → {_word(after)}"


def _places(document: WorkflowDocument) -> dict[str, tuple[str, Step]]:
    """Step key → the list it stands in, named by the keys around it, and the step."""
    places: dict[str, tuple[str, Step]] = {}

    def visit(steps: tuple[Step, ...], place: str) -> None:
        for step in steps:
            places[step.key] = (place, step)
            for inner_place, inner in inner_steps(step, step.key):
                visit(inner, inner_place)

    visit(document.steps, "")
    return places


def _steps(old: WorkflowDocument, new: WorkflowDocument) -> Iterator[str]:
    before, after = _places(old), _places(new)
    for key, (_, step) in before.items():
        if key not in after:
            yield f"Step {key} removed ({_title(step)})"
    for key, (_, step) in after.items():
        if key not in before:
            yield f"Step {key} added ({_title(step)})"
    kept_before = [key for key in before if key in after]
    kept_after = [key for key in after if key in before]
    for key in kept_after:
        if before[key][0] != after[key][0]:
            yield f"Step {key} moved to another lane"
        yield from _step(before[key][1], after[key][1])
    if kept_before != kept_after:
        yield f"Order of steps: {', '.join(kept_after)}"


def _title(step: Step) -> str:
    if isinstance(step, ActionStep):
        return step.action
    return describe_wait(step) if isinstance(step, WaitStep) else "branch"


def _step(old: Step, new: Step) -> Iterator[str]:
    label = f"Step {new.key}"
    if old.disabled != new.disabled:
        yield f"{label} switched {'off' if new.disabled else 'on'}"
    if type(old) is not type(new):
        yield f"{label}: {_title(old)} → {_title(new)}"
    elif isinstance(old, ActionStep) and isinstance(new, ActionStep):
        yield from _action(old, new, label)
    elif isinstance(old, WaitStep) and isinstance(new, WaitStep):
        if old.wait != new.wait:
            yield f"{label}: {describe_wait(old)} → {describe_wait(new)}"
        yield from _on_date_change(old, new, label)
    elif isinstance(old, BranchStep) and isinstance(new, BranchStep):
        yield from _branch(old, new, label)


def _on_date_change(
    old: ActionStep | WaitStep, new: ActionStep | WaitStep, label: str
) -> Iterator[str]:
    if old.on_date_change != new.on_date_change:
        before, after = _word(old.on_date_change), _word(new.on_date_change)
        yield f"{label}, when the date moves: {before} → {after}"


def _action(old: ActionStep, new: ActionStep, label: str) -> Iterator[str]:
    if old.action != new.action:
        yield f"{label}: {_word(old.action)} → {_word(new.action)}"
    yield from _values(label, old.params, new.params)
    if old.when != new.when:
        yield f"{label}, only if: {_group(old.when)} → {_group(new.when)}"
    if old.on_error != new.on_error:
        yield f"{label}, on an error: {old.on_error} → {new.on_error}"
    yield from _on_date_change(old, new, label)
    if list(old.outcomes) != list(new.outcomes):
        before, after = _word(list(old.outcomes)), _word(list(new.outcomes))
        yield f"{label}, outcomes: {before} → {after}"


def _branch(old: BranchStep, new: BranchStep, label: str) -> Iterator[str]:
    if old.mode != new.mode:
        yield f"{label}: {old.mode.replace('_', ' ')} → {new.mode.replace('_', ' ')}"
    before = [lane.name for lane in old.lanes]
    after = [lane.name for lane in new.lanes]
    if before != after:
        yield f"{label}, lanes: {_word(before)} → {_word(after)}"
    for lane_before, lane_after in zip(old.lanes, new.lanes, strict=False):
        if lane_before.when != lane_after.when:
            words = f"{_group(lane_before.when)} → {_group(lane_after.when)}"
            yield f"{label}, lane {lane_after.name}: {words}"
