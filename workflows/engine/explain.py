"""Why a workflow ran for somebody, will run, or does not: the whole ladder, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from people.models import Person
from workflows.conditions.evaluate import Truth
from workflows.engine.outlook import HORIZON, judgements
from workflows.engine.planner import (
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_trace,
    conditions_hold,
    facts_at,
    facts_on,
)
from workflows.engine.world import load_happenings, load_world, planned_draft, planned_version
from workflows.models import Run, Workflow

_TRUTH = {Truth.TRUE: True, Truth.FALSE: False, Truth.UNKNOWN: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One check of the ladder; ``passed`` is ``None`` where it cannot be told."""

    check: str
    passed: bool | None
    detail: str

    def to_data(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {"check": self.check, "passed": self.passed, "detail": self.detail}


def explain(workflow: Workflow, person: Person, *, now: datetime) -> dict[str, Any]:
    """The ladder for one person, one workflow and one moment.

    ``result`` is ``ran``, ``running``, ``will_run``, ``due``, ``held``, ``not_matched``,
    ``cannot_tell`` or ``never``.
    """
    version = workflow.live_version
    planned = planned_version(version) if version else planned_draft(workflow, now=now)
    world = load_world(happenings=load_happenings(), person_ids=[person.pk])
    view = world.people[person.pk]
    live = workflow.status == Workflow.Status.LIVE
    rungs = [Rung(check="workflow is live", passed=live, detail=_status_words(workflow))]
    trigger = planned.trigger
    rungs.append(
        Rung(
            check="trigger is known",
            passed=trigger is not None,
            detail=trigger.sentence(planned.document.trigger.params)
            if trigger is not None
            else f"This installation does not know {planned.document.trigger.type}.",
        )
    )
    found = sorted(
        judgements(planned, world, now=now, ahead=HORIZON),
        key=lambda judged: abs((judged.occurrence.due_at - now).total_seconds()),
    )
    runs = list(Run.objects.filter(workflow=workflow, person=person).order_by("-due_at"))
    judged = found[0] if found else None
    rungs.append(_moment_rung(judged, now=now))
    if judged is not None:
        rungs += _start_rungs(judged)
    facts = (
        facts_at(judged.occurrence, view)
        if judged
        else facts_on(view.facts, now.astimezone(ZoneInfo(view.timezone)).date())
    )
    today = now.astimezone(ZoneInfo(view.timezone)).date()
    truth = conditions_hold(planned.document, facts, today)
    shown = condition_trace(planned.document, facts, today)
    rungs.append(
        Rung(
            check="conditions",
            passed=_TRUTH[truth],
            detail="; ".join(shown.reasons()) if shown else "Everybody matches.",
        )
    )
    rungs.append(_ledger_rung(runs))
    return {
        "result": _result(planned, judged, truth, runs, live=live, now=now),
        "ladder": [rung.to_data() for rung in rungs],
        "conditions": shown.to_data() if shown else {},
    }


def _status_words(workflow: Workflow) -> str:
    words = f"It is {workflow.get_status_display().lower()}"
    if workflow.live_since:
        words += f", live since {workflow.live_since:%-d %b %Y %H:%M} UTC"
    return f"{words}. {workflow.status_reason}".strip()


def _moment_rung(judged: Judgement | None, *, now: datetime) -> Rung:
    if judged is None:
        return Rung(
            check="there is a moment",
            passed=False,
            detail="Nothing sets it off: the date is missing, far off or long past.",
        )
    occurrence = judged.occurrence
    local = occurrence.due_at.astimezone(ZoneInfo(occurrence.timezone))
    side = "was" if occurrence.due_at <= now else "is"
    return Rung(
        check="there is a moment",
        passed=True,
        detail=f"It {side} due on {local:%-d %b %Y at %H:%M} ({occurrence.timezone}), "
        f"for {occurrence.anchor}.",
    )


def _start_rungs(judged: Judgement) -> list[Rung]:
    cold = judged.verdict in (Verdict.BEFORE_LIVE, Verdict.BASELINE)
    left = judged.verdict is Verdict.LEFT
    late = judged.verdict in (Verdict.HOLD, Verdict.SKIP_LATE)
    return [
        Rung(
            check="the moment lies after going live and after the first import",
            passed=not cold,
            detail=judged.reason if cold else "Yes.",
        ),
        Rung(
            check="the person is still here then",
            passed=not left,
            detail=judged.reason if left else "Yes.",
        ),
        Rung(
            check="the moment is not too long ago",
            passed=not late,
            detail=judged.reason if late else "In time.",
        ),
    ]


def _ledger_rung(runs: list[Run]) -> Rung:
    if not runs:
        return Rung(check="it has not run yet", passed=True, detail="No run for this person.")
    words = "; ".join(
        f"run {run.pk} for {run.anchor}: {run.get_status_display().lower()}"
        + (f" ({run.reason})" if run.reason else "")
        for run in runs[:5]
    )
    return Rung(check="it has not run yet", passed=False, detail=words)


def _result(
    planned: PlannedWorkflow,
    judged: Judgement | None,
    truth: Truth,
    runs: list[Run],
    *,
    live: bool,
    now: datetime,
) -> str:
    key = judged.key if judged else ""
    matching = next((run for run in runs if run.key == key), None)
    if matching is None and (judged is None or judged.verdict is not Verdict.RUN):
        matching = runs[0] if runs else None
    if matching is not None:
        return {Run.Status.HELD: "held"}.get(
            Run.Status(matching.status),
            "ran" if matching.status in Run.ENDED else "running",
        )
    if truth is Truth.FALSE:
        return "not_matched"
    if truth is Truth.UNKNOWN:
        return "cannot_tell"
    if judged is None or not live or judged.verdict is not Verdict.RUN:
        return "never"
    return "due" if judged.occurrence.due_at <= now else "will_run"
