"""Move one claimed run as far as it goes: one step at a time, each attempt recorded before it acts.

Transactions are short and never span a call to the outside: attempt committed → call → outcome
committed. A process may die between any two lines; the next one reads the rows and goes on.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction

from workflows.document.parse import parse_document
from workflows.document.shape import ActionStep
from workflows.engine import claim, crash
from workflows.engine.acting import Footing, action_perform, flow_perform
from workflows.engine.freshness import LOOK_AGAIN, directory_trouble
from workflows.engine.guard import Guarded, Ruling, guard, is_destructive
from workflows.engine.holding import hold_for_protection, steps_cancel
from workflows.engine.moves import move_ask, took_final_effect
from workflows.engine.open_access import access_pursue
from workflows.engine.planner import PlannedWorkflow
from workflows.engine.recording import Begun, attempt_begin, outcome_record
from workflows.engine.walk import Blocked, Finished, StepState, next_step
from workflows.engine.world import load_people
from workflows.models import Run, StepRun
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError

if TYPE_CHECKING:
    from workflows.document.shape import Step
    from workflows.engine.walk import Next
    from workflows.nodes import Outcome

Status = Run.Status
YIELDED = "yielded"
"""The run was given back between two steps, for work of a higher lane."""


def run_advance(run: Run, *, now: datetime) -> str:
    """Carry out what can be carried out at ``now``; returns the status the run ended up in.

    :data:`YIELDED` where it could go on but something more urgent is to go first.
    """
    try:
        document = parse_document(run.document or run.version.document)
    except DocumentError as error:
        return _settle(run, Status.FAILED, f"This version no longer parses: {error}", now)
    workflow = PlannedWorkflow(
        key=run.workflow.key, document=document, live_since=run.workflow.live_since
    )
    moved = False
    while claim.renew(run):
        steps = {step.key: step for step in run.steps.order_by("position", "pk")}
        states = {key: StepState(step.status, step.outcome) for key, step in steps.items()}
        place = next_step(document, states)
        if isinstance(place, Finished):
            return _finish(run, steps, place, now=now)
        if isinstance(place, Blocked):
            return _block(run, steps[place.step.key], now=now)
        if moved and claim.is_outranked(run, now=now):
            claim.settle(run, status=Status.WAITING, wake_at=now)
            return YIELDED
        ended = _one_step(run, workflow, place, steps, now=now)
        if ended:
            return ended
        moved = True
    return Run.objects.values_list("status", flat=True).get(pk=run.pk)


def _one_step(
    run: Run,
    workflow: PlannedWorkflow,
    place: Next,
    steps: dict[str, StepRun],
    *,
    now: datetime,
) -> str:
    """Do one step; returns the run's new status when it cannot go on now, else ``""``."""
    people = load_people([run.person_id])
    if run.person_id not in people:
        return _settle(run, Status.CANCELLED, "The person is no longer in the directory.", now)
    person = people[run.person_id]
    footing = Footing(
        run=run,
        workflow=workflow,
        person=person,
        today=now.astimezone(ZoneInfo(person.timezone)).date(),
        now=now,
    )
    ruled = guard(
        run,
        workflow,
        person,
        place.step,
        today=footing.today,
        effects_begun=any(_took_effect(step) for step in steps.values()),
        irreversible=any(took_final_effect(step) for step in steps.values()),
        directory=directory_trouble(now=now) if is_destructive(place.step) else "",
    )
    ended = _obey(run, ruled, steps, now=now)
    if ended:
        return ended
    if ruled.moved_to is not None:
        # The date's move was let pass; the rest of the checks still have to.
        return ""
    earlier = steps.get(place.step.key)
    if earlier is not None and earlier.retry_at is not None and earlier.retry_at > now:
        return _settle_waiting(run, earlier, now=now)
    step, begun = attempt_begin(run, place, earlier=earlier, now=now)
    outcome = _perform(footing, place.step, step, begun)
    crash.point("effect.after")
    step = outcome_record(run, place.step, step, begun, outcome, now=now)
    if step.status in (StepRun.Status.WAITING, StepRun.Status.RETRYING):
        return _settle_waiting(run, step, now=now)
    return ""


def _perform(footing: Footing, step: Step, row: StepRun, begun: Begun) -> Outcome:
    if isinstance(step, ActionStep):
        return action_perform(footing, step, row, begun)
    return flow_perform(footing, step, row)


def _took_effect(step: StepRun) -> bool:
    action = ACTIONS.get(step.action)
    return (
        step.action not in ("wait", "branch")
        and (action is None or not action.harmless)
        and step.status in (StepRun.Status.DONE, StepRun.Status.UNCERTAIN, StepRun.Status.FAILED)
    )


def _obey(run: Run, ruled: Guarded, steps: dict[str, StepRun], *, now: datetime) -> str:
    if ruled.moved_to is not None:
        Run.objects.filter(pk=run.pk).update(moved_to=ruled.moved_to)
        run.moved_to = ruled.moved_to
    if ruled.ask_hr:
        move_ask(run, steps.values(), words=ruled.reason, now=now)
    if ruled.ruling is Ruling.GO:
        return ""
    if ruled.ruling is Ruling.STALE:
        claim.settle(run, status=Status.WAITING, reason=ruled.reason, wake_at=now + LOOK_AGAIN)
        return Status.WAITING
    if ruled.ruling is Ruling.PROTECT:
        return _hold_protected(run, ruled.reason, now=now)
    if ruled.ruling is Ruling.PAUSE:
        return _settle(run, Status.WAITING, ruled.reason, now)
    if ruled.ruling is Ruling.HOLD:
        return _settle(run, Status.HELD, ruled.reason, now)
    steps_cancel([run.pk], reason=ruled.reason, now=now)
    status = Status.SUPERSEDED if ruled.ruling is Ruling.SUPERSEDE else Status.CANCELLED
    return _settle(run, status, ruled.reason, now)


def _hold_protected(run: Run, reason: str, *, now: datetime) -> str:
    """Hold for a named release; only who still has the run writes the list."""
    with transaction.atomic():
        if claim.settle(run, status=Status.HELD, reason=reason):
            hold = hold_for_protection(run, reason=reason, now=now)
            Run.objects.filter(pk=run.pk).update(hold=hold)
    return Status.HELD


def _settle(run: Run, status: str, reason: str, now: datetime) -> str:
    values: dict[str, object] = {"reason": reason}
    if status in Run.ENDED:
        values["finished_at"] = now
    claim.settle(run, status=status, **values)
    return status


def _settle_waiting(run: Run, step: StepRun, *, now: datetime) -> str:
    """Give the run back until its step has something to do."""
    retrying = step.status == StepRun.Status.RETRYING
    status = Status.HELD if retrying and step.outcome.get("hold") else Status.WAITING
    claim.settle(
        run,
        status=status,
        reason=step.reason,
        wake_at=step.retry_at or step.wake_at,
        awaits=str(step.outcome.get("awaits", ""))[:60] if retrying else "",
    )
    return status


def _block(run: Run, step: StepRun, *, now: datetime) -> str:
    if step.status == StepRun.Status.UNCERTAIN:
        return _settle(run, Status.HELD, f"Step “{step.key}”: {step.reason}", now)
    return _settle(run, Status.FAILED, f"Step “{step.key}”: {step.error or step.reason}", now)


def _finish(run: Run, steps: dict[str, StepRun], place: Finished, *, now: datetime) -> str:
    crash.point("run.before_finish")
    still = access_pursue(run, now=now)
    if still is not None:
        claim.settle(run, status=Status.WAITING, reason=still.reason, wake_at=still.wake_at)
        return Status.WAITING
    broken = [
        step
        for step in steps.values()
        if step.status in (StepRun.Status.FAILED, StepRun.Status.UNCERTAIN)
    ]
    if broken:
        words = "; ".join(f"“{step.key}”: {step.error or step.reason}" for step in broken)
        return _settle(run, Status.DONE_WITH_ERRORS, f"Steps that did not succeed: {words}", now)
    others = [f"“{step.key}”: {step.reason}" for step in steps.values() if step.reason]
    return _settle(run, Status.DONE, place.reason or "; ".join(others), now)
