"""What a person does with a run: start by hand, release, cancel, retry, settle a step.

Nothing erases history: steps and attempts stay, states move on by conditional updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.category_rights import right_require
from workflows.conditions.masking import trace_masked
from workflows.engine.holding import hold_for_brake
from workflows.engine.lanes import lane_of
from workflows.engine.limits import limits_lock, workflow_brake, workspace_brake
from workflows.engine.planner import condition_trace, conditions_hold, facts_on, run_key
from workflows.engine.world import load_people, planned_version
from workflows.facts import facts_to_data
from workflows.models import Approval, Hold, Run, StepRun, Workflow, WorkflowVersion
from workflows.services import RefusedError
from workflows.timing import zone_of
from workflows.vocabulary import vocabulary_now

if TYPE_CHECKING:
    from workflows.services import Actor

ENGINE = "siit_remote.tasks.run_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One chosen person: whether a run would start now, and why not."""

    person: Person
    matched: bool
    why: str


def runs_judge(
    workflow: Workflow,
    people: Sequence[Person],
    *,
    now: datetime,
    hidden: frozenset[str] = frozenset(),
) -> list[Judged]:
    """Whom :func:`runs_start` would start at ``now``, by the same test. Writes nothing.

    Values of ``hidden`` fields stay out of the reasons. Raises as :func:`runs_start` does.
    """
    planned = planned_version(_startable(workflow))
    views = load_people([person.pk for person in people])
    types = vocabulary_now().field_types
    found = []
    for person in people:
        view = views[person.pk]
        today = now.astimezone(zone_of(view.timezone)).date()
        facts = facts_on(view.facts, today)
        matched = conditions_hold(planned.document, facts, today).value == "matched"
        shown = condition_trace(planned.document, facts, today, types=types)
        shown = trace_masked(shown, hidden) if shown is not None else None
        why = "; ".join(shown.reasons()) if shown is not None and not matched else ""
        found.append(Judged(person=person, matched=matched, why=why))
    return found


def _startable(workflow: Workflow) -> WorkflowVersion:
    version = workflow.live_version
    if workflow.status != Workflow.Status.LIVE or version is None:
        raise RefusedError("Only a live workflow can be started; publish or resume it first.")
    return version


def runs_start(
    workflow: Workflow, people: Sequence[Person], *, now: datetime, actor: Actor
) -> list[Run]:
    """Start ``workflow`` for chosen people. Conditions and limits hold as for any other run.

    Who does not match gets no run. Raises :class:`RefusedError` when the workflow is not live.
    """
    right_require(actor, "run", workflow.category)
    version = _startable(workflow)
    planned = planned_version(version)
    views = load_people([person.pk for person in people])
    starting: list[Run] = []
    for person in people:
        view = views[person.pk]
        today = now.astimezone(zone_of(view.timezone)).date()
        facts = facts_on(view.facts, today)
        if conditions_hold(planned.document, facts, today).value != "matched":
            continue
        found = condition_trace(planned.document, facts, today)
        anchor = f"manual:{now.isoformat()}"
        starting.append(
            Run(
                workflow=workflow,
                version=version,
                person=person,
                trigger="manual",
                anchor=anchor[:80],
                key=run_key(workflow.key, person.pk, "manual", anchor),
                status=Run.Status.QUEUED,
                lane=lane_of(planned.document),
                due_at=now,
                timezone=view.timezone,
                snapshot=facts_to_data(facts),
                trace=found.to_data() if found else {},
                wake_at=now,
                created_at=now,
                started_by=actor.get_username() if actor is not None else "system",
            )
        )
    runs_insert(workflow, version, starting, now=now, actor=actor)
    return starting


def runs_insert(
    workflow: Workflow,
    version: WorkflowVersion,
    starting: Sequence[Run],
    *,
    now: datetime,
    actor: Actor,
    reason: str = "",
) -> None:
    """Write runs that somebody asked for into the ledger; a limit they pass holds all of them."""
    planned = planned_version(version)
    with transaction.atomic():
        limits_lock()
        ids = [run.person_id for run in starting]
        brake = workflow_brake(
            workflow, planned.document, starting=ids, now=now
        ) or workspace_brake(starting=ids, now=now)
        hold = hold_for_brake(workflow, version, brake, now=now, actor=actor) if brake else None
        for run in starting:
            if hold is not None:
                run.status, run.reason, run.wake_at = Run.Status.HELD, hold.reason, None
                run.hold = hold
            run.save(force_insert=True)
        _audit("run.started", workflow.name, [run.pk for run in starting], actor, reason=reason)
        ring(ENGINE)


def run_release(run: Run, *, reason: str, now: datetime, actor: Actor) -> None:
    """Let a held run go on. Raises :class:`RefusedError` when it is not held."""
    right_require(actor, "run", run.workflow.category)
    if not reason.strip():
        raise RefusedError("Say why it is released; the reason stays with the run.")
    if Hold.objects.filter(runs=run, status=Hold.Status.OPEN).exists():
        raise RefusedError(
            "This run is on a held list. Release it there, so that a second person sees who is "
            "on it: open Held."
        )
    with transaction.atomic():
        released = Run.objects.filter(pk=run.pk, status=Run.Status.HELD).update(
            status=Run.Status.QUEUED, reason="", wake_at=now
        )
        if not released:
            raise RefusedError("This run is not held any more.")
        run.steps.filter(status=StepRun.Status.RETRYING).update(retry_at=now)
        _audit("run.released", str(run), [run.pk], actor, reason=reason)
        ring(ENGINE)


def run_cancel(run: Run, *, reason: str, now: datetime, actor: Actor) -> None:
    """End a run that has not ended. A step that is being carried out right now still finishes."""
    right_require(actor, "run", run.workflow.category)
    with transaction.atomic():
        cancelled = Run.objects.filter(
            pk=run.pk, status__in=[Run.Status.QUEUED, Run.Status.WAITING, Run.Status.HELD]
        ).update(status=Run.Status.CANCELLED, reason=reason, finished_at=now, wake_at=None)
        if not cancelled:
            raise RefusedError("Only a queued, waiting or held run can be cancelled.")
        run.steps.exclude(status__in=[*StepRun.SETTLED, StepRun.Status.UNCERTAIN]).update(
            status=StepRun.Status.CANCELLED, reason=reason, finished_at=now
        )
        steps = list(run.steps.values_list("pk", flat=True))
        Approval.objects.filter(step_id__in=steps, status__in=Approval.OPEN).update(
            status=Approval.Status.CANCELLED, closed_reason=f"The run was cancelled: {reason}"[:300]
        )
        _audit("run.cancelled", str(run), [run.pk], actor, reason=reason)


def run_retry(run: Run, *, now: datetime, actor: Actor) -> None:
    """Try the failed step again. Raises :class:`RefusedError` when the run has not failed."""
    right_require(actor, "run", run.workflow.category)
    with transaction.atomic():
        later = Run.objects.select_for_update().get(pk=run.pk).restarts.first()
        if later is not None:
            raise RefusedError(f"It was started again as run {later.pk}; go on there.")
        retried = Run.objects.filter(
            pk=run.pk, status__in=[Run.Status.FAILED, Run.Status.DONE_WITH_ERRORS]
        ).update(status=Run.Status.QUEUED, reason="", wake_at=now, finished_at=None)
        if not retried:
            raise RefusedError("Only a run that failed can be tried again.")
        run.steps.filter(status=StepRun.Status.FAILED).update(
            status=StepRun.Status.RETRYING, retry_at=now, first_tried_at=now, crashes=0
        )
        _audit("run.retried", str(run), [run.pk], actor)
        ring(ENGINE)


def step_resolve(
    step: StepRun, *, happened: bool, reason: str, now: datetime, actor: Actor
) -> None:
    """Say what became of an uncertain step: it happened, or it is to be tried again."""
    right_require(actor, "run", step.run.workflow.category)
    if not reason.strip():
        raise RefusedError("Say how you know; the reason stays with the step.")
    status = StepRun.Status.DONE if happened else StepRun.Status.RETRYING
    with transaction.atomic():
        resolved = StepRun.objects.filter(pk=step.pk, status=StepRun.Status.UNCERTAIN).update(
            status=status,
            reason=reason,
            retry_at=None if happened else now,
            finished_at=now if happened else None,
        )
        if not resolved:
            raise RefusedError("This step is not uncertain any more.")
        Run.objects.filter(pk=step.run_id, status=Run.Status.HELD).update(
            status=Run.Status.QUEUED, reason="", wake_at=now
        )
        _audit("step.resolved", str(step), [step.run_id], actor, reason=reason)
        ring(ENGINE)


def _audit(action: str, label: str, run_ids: list[int], actor: Actor, *, reason: str = "") -> None:
    record(
        action,
        actor=actor,
        object_type="run",
        object_key=str(run_ids[0]) if len(run_ids) == 1 else "",
        object_label=label,
        detail={"runs": run_ids, "reason": reason},
    )
