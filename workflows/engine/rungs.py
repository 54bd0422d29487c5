"""The rungs of the ladder: each check in words, in the order in which the engine makes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from workflows.engine.limits import reason_to_hold
from workflows.engine.planner import Judgement, PlannedWorkflow, Verdict
from workflows.models import Run, Workflow
from workflows.nodes import ACTIONS, PlannedPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One check of the ladder; ``passed`` is ``None`` where it cannot be told."""

    check: str
    passed: bool | None
    detail: str

    def to_data(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {"check": self.check, "passed": self.passed, "detail": self.detail}


def live_rung(workflow: Workflow, status: str, *, past: bool) -> Rung:
    """Whether it was live, by its status then."""
    label = Workflow.Status(status).label.lower()
    words = f"It {'was' if past else 'is'} {label}"
    if workflow.live_since:
        words += f", live since {workflow.live_since:%-d %b %Y %H:%M} UTC"
    tail = "" if past else workflow.status_reason
    return Rung(
        check="workflow is live",
        passed=status == Workflow.Status.LIVE,
        detail=f"{words}. {tail}".strip(),
    )


def trigger_rung(planned: PlannedWorkflow) -> Rung:
    """Whether the trigger is one of ours, in its own words."""
    trigger = planned.trigger
    return Rung(
        check="trigger is known",
        passed=trigger is not None,
        detail=trigger.sentence(planned.document.trigger.params)
        if trigger is not None
        else f"This installation does not know {planned.document.trigger.type}.",
    )


def known_words(view: PlannedPerson) -> str:
    """Since when the directory knows the person."""
    return f"In the directory since {view.first_seen_at:%-d %b %Y}."


HIDDEN_DAY = "a day that is hidden from your role"


def moment_rung(judged: Judgement | None, *, now: datetime, veiled: bool = False) -> Rung:
    """Whether something sets it off at all, and when; ``veiled`` leaves the day out."""
    if judged is None:
        return Rung(
            check="there is a moment",
            passed=False,
            detail="Nothing sets it off: the date is missing, far off or long past.",
        )
    if veiled:
        return Rung(check="there is a moment", passed=True, detail=f"There is, on {HIDDEN_DAY}.")
    side = "was" if judged.occurrence.due_at <= now else "is"
    anchor = anchor_words(judged.occurrence.anchor)
    return Rung(
        check="there is a moment",
        passed=True,
        detail=f"It {side} due on {moment_words(judged)}, for {anchor}.",
    )


def moment_words(judged: Judgement) -> str:
    """The due moment in the occurrence's own zone: “3 May 2026 at 18:00 (Europe/Paris)”."""
    zone = judged.occurrence.timezone
    local = judged.occurrence.due_at.astimezone(ZoneInfo(zone))
    return f"{local:%-d %b %Y at %H:%M} ({zone})"


def anchor_words(anchor: str) -> str:
    """What a run hangs on, in words: “24 Nov 2026”, “change no. 17”, “a start by hand”."""
    kind, _, rest = anchor.partition(":")
    if kind == "manual":
        return "a start by hand"
    if kind in ("event", "request") and rest:
        return f"{'change' if kind == 'event' else 'request'} no. {rest}"
    try:
        return f"{date.fromisoformat(anchor):%-d %b %Y}"
    except ValueError:
        return anchor


def start_rungs(judged: Judgement, *, veiled: bool = False) -> list[Rung]:
    """Cold start, leavers, lateness; ``veiled`` leaves the days out."""
    reason = f"No; it hangs on {HIDDEN_DAY}." if veiled else judged.reason
    cold = judged.verdict in (Verdict.BEFORE_LIVE, Verdict.BASELINE)
    left = judged.verdict is Verdict.LEFT
    late = judged.verdict in (Verdict.HOLD, Verdict.SKIP_LATE, Verdict.JUDGED)
    return [
        Rung(
            check="the moment lies after going live and after the first import",
            passed=not cold,
            detail=reason if cold else "Yes.",
        ),
        Rung(
            check="the person is still here then",
            passed=not left,
            detail=reason if left else "Yes.",
        ),
        Rung(
            check="the moment is not too long ago",
            passed=not late,
            detail=reason if late else "In time.",
        ),
    ]


def brake_rungs(
    workflow: Workflow,
    planned: PlannedWorkflow,
    view: PlannedPerson,
    judged: Judgement | None,
    *,
    at: datetime,
    now: datetime,
    started: bool,
) -> list[Rung]:
    """Limits and protection. What is to come is counted only when it starts."""
    rungs = []
    if judged is not None and judged.verdict is Verdict.RUN and not started:
        held, detail = "", "Counted when it starts."
        if judged.occurrence.due_at <= min(at, now):
            held = reason_to_hold(workflow, planned.document, starting=[view.id], now=min(at, now))
            detail = held or "Within the limits."
        rungs.append(Rung(check="the limits leave room", passed=not held, detail=detail))
    if view.protected:
        takes = any(
            getattr(ACTIONS.get(getattr(step, "action", "")), "destructive", False)
            for _, step in planned.document.walk()
        )
        detail = "Protected, and a step takes something away: it is held before that step."
        rungs.append(
            Rung(
                check="the person is not protected",
                passed=not takes,
                detail=detail if takes else "Protected, but no step takes anything away.",
            )
        )
    return rungs


def ledger_rung(runs: tuple[Run, ...], *, mine: Run | None, veiled: bool = False) -> Rung:
    """Whether ``mine``, the run of this occurrence, is there; ``veiled`` leaves reasons out."""
    if not runs:
        return Rung(check="it has not run yet", passed=True, detail="No run for this person.")
    words = "; ".join(
        f"run {run.pk} for {anchor_words(run.anchor)}: {run.get_status_display().lower()}"
        + (f" ({run.reason})" if run.reason and not veiled else "")
        for run in runs[:5]
    )
    lead = "" if mine is not None else "Not for this date. Others: "
    return Rung(check="it has not run yet", passed=mine is None, detail=f"{lead}{words}")
