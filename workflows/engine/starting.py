"""From judgements to ledger rows: one transaction, deterministic keys, nothing twice."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from people.models import LifecycleEvent
from siit_remote.audit.services import record
from workflows.conditions.evaluate import Truth
from workflows.engine import crash
from workflows.engine.holding import hold_for_brake
from workflows.engine.lanes import lane_of
from workflows.engine.lately import Look, look_lately, look_whole, looked_write
from workflows.engine.ledger import Undecided, undecided
from workflows.engine.limits import (
    limits_lock,
    workflow_brake,
    workspace_brake,
)
from workflows.engine.moves import moves_after_end
from workflows.engine.planner import (
    STARTS,
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_trace,
    conditions_hold,
    facts_at,
    facts_on,
    live_window,
    local_date,
    plan,
)
from workflows.engine.refusals import refusals_note
from workflows.engine.wake import run_wake
from workflows.engine.walk import Next, next_step
from workflows.engine.world import late_window, load_happenings, planned_version
from workflows.facts import facts_to_data
from workflows.models import Approval, Request, Run, Workflow
from workflows.problems import DocumentError
from workflows.timing import zone_of

if TYPE_CHECKING:
    from workflows.engine.limits import Brake
    from workflows.models import Hold
    from workflows.nodes import Happening, PlanningWorld

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What one planning pass wrote."""

    started: int = 0
    held: int = 0
    skipped_late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One run that a pass would write: in which status, and why not queued."""

    judgement: Judgement
    status: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one workflow wants to start in this pass."""

    workflow: Workflow
    planned: PlannedWorkflow
    wanted: list[Judgement]


def runs_plan(*, now: datetime) -> Started:
    """Plan every live workflow at ``now`` and write what is due into the ledger."""
    fresh = load_happenings()
    live = list(_live())
    look = look_lately(live, fresh, now=now)
    within = late_window()
    batches = [
        _batch(workflow, planned, look.worlds[workflow.key], within=within, now=now, note=True)
        for workflow, planned in live
    ]
    moves_after_end(fresh, now=now)
    started = _write(batches, look, now=now)
    _consume(fresh, now=now)
    return started


def _live() -> Iterator[tuple[Workflow, PlannedWorkflow]]:
    """Every live workflow that can be read."""
    live = Workflow.objects.filter(status=Workflow.Status.LIVE, live_version__isnull=False)
    for workflow in live.select_related("live_version__workflow").order_by("pk"):
        assert workflow.live_version is not None  # noqa: S101 - narrowed by the filter above
        try:
            yield workflow, planned_version(workflow.live_version)
        except DocumentError as error:
            log.error("workflow %s does not parse: %s", workflow.key, error)


def _batch(
    workflow: Workflow,
    planned: PlannedWorkflow,
    world: PlanningWorld,
    *,
    within: timedelta,
    now: datetime,
    note: bool = False,
) -> Batch:
    """Judge everybody in ``world`` for one workflow; ``note`` keeps what was refused.

    ``within`` is the workspace's catch-up window.
    """
    judged = list(
        plan(
            planned,
            world=world,
            window=live_window(now),
            now=now,
            late_within=within,
            reasons=False,
        )
    )
    if note:
        refusals_note(workflow, planned, judged, now=now)
    wanted = [judgement for judgement in judged if judgement.verdict in STARTS]
    return Batch(workflow=workflow, planned=planned, wanted=wanted)


def _undecided(batch: Batch) -> Undecided:
    trigger = batch.planned.trigger
    return undecided(
        batch.workflow,
        batch.wanted,
        trigger=batch.planned.document.trigger.type,
        follows_date=trigger is not None and trigger.follows_date,
    )


def _consume(fresh: Sequence[Happening], *, now: datetime) -> None:
    """Mark what every live workflow has looked at, and wake runs whose person changed."""
    events = [item for item in fresh if item.kind != "request.submitted"]
    requests = [item.id for item in fresh if item.kind == "request.submitted"]
    with transaction.atomic():
        for start in range(0, len(events), 500):
            chunk = [item.id for item in events[start : start + 500]]
            LifecycleEvent.objects.filter(pk__in=chunk).update(consumed_at=now)
        Request.objects.filter(pk__in=requests).update(consumed_at=now)
        changed = {item.person_id for item in events if not item.baseline}
        if changed:
            # Also those that wait for a changed person's decision: who left decides nothing.
            asked = Approval.objects.filter(approver_id__in=changed, status__in=Approval.OPEN)
            waiting = Run.objects.filter(
                Q(person_id__in=changed) | Q(pk__in=asked.values("step__run")),
                status=Run.Status.WAITING,
            )
            for run_id in list(waiting.values_list("pk", flat=True)):
                run_wake(run_id, at=now)


def _write(batches: Sequence[Batch], look: Look, *, now: datetime) -> Started:
    """Insert the runs that are not in the ledger yet, all workflows in one transaction.

    Together, because the workspace's limit counts over all of them before any has begun.
    """
    with transaction.atomic():
        limits_lock()
        left = [(batch, _undecided(batch)) for batch in batches]
        everybody = {person for _, found in left for person in _starting(found.free)}
        whole = workspace_brake(starting=everybody, now=now)
        written = [_write_batch(batch, found.free, whole=whole, now=now) for batch, found in left]
        looked_write(look, [(batch.workflow, found.withheld) for batch, found in left], now=now)
        crash.point("plan.before_commit")
    crash.point("plan.after_commit")
    return Started(
        started=sum(one.started for one in written),
        held=sum(one.held for one in written),
        skipped_late=sum(one.skipped_late for one in written),
    )


def _starting(pairs: Iterable[tuple[str, Judgement]]) -> set[int]:
    return {judged.person.id for _, judged in pairs if judged.verdict is Verdict.RUN}


def _write_batch(
    batch: Batch, pairs: Sequence[tuple[str, Judgement]], *, whole: Brake | None, now: datetime
) -> Started:
    if not pairs:
        return Started()
    workflow, version = batch.workflow, batch.workflow.live_version
    assert version is not None  # noqa: S101 - only workflows with one are planned
    starting = _starting(pairs)
    brake = workflow_brake(workflow, batch.planned.document, starting=starting, now=now)
    brake = brake or (whole if starting else None)
    hold = hold_for_brake(workflow, version, brake, now=now, actor=None) if brake else None
    runs = [
        _run(workflow, batch.planned, judged, key=key, hold=hold, now=now) for key, judged in pairs
    ]
    Run.objects.bulk_create(runs, batch_size=500, ignore_conflicts=True)
    _succeed(workflow, runs)
    held = sum(run.status == Run.Status.HELD for run in runs)
    late = sum(run.status == Run.Status.HELD and run.hold_id is None for run in runs)
    skipped = sum(run.status == Run.Status.CANCELLED for run in runs)
    if late:
        record(
            "run.held",
            object_type="workflow",
            object_key=workflow.key,
            object_label=workflow.name,
            detail={"runs": late, "reason": "Late: a person decides."},
        )
    return Started(started=len(runs) - held - skipped, held=held, skipped_late=skipped)


def _succeed(workflow: Workflow, runs: Sequence[Run]) -> None:
    """Let runs that were given up because their date moved point to what came of it."""
    people = [run.person_id for run in runs]
    orphans = Run.objects.filter(
        workflow=workflow,
        status=Run.Status.SUPERSEDED,
        successor__isnull=True,
        person_id__in=people,
    ).exclude(moved_to="")
    if not people or not orphans.exists():
        return
    made = Run.objects.filter(key__in=[run.key for run in runs])
    for run_id, person_id in made.values_list("pk", "person_id"):
        orphans.filter(person_id=person_id).exclude(pk=run_id).update(successor_id=run_id)


def _run(
    workflow: Workflow,
    planned: PlannedWorkflow,
    judgement: Judgement,
    *,
    key: str,
    hold: Hold | None,
    now: datetime,
) -> Run:
    occurrence = judgement.occurrence
    status, reason = _status(judgement, hold.reason if hold is not None else "")
    facts = facts_at(occurrence, judgement.person)
    found = condition_trace(planned.document, facts, local_date(occurrence, now))
    return Run(
        workflow=workflow,
        version=workflow.live_version,
        person_id=judgement.person.id,
        request_id=occurrence.request_id,
        trigger=planned.document.trigger.type,
        anchor=occurrence.anchor,
        key=key,
        status=status,
        reason=reason,
        hold=hold if hold is not None and judgement.verdict is Verdict.RUN else None,
        late=judgement.late,
        lane=lane_of(planned.document),
        due_at=occurrence.due_at,
        timezone=occurrence.timezone,
        snapshot=facts_to_data(facts),
        trace=found.to_data() if found else {},
        change=facts_to_data(occurrence.change),
        wake_at=now if status == Run.Status.QUEUED else None,
        created_at=now,
        finished_at=now if status == Run.Status.CANCELLED else None,
        started_by="schedule",
    )


def due_now(workflow: Workflow, planned: PlannedWorkflow, *, now: datetime) -> list[Due]:
    """What :func:`runs_plan` would write for one workflow at ``now``. Writes nothing.

    The others are planned too: the workspace's limit counts over all of them.
    """
    fresh, within = load_happenings(), late_window()
    world = look_whole([(workflow, planned)], fresh, now=now).worlds[workflow.key]
    pairs = _undecided(_batch(workflow, planned, world, within=within, now=now)).free
    starting = _starting(pairs)
    brake = workflow_brake(workflow, planned.document, starting=starting, now=now)
    if starting and brake is None:
        everybody = set(starting)
        others = [pair for pair in _live() if pair[0].pk != workflow.pk]
        worlds = look_whole(others, fresh, now=now).worlds
        for other, version in others:
            found = _undecided(_batch(other, version, worlds[other.key], within=within, now=now))
            everybody |= _starting(found.free)
        brake = workspace_brake(starting=everybody, now=now)
    return [
        Due(judgement=item, status=status, reason=reason)
        for _, item in pairs
        for status, reason in [
            _foretold(item, brake.reason if brake is not None else "", planned, now=now)
        ]
    ]


def _status(judgement: Judgement, brake: str) -> tuple[str, str]:
    if judgement.verdict is Verdict.SKIP_LATE:
        return Run.Status.CANCELLED, judgement.reason
    if judgement.verdict is Verdict.HOLD:
        return Run.Status.HELD, judgement.reason
    if brake:
        return Run.Status.HELD, brake
    return Run.Status.QUEUED, judgement.reason


def _foretold(
    judgement: Judgement, brake: str, planned: PlannedWorkflow, *, now: datetime
) -> tuple[str, str]:
    """What becomes of it within the pass: written, then perhaps ended at once."""
    status, reason = _status(judgement, brake)
    if status == Run.Status.CANCELLED or judgement.verdict is Verdict.HOLD:
        return status, reason
    dropped = _dropped(judgement, planned, now=now)
    return (Run.Status.CANCELLED, dropped) if dropped else (status, reason)


def _dropped(judgement: Judgement, planned: PlannedWorkflow, *, now: datetime) -> str:
    """Why the guard ends the run within the pass that writes it; ``""`` where it goes on.

    Who matched on the day it was due need not match any more where that day is over.
    """
    if not isinstance(next_step(planned.document, {}), Next):
        return ""
    person = judgement.person
    today = now.astimezone(zone_of(person.timezone)).date()
    facts = {**facts_on(person.facts, today), **judgement.occurrence.change}
    if conditions_hold(planned.document, facts, today) is Truth.TRUE:
        return ""
    found = condition_trace(planned.document, facts, today)
    return f"No longer matches: {'; '.join(found.reasons()) if found else ''}"
