"""Write attempts and outcomes: every transition is guarded by the run's fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from siit_remote.lib import lease
from workflows.document.shape import ActionStep, BranchStep
from workflows.engine import crash
from workflows.engine.planner import step_key
from workflows.engine.retry import (
    CREDENTIAL_PROBE,
    MAX_CRASHES,
    PARKED_LOOK,
    gave_up,
    next_try,
)
from workflows.models import Attempt, Run, StepRun
from workflows.nodes import (
    ACTIONS,
    Done,
    Failed,
    Lane,
    Outcome,
    Retry,
    Skipped,
    Stop,
    Uncertain,
    Wait,
)

if TYPE_CHECKING:
    from workflows.document.shape import Step
    from workflows.engine.walk import Next

Status = StepRun.Status
INTERRUPTED = "interrupted"


class LostLease(Exception):
    """Another worker has taken the run over: what we hold is stale and must not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt that is committed, and what earlier ones left behind."""

    attempt: Attempt
    interrupted: bool
    effect_begun: bool


def kind_of(step: Step) -> str:
    """What stands in ``StepRun.action``: the action's key, ``wait`` or ``branch``."""
    if isinstance(step, ActionStep):
        return step.action
    return "branch" if isinstance(step, BranchStep) else "wait"


def attempt_begin(
    run: Run, place: Next, *, earlier: StepRun | None, now: datetime
) -> tuple[StepRun, Begun]:
    """Commit that this step is being tried, before anything happens outside."""
    with transaction.atomic():
        _hold(run)
        if earlier is None:
            # Nobody else makes rows of a run that is ours.
            step, interrupted, effect_begun = _step_new(run, place, now=now), False, False
            number = 1
        else:
            step = earlier
            interrupted, effect_begun = _step_again(step, now=now)
            number = step.tries.count() + 1
        attempt = Attempt.objects.create(
            step=step, number=number, started_at=now, worker=lease.holder()
        )
        crash.point("attempt.before_commit")
    crash.point("attempt.after_commit")
    return step, Begun(attempt=attempt, interrupted=interrupted, effect_begun=effect_begun)


def _step_new(run: Run, place: Next, *, now: datetime) -> StepRun:
    return StepRun.objects.create(
        run=run,
        key=place.step.key,
        action=kind_of(place.step),
        position=place.position,
        idempotency_key=step_key(run.key, place.step.key),
        status=Status.RUNNING,
        attempts=1,
        first_tried_at=now,
        created_at=now,
    )


def _step_again(step: StepRun, *, now: datetime) -> tuple[bool, bool]:
    """Take a step up once more; returns what :func:`_left_open` says of it."""
    open_try = step.tries.filter(phase__in=[Attempt.Phase.BEGUN, Attempt.Phase.SENDING]).last()
    if open_try is not None:
        _close_interrupted(open_try, now=now)
        step.crashes += 1
    left = _left_open(step)
    step.attempts += 0 if step.status == Status.WAITING else 1
    step.status = Status.RUNNING
    step.first_tried_at = step.first_tried_at or now
    step.retry_at = None
    step.save()
    return left


def _left_open(step: StepRun) -> tuple[bool, bool]:
    """Whether tries since the last outcome were cut off, and whether one may have had its effect.

    All of them count: a try that dies before it sends says nothing about the one before it.
    """
    interrupted = effect_begun = False
    for attempt in step.tries.order_by("-number"):
        if attempt.outcome != INTERRUPTED:
            break
        interrupted = True
        effect_begun = effect_begun or attempt.detail.get("was") == Attempt.Phase.SENDING
    return interrupted, effect_begun


def _hold(run: Run) -> None:
    """Fail unless the run is still ours; the row stays locked until the transaction ends."""
    ours = (
        Run.objects.select_for_update()
        .filter(pk=run.pk, status=Run.Status.RUNNING, fence=run.fence)
        .exists()
    )
    if not ours:
        raise LostLease


def _close_interrupted(attempt: Attempt, *, now: datetime) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(
        phase=Attempt.Phase.ENDED,
        ended_at=now,
        outcome=INTERRUPTED,
        error="The worker ended before it could record an outcome.",
        detail={"was": attempt.phase},
    )


def effect_mark(attempt: Attempt) -> None:
    """Commit that the point of no return has been reached."""
    crash.point("effect.before")
    Attempt.objects.filter(pk=attempt.pk).update(phase=Attempt.Phase.SENDING)


def outcome_record(
    run: Run, step: Step, row: StepRun, begun: Begun, outcome: Outcome, *, now: datetime
) -> StepRun:
    """Commit what became of the attempt. Raises :class:`LostLease` when the run is not ours."""
    outcome = _crash_ceiling(row, outcome)
    values = _values(step, row, outcome, now=now)
    with transaction.atomic():
        _hold(run)
        StepRun.objects.filter(pk=row.pk).update(**values)
        Attempt.objects.filter(pk=begun.attempt.pk).update(
            phase=Attempt.Phase.ENDED,
            ended_at=now,
            outcome=type(outcome).__name__.lower(),
            detail=values["outcome"],
            error=values["error"] or values["reason"],
        )
        crash.point("outcome.before_commit")
    crash.point("outcome.after_commit")
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _crash_ceiling(row: StepRun, outcome: Outcome) -> Outcome:
    if row.crashes >= MAX_CRASHES and isinstance(outcome, Retry):
        return Uncertain(reason=f"It took the worker down {row.crashes} times. {outcome.reason}")
    return outcome


def _values(step: Step, row: StepRun, outcome: Outcome, *, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "outcome": {},
        "reason": "",
        "error": "",
        "retry_at": None,
        "wake_at": None,
        "finished_at": now,
    }
    match outcome:
        case Done(summary=summary, detail=detail, reason=reason):
            values |= {
                "status": Status.DONE,
                "reason": reason,
                "outcome": {"summary": summary, **detail},
            }
        case Lane(lanes=lanes, summary=summary, detail=detail):
            values |= {
                "status": Status.DONE,
                "outcome": _lane_outcome(step, lanes, summary, detail),
            }
        case Stop(reason=reason):
            values |= {
                "status": Status.DONE,
                "reason": reason,
                "outcome": {"summary": "Ended the run.", "stop": reason or "Stopped."},
            }
        case Skipped(reason=reason):
            values |= {"status": Status.SKIPPED, "reason": reason}
        case Wait(reason=reason, until=until, detail=detail):
            values |= {
                "status": Status.WAITING,
                "reason": reason,
                "wake_at": until,
                "outcome": detail,
                "finished_at": None,
            }
        case Retry():
            values |= _retry_values(row, outcome, now=now)
        case Failed(reason=reason, hold=True, awaits=awaits):
            values |= {
                "status": Status.RETRYING,
                "reason": reason,
                "error": reason,
                "outcome": {"hold": True} | ({"awaits": awaits} if awaits else {}),
                "retry_at": now + CREDENTIAL_PROBE,
                "finished_at": None,
            }
        case Failed(reason=reason):
            values |= {"status": Status.FAILED, "error": reason, "reason": reason}
        case Uncertain(reason=reason):
            values |= {"status": Status.UNCERTAIN, "reason": reason, "finished_at": None}
    return values


def _retry_values(row: StepRun, outcome: Retry, *, now: datetime) -> dict[str, Any]:
    action = ACTIONS.get(row.action)
    if gave_up(row, now=now, destructive=action is not None and action.destructive):
        words = f"Given up after {row.attempts} tries: {outcome.reason}"
        return {"status": Status.FAILED, "error": words, "reason": words}
    parked = {"outcome": {"awaits": outcome.awaits}} if outcome.awaits else {}
    asked = now + PARKED_LOOK if parked else next_try(row, now=now, asked=outcome.after)
    return {
        "status": Status.RETRYING,
        "reason": outcome.reason,
        "error": outcome.reason,
        "retry_at": asked,
        "finished_at": None,
        **parked,
    }


def _lane_outcome(
    step: Step, lanes: tuple[str, ...], summary: str, detail: dict[str, Any]
) -> dict[str, Any]:
    """A decision without a lane of its own goes on when approved and ends the run otherwise."""
    outcome = {"summary": summary, "lanes": list(lanes), **detail}
    has_lane = isinstance(step, BranchStep) or (
        isinstance(step, ActionStep) and any(name in step.outcomes for name in lanes)
    )
    if not has_lane and "approved" not in lanes:
        outcome["stop"] = summary or f"The decision was: {', '.join(lanes)}."
    return outcome
