"""From judgements to ledger rows: one transaction, deterministic keys, nothing twice."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from people.models import LifecycleEvent
from siit_remote.audit.services import record
from workflows.engine import crash
from workflows.engine.limits import reason_to_hold
from workflows.engine.planner import (
    STARTS,
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_trace,
    facts_at,
    live_window,
    local_date,
    plan,
)
from workflows.engine.refusals import refusals_note
from workflows.engine.wake import run_wake
from workflows.engine.world import (
    late_window,
    load_happenings,
    load_world,
    planned_version,
    replay_since,
)
from workflows.facts import facts_to_data
from workflows.models import Approval, Request, Run, Workflow
from workflows.problems import DocumentError

if TYPE_CHECKING:
    from workflows.nodes import Happening

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


def runs_plan(*, now: datetime) -> Started:
    """Plan every live workflow at ``now`` and write what is due into the ledger."""
    live = list(
        Workflow.objects.filter(status=Workflow.Status.LIVE, live_version__isnull=False)
        .select_related("live_version__workflow")
        .order_by("pk")
    )
    fresh = load_happenings()
    world = load_world(happenings=fresh)
    within = late_window()
    totals = [0, 0, 0]
    for workflow in live:
        assert workflow.live_version is not None  # noqa: S101 - narrowed by the filter above
        try:
            planned = planned_version(workflow.live_version)
        except DocumentError as error:
            log.error("workflow %s does not parse: %s", workflow.key, error)
            continue
        since = replay_since(workflow, now=now)
        seen = world if since is None else load_world(happenings=load_happenings(since=since))
        judged = list(
            plan(
                planned,
                world=seen,
                window=live_window(now),
                now=now,
                late_within=within,
                reasons=False,
            )
        )
        wanted = [judgement for judgement in judged if judgement.verdict in STARTS]
        result = _write(workflow, planned, wanted, now=now)
        refusals_note(workflow, planned, judged, now=now)
        totals = [
            totals[0] + result.started,
            totals[1] + result.held,
            totals[2] + result.skipped_late,
        ]
    _consume(fresh, now=now)
    return Started(started=totals[0], held=totals[1], skipped_late=totals[2])


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


def _write(
    workflow: Workflow, planned: PlannedWorkflow, wanted: list[Judgement], *, now: datetime
) -> Started:
    """Insert the runs that are not in the ledger yet."""
    with transaction.atomic():
        missing = _undecided(workflow, wanted)
        brake = reason_to_hold(
            workflow,
            planned.document,
            starting=[j.person.id for j in missing if j.verdict is Verdict.RUN],
            now=now,
        )
        runs = [_run(workflow, planned, judgement, brake=brake, now=now) for judgement in missing]
        Run.objects.bulk_create(runs, batch_size=500, ignore_conflicts=True)
        Workflow.objects.filter(pk=workflow.pk).update(planned_until=now)
        held = sum(run.status == Run.Status.HELD for run in runs)
        skipped = sum(run.status == Run.Status.CANCELLED for run in runs)
        if held:
            record(
                "run.held",
                object_type="workflow",
                object_key=workflow.key,
                object_label=workflow.name,
                detail={"runs": held, "reason": brake},
            )
        crash.point("plan.before_commit")
    crash.point("plan.after_commit")
    return Started(started=len(runs) - held - skipped, held=held, skipped_late=skipped)


def _undecided(workflow: Workflow, wanted: Iterable[Judgement]) -> list[Judgement]:
    """Those whose key is not in the ledger, each once, the earliest moment first.

    A run that was kept when its date moved serves the new date too.
    """
    unique = {judgement.key: judgement for judgement in wanted}
    known: set[str] = set()
    keys = list(unique)
    for start in range(0, len(keys), 500):
        known |= set(
            Run.objects.filter(key__in=keys[start : start + 500]).values_list("key", flat=True)
        )
    served = set(
        Run.objects.filter(workflow=workflow)
        .exclude(moved_to="")
        .exclude(status__in=[Run.Status.SUPERSEDED, Run.Status.CANCELLED])
        .values_list("person_id", "moved_to")
    )
    left = [
        judgement
        for key, judgement in unique.items()
        if key not in known and (judgement.person.id, judgement.occurrence.anchor) not in served
    ]
    return sorted(left, key=lambda item: (item.occurrence.due_at, item.person.id))


def _run(
    workflow: Workflow,
    planned: PlannedWorkflow,
    judgement: Judgement,
    *,
    brake: str,
    now: datetime,
) -> Run:
    occurrence = judgement.occurrence
    status, reason = _status(judgement, brake)
    facts = facts_at(occurrence, judgement.person)
    found = condition_trace(planned.document, facts, local_date(occurrence, now))
    return Run(
        workflow=workflow,
        version=workflow.live_version,
        person_id=judgement.person.id,
        request_id=occurrence.request_id,
        trigger=planned.document.trigger.type,
        anchor=occurrence.anchor,
        key=judgement.key,
        status=status,
        reason=reason,
        late=judgement.late,
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
    """What :func:`runs_plan` would write for one workflow at ``now``. Writes nothing."""
    since = replay_since(workflow, now=now)
    world = load_world(happenings=load_happenings(since=since))
    judged = plan(
        planned,
        world=world,
        window=live_window(now),
        now=now,
        late_within=late_window(),
        reasons=False,
    )
    missing = _undecided(workflow, (item for item in judged if item.verdict in STARTS))
    brake = reason_to_hold(
        workflow,
        planned.document,
        starting=[item.person.id for item in missing if item.verdict is Verdict.RUN],
        now=now,
    )
    return [
        Due(judgement=item, status=status, reason=reason)
        for item in missing
        for status, reason in [_status(item, brake)]
    ]


def _status(judgement: Judgement, brake: str) -> tuple[str, str]:
    if judgement.verdict is Verdict.SKIP_LATE:
        return Run.Status.CANCELLED, judgement.reason
    if judgement.verdict is Verdict.HOLD:
        return Run.Status.HELD, judgement.reason
    if brake:
        return Run.Status.HELD, brake
    return Run.Status.QUEUED, judgement.reason
