"""What changed between two versions of a document, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workflows.conditions.describe import describe_group
from workflows.conditions.tree import Group
from workflows.document.describe import describe_wait
from workflows.document.shape import (
    ActionStep,
    BranchStep,
    Step,
    TriggerSpec,
    WaitStep,
    WorkflowDocument,
    inner_steps,
)
from workflows.document.timing import COMMON_PARAMS, own_params
from workflows.document.validate import Vocabulary
from workflows.fields import NO_TYPES
from workflows.problems import shown


def diff_documents(
    old: WorkflowDocument, new: WorkflowDocument, vocabulary: Vocabulary | None = None
) -> list[str]:
    """One line per change; [] exactly where the documents are equal.

    With a ``vocabulary`` the lines are for people: names instead of keys, steps by number and
    label. Without one they are for a shell: keys as the document has them.
    """
    words = _Words(vocabulary)
    lines = list(_head(old, new, words)) + list(_steps(old, new, words))
    if not lines and old != new:
        lines.append("Details of steps changed.")
    return lines


@dataclass(frozen=True, slots=True)
class _Words:
    """How things are called: by their keys, or by what people call them."""

    vocabulary: Vocabulary | None

    def trigger(self, kind: str) -> str:
        entry = self.vocabulary.trigger(kind) if self.vocabulary and kind else None
        return entry.label if entry else kind

    def title(self, step: Step) -> str:
        if isinstance(step, WaitStep):
            return describe_wait(step)
        if isinstance(step, BranchStep):
            return "branch"
        entry = self.vocabulary.action(step.action) if self.vocabulary else None
        return entry.label if entry else step.action

    def step(self, step: Step, number: str) -> str:
        """As “Step revoke” for a shell, “Step 2 (Revoke app access)” for people."""
        if self.vocabulary is None:
            return f"Step {step.key}"
        title = "Wait" if isinstance(step, WaitStep) else self.title(step)
        return f"Step {number} ({title})"

    def trigger_params(self, spec: TriggerSpec) -> dict[str, Any]:
        entry = self.vocabulary.trigger(spec.type) if self.vocabulary and spec.type else None
        if entry is None:
            return spec.params
        common = {name: spec.params[name] for name in COMMON_PARAMS if name in spec.params}
        return common | entry.worded(own_params(spec.params))

    def params(self, step: ActionStep) -> dict[str, Any]:
        entry = self.vocabulary.action(step.action) if self.vocabulary else None
        return entry.worded(dict(step.params)) if entry else step.params

    def group(self, group: Group | None) -> str:
        types = self.vocabulary.field_types if self.vocabulary else NO_TYPES
        return describe_group(group, types) if group is not None else "everybody"


def _head(old: WorkflowDocument, new: WorkflowDocument, words: _Words) -> Iterator[str]:
    for name in ("key", "name", "description", "category", "owner"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{name.capitalize()}: {_word(before)} → {_word(after)}"
    if old.trigger.type != new.trigger.type:
        before, after = words.trigger(old.trigger.type), words.trigger(new.trigger.type)
        yield f"Starts on: {_word(before)} → {_word(after)}"
    yield from _values("When", words.trigger_params(old.trigger), words.trigger_params(new.trigger))
    if old.conditions != new.conditions:
        yield f"Only if: {words.group(old.conditions)} → {words.group(new.conditions)}"
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


def _places(document: WorkflowDocument) -> dict[str, tuple[str, str, Step]]:
    """Step key → the list it stands in, named by the keys around it; its number; the step."""
    places: dict[str, tuple[str, str, Step]] = {}

    def visit(steps: tuple[Step, ...], place: str, prefix: str) -> None:
        for index, step in enumerate(steps, start=1):
            number = f"{prefix}{index}"
            places[step.key] = (place, number, step)
            for inner_place, inner in inner_steps(step, step.key):
                visit(inner, inner_place, f"{number}{_letter(inner_place)}.")

    visit(document.steps, "", "")
    return places


def _letter(place: str) -> str:
    """Lanes of a branch are numbered as the editor numbers them: 2a.1, 2b.1, 2z.1."""
    lane = place.partition("lanes[")[2].partition("]")[0]
    if lane.isdecimal():
        return "abcdefghijklmnop"[int(lane) % 16]
    return "z" if place.endswith("otherwise") else ""


def _steps(old: WorkflowDocument, new: WorkflowDocument, words: _Words) -> Iterator[str]:
    before, after = _places(old), _places(new)
    for key, (_, number, step) in before.items():
        if key not in after:
            yield _named("removed", step, number, words)
    for key, (_, number, step) in after.items():
        if key not in before:
            yield _named("added", step, number, words)
    kept_before = [key for key in before if key in after]
    kept_after = [key for key in after if key in before]
    for key in kept_after:
        label = words.step(after[key][2], after[key][1])
        if before[key][0] != after[key][0]:
            yield f"{label} moved to another lane"
        yield from _step(before[key][2], after[key][2], label, words)
    if kept_before != kept_after:
        order = (after[key] for key in kept_after)
        titles = kept_after if words.vocabulary is None else [words.title(row[2]) for row in order]
        yield f"Order of steps: {', '.join(titles)}"


def _named(what: str, step: Step, number: str, words: _Words) -> str:
    if words.vocabulary is None:
        return f"Step {step.key} {what} ({words.title(step)})"
    return f"Step {number} {what}: {words.title(step)}"


def _step(old: Step, new: Step, label: str, words: _Words) -> Iterator[str]:
    if old.disabled != new.disabled:
        yield f"{label} switched {'off' if new.disabled else 'on'}"
    if type(old) is not type(new):
        yield f"{label}: {words.title(old)} → {words.title(new)}"
    elif isinstance(old, ActionStep) and isinstance(new, ActionStep):
        yield from _action(old, new, label, words)
    elif isinstance(old, WaitStep) and isinstance(new, WaitStep):
        if old.wait != new.wait:
            yield f"{label}: {describe_wait(old)} → {describe_wait(new)}"
        yield from _on_date_change(old, new, label)
    elif isinstance(old, BranchStep) and isinstance(new, BranchStep):
        yield from _branch(old, new, label, words)


def _on_date_change(
    old: ActionStep | WaitStep, new: ActionStep | WaitStep, label: str
) -> Iterator[str]:
    if old.on_date_change != new.on_date_change:
        before, after = _word(old.on_date_change), _word(new.on_date_change)
        yield f"{label}, when the date moves: {before} → {after}"


def _action(old: ActionStep, new: ActionStep, label: str, words: _Words) -> Iterator[str]:
    if old.action != new.action:
        yield f"{label}: {_word(words.title(old))} → {_word(words.title(new))}"
    yield from _values(label, words.params(old), words.params(new))
    if old.when != new.when:
        yield f"{label}, only if: {words.group(old.when)} → {words.group(new.when)}"
    if old.on_error != new.on_error:
        yield f"{label}, on an error: {old.on_error} → {new.on_error}"
    yield from _on_date_change(old, new, label)
    if list(old.outcomes) != list(new.outcomes):
        before, after = _word(list(old.outcomes)), _word(list(new.outcomes))
        yield f"{label}, outcomes: {before} → {after}"


def _branch(old: BranchStep, new: BranchStep, label: str, words: _Words) -> Iterator[str]:
    if old.mode != new.mode:
        yield f"{label}: {old.mode.replace('_', ' ')} → {new.mode.replace('_', ' ')}"
    before = [lane.name for lane in old.lanes]
    after = [lane.name for lane in new.lanes]
    if before != after:
        yield f"{label}, lanes: {_word(before)} → {_word(after)}"
    for lane_before, lane_after in zip(old.lanes, new.lanes, strict=False):
        if lane_before.when != lane_after.when:
            before_when, after_when = words.group(lane_before.when), words.group(lane_after.when)
            yield f"{label}, lane {lane_after.name}: {before_when} → {after_when}"
