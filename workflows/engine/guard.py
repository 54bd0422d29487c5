"""Looked at again right before every step: is it still right to go on?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from people.choices import PersonStatus
from workflows.conditions.evaluate import Truth
from workflows.document.shape import ActionStep, WaitStep
from workflows.engine.planner import PlannedWorkflow, condition_trace, conditions_hold, facts_on
from workflows.models import Run, Workflow
from workflows.nodes import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from workflows.document.shape import Step
    from workflows.nodes import PlannedPerson


class Ruling(StrEnum):
    """How a run goes on."""

    GO = "go"
    PAUSE = "pause"
    HOLD = "hold"
    CANCEL = "cancel"
    SUPERSEDE = "supersede"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """The ruling, why, and the anchor's new value where the date has moved."""

    ruling: Ruling
    reason: str = ""
    moved_to: str | None = None


GO = Guarded(ruling=Ruling.GO)
REMOVED = "removed"
"""What stands in ``Run.moved_to`` when the date is gone."""


def guard(
    run: Run,
    workflow: PlannedWorkflow,
    person: PlannedPerson,
    step: Step,
    *,
    today: date,
    effects_begun: bool,
) -> Guarded:
    """Judge whether ``step`` of ``run`` may still happen. ``today`` is the person's date."""
    status = run.workflow.status
    if status == Workflow.Status.PAUSED:
        return Guarded(ruling=Ruling.PAUSE, reason="The workflow is paused.")
    if status == Workflow.Status.ARCHIVED:
        return Guarded(ruling=Ruling.CANCEL, reason="The workflow was archived.")
    moved = _moved(run, workflow, person)
    if moved is not None and (moved or REMOVED) != run.moved_to:
        return _date_ruling(run, step, moved, effects_begun=effects_begun)
    facts = current_facts(run, person, today=today)
    truth = conditions_hold(workflow.document, facts, today)
    if truth is not Truth.TRUE:
        found = condition_trace(workflow.document, facts, today)
        why = "; ".join(found.reasons()) if found else ""
        return Guarded(ruling=Ruling.CANCEL, reason=f"No longer matches: {why}")
    if person.protected and _is_destructive(step):
        return Guarded(
            ruling=Ruling.HOLD,
            reason="The person is protected from automation; release it by hand if it is meant.",
        )
    return GO


def current_facts(run: Run, person: PlannedPerson, *, today: date) -> dict[str, Any]:
    """The person's facts now. What the run itself changes (applications) stays as decided."""
    facts: dict[str, Any] = {**facts_on(person.facts, today), **run.change}
    decided: Mapping[str, Any] = run.snapshot
    if "person.apps" in decided:
        facts["person.apps"] = decided["person.apps"]
    return facts


def _moved(run: Run, workflow: PlannedWorkflow, person: PlannedPerson) -> str | None:
    """The anchor's present value where it differs from the run's; ``""`` when it is gone."""
    trigger = workflow.trigger
    if trigger is None or not trigger.follows_date or run.trigger != trigger.key:
        return None
    present = trigger.current_anchor(workflow.document.trigger.params, person) or ""
    return present if present != run.anchor else None


def _date_ruling(run: Run, step: Step, moved: str, *, effects_begun: bool) -> Guarded:
    policy = step.on_date_change if isinstance(step, ActionStep | WaitStep) else None
    if policy is None:
        policy = "keep" if effects_begun and moved else "replan" if moved else "cancel"
    moved_to = moved or REMOVED
    words = f"The date moved from {run.anchor} to {moved}." if moved else "The date was removed."
    if policy == "keep":
        return Guarded(ruling=Ruling.GO, reason=words, moved_to=moved_to)
    if policy == "ask":
        return Guarded(ruling=Ruling.HOLD, reason=f"{words} A person decides.", moved_to=moved_to)
    if policy == "replan" and moved:
        return Guarded(ruling=Ruling.SUPERSEDE, reason=words, moved_to=moved_to)
    return Guarded(ruling=Ruling.CANCEL, reason=words, moved_to=moved_to)


def _is_destructive(step: Step) -> bool:
    if not isinstance(step, ActionStep):
        return False
    action = ACTIONS.get(step.action)
    return action is not None and action.destructive


def has_left(facts: Mapping[str, Any]) -> bool:
    """Whether the person has left by these facts."""
    return facts.get("person.status") == PersonStatus.ENDED
