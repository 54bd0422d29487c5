"""Looked at again right before every step: is it still right to go on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from workflows.conditions.evaluate import Truth
from workflows.document.shape import ActionStep, WaitStep
from workflows.engine.planner import PlannedWorkflow, condition_trace, conditions_hold, facts_on
from workflows.models import Run, Workflow
from workflows.nodes import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflows.document.shape import Step
    from workflows.nodes import PlannedPerson


class Ruling(StrEnum):
    """How a run goes on."""

    GO = "go"
    PAUSE = "pause"
    HOLD = "hold"
    PROTECT = "protect"
    STALE = "stale"
    CANCEL = "cancel"
    SUPERSEDE = "supersede"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """The ruling, why, and the anchor's new value where the date has moved.

    ``ask_hr``: something that cannot be taken back was done for the old date, so that people get a
    task.
    """

    ruling: Ruling
    reason: str = ""
    moved_to: str | None = None
    ask_hr: bool = False


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
    irreversible: bool = False,
    directory: str = "",
) -> Guarded:
    """Judge whether ``step`` of ``run`` may still happen. ``today`` is the person's date.

    ``irreversible``: a step that cannot be taken back is done. ``directory``: why the directory
    cannot be trusted now, else empty.
    """
    status = run.workflow.status
    takes_back = run.undoes_id is not None
    if status == Workflow.Status.PAUSED and not takes_back:
        return Guarded(ruling=Ruling.PAUSE, reason="The workflow is paused.")
    if status == Workflow.Status.ARCHIVED and not takes_back:
        return Guarded(ruling=Ruling.CANCEL, reason="The workflow was archived.")
    moved = moved_anchor(run, workflow, person)
    if moved is not None and (moved or REMOVED) != run.moved_to:
        return _date_ruling(
            run, step, moved, effects_begun=effects_begun, irreversible=irreversible
        )
    facts = current_facts(run, person, today=today)
    truth = conditions_hold(workflow.document, facts, today)
    if truth is not Truth.TRUE:
        found = condition_trace(workflow.document, facts, today)
        why = "; ".join(found.reasons()) if found else ""
        return Guarded(ruling=Ruling.CANCEL, reason=f"No longer matches: {why}")
    if not is_destructive(step):
        return GO
    if directory:
        return Guarded(ruling=Ruling.STALE, reason=directory)
    if person.protected and not run.protection_released_by:
        return Guarded(
            ruling=Ruling.PROTECT,
            reason=f"{person.label} is protected from automation; a second person has to name "
            "and release them before anything is taken away.",
        )
    return GO


def current_facts(run: Run, person: PlannedPerson, *, today: date) -> dict[str, Any]:
    """The person's facts now. What the run itself changes (applications) stays as decided."""
    facts: dict[str, Any] = {**facts_on(person.facts, today), **run.change}
    decided: Mapping[str, Any] = run.snapshot
    if "person.apps" in decided:
        facts["person.apps"] = decided["person.apps"]
    return facts


def moved_anchor(run: Run, workflow: PlannedWorkflow, person: PlannedPerson) -> str | None:
    """The anchor's present value where it differs from the run's; ``""`` when it is gone."""
    trigger = workflow.trigger
    if trigger is None or not trigger.follows_date or run.trigger != trigger.key:
        return None
    present = trigger.current_anchor(workflow.document.trigger.params, person) or ""
    return present if present != run.anchor else None


def _date_ruling(
    run: Run, step: Step, moved: str, *, effects_begun: bool, irreversible: bool
) -> Guarded:
    chosen = step.on_date_change if isinstance(step, ActionStep | WaitStep) else None
    policy = chosen or ("keep" if effects_begun and moved else "replan" if moved else "cancel")
    moved_to = moved or REMOVED
    words = (
        f"The date moved from {_day(run.anchor)} to {_day(moved)}."
        if moved
        else f"The date {_day(run.anchor)} was removed."
    )
    if policy == "keep":
        # Who chose to keep has decided; who chose nothing hears of it.
        ask_hr = irreversible and chosen is None
        return Guarded(ruling=Ruling.GO, reason=words, moved_to=moved_to, ask_hr=ask_hr)
    if policy == "ask":
        return Guarded(
            ruling=Ruling.HOLD,
            reason=f"{words} A person decides.",
            moved_to=moved_to,
            ask_hr=irreversible,
        )
    if policy == "replan" and moved:
        if irreversible:
            reason = (
                f"{words} What was done for the old date cannot be taken back, so it is not "
                "planned again by itself. A person decides."
            )
            return Guarded(ruling=Ruling.HOLD, reason=reason, moved_to=moved_to, ask_hr=True)
        return Guarded(ruling=Ruling.SUPERSEDE, reason=words, moved_to=moved_to)
    if moved:
        words += " The workflow says to cancel then; nothing is planned for the new date."
    return Guarded(ruling=Ruling.CANCEL, reason=words, moved_to=moved_to, ask_hr=irreversible)


def _day(anchor: str) -> str:
    """An anchor's date in words; other anchors as they are."""
    try:
        return f"{date.fromisoformat(anchor):%-d %b %Y}"
    except ValueError:
        return anchor


def is_destructive(step: Step) -> bool:
    """Whether the step takes something away."""
    if not isinstance(step, ActionStep):
        return False
    action = ACTIONS.get(step.action)
    return action is not None and action.destructive
