"""A whole workflow as one plain English sentence."""

from __future__ import annotations

from workflows.conditions.describe import describe_group, lower_first
from workflows.document.shape import (
    ActionStep,
    BranchStep,
    Step,
    TriggerSpec,
    WaitFor,
    WaitStep,
    WorkflowDocument,
)
from workflows.document.timing import offset_words
from workflows.document.validate import Vocabulary
from workflows.fields import FIELDS


def describe_document(document: WorkflowDocument, vocabulary: Vocabulary) -> str:
    """`On the end date at 18:00 …, if worker type is Contractor, revoke …, then notify ….`"""
    parts = [describe_trigger(document.trigger, vocabulary)]
    if document.conditions is not None:
        parts.append(f"if {describe_group(document.conditions, vocabulary.field_types)}")
    parts.append(describe_steps(document.steps, vocabulary))
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def describe_trigger(trigger: TriggerSpec, vocabulary: Vocabulary) -> str:
    """When it starts, in words."""
    entry = vocabulary.trigger(trigger.type) if trigger.type else None
    if entry is None:
        return f"on {trigger.type} (not supported)" if trigger.type else "at a moment to be chosen"
    return entry.sentence(dict(trigger.params))


def describe_steps(steps: tuple[Step, ...], vocabulary: Vocabulary) -> str:
    """`a, b, then c`; steps that are switched off are passed over."""
    words = [describe_step(step, vocabulary) for step in steps if not step.disabled]
    if not words:
        return "do nothing"
    return ", then ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def describe_step(step: Step, vocabulary: Vocabulary) -> str:
    """One step in words, with what is inside it."""
    if isinstance(step, WaitStep):
        return describe_wait(step)
    if isinstance(step, BranchStep):
        return _branch(step, vocabulary)
    return _action(step, vocabulary)


def describe_wait(step: WaitStep) -> str:
    """`wait 2 days`, `wait until 1 day after the end date at 09:00`."""
    wait = step.wait
    if isinstance(wait, WaitFor):
        return f"wait {wait.days} {'day' if wait.days == 1 else 'days'}"
    spec = FIELDS.get(wait.anchor)
    anchor = f"the {lower_first(spec.label)}" if spec else wait.anchor or "a date to be chosen"
    words = offset_words(wait.direction, wait.days, anchor).removeprefix("on ")
    return f"wait until {words} at {wait.at}"


def _action(step: ActionStep, vocabulary: Vocabulary) -> str:
    entry = vocabulary.action(step.action)
    if entry is None:
        text = f"{step.action} (not supported)" if step.action else "do something to be chosen"
    else:
        text = lower_first(entry.sentence(dict(step.params)))
    if step.when is not None:
        text += f" (only if {describe_group(step.when, vocabulary.field_types)})"
    if step.outcomes:
        lanes = (
            f"if {name}: {describe_steps(steps, vocabulary)}"
            for name, steps in step.outcomes.items()
        )
        text += f" ({'; '.join(lanes)})"
    return text


def _branch(step: BranchStep, vocabulary: Vocabulary) -> str:
    lanes = []
    for lane in step.lanes:
        when = lane.when
        who = describe_group(when, vocabulary.field_types) if when is not None else "in any case"
        lanes.append(f"if {who}: {describe_steps(lane.steps, vocabulary)}")
    if step.otherwise:
        lanes.append(f"otherwise: {describe_steps(step.otherwise, vocabulary)}")
    rule = "the first that applies" if step.mode == "first_match" else "all that apply"
    return f"do {rule} of ({'; '.join(lanes)})"
