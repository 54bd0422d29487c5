"""What a person does with a run that did not go as it should: again, past a step, or by hand.

Nothing is erased: a run started again is a row of its own that points back, a skipped step keeps
its attempts, a step done by hand waits for its task. A decision is neither skipped nor replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.category_rights import right_require
from workflows.document.parse import parse_document
from workflows.document.shape import ActionStep
from workflows.engine.holding import hold_for_brake
from workflows.engine.lanes import lane_of
from workflows.engine.limits import limits_lock, workflow_brake, workspace_brake
from workflows.engine.planner import (
    PlannedWorkflow,
    condition_trace,
    conditions_hold,
    facts_on,
    run_key,
    step_key,
)
from workflows.engine.world import load_people, planned_version
from workflows.facts import facts_to_data
from workflows.hand_facts import hand_facts
from workflows.models import Run, StepRun, Task, Workflow
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError
from workflows.runs import ENGINE
from workflows.services import RefusedError
from workflows.tasks_by_hand import task_open
from workflows.timing import zone_of
from workflows.vocabulary import vocabulary_now

if TYPE_CHECKING:
    from workflows.models import WorkflowVersion
    from workflows.nodes import PlannedPerson
    from workflows.services import Actor

ASKING = frozenset({"approval.request"})
"""Steps whose outcome is somebody's decision: nobody decides by skipping."""
_STUCK = [StepRun.Status.FAILED, StepRun.Status.UNCERTAIN, StepRun.Status.RETRYING]
_REOPENED = [
    Run.Status.FAILED,
    Run.Status.HELD,
    Run.Status.WAITING,
    Run.Status.DONE_WITH_ERRORS,
]
_CARRIED = [StepRun.Status.DONE, StepRun.Status.SKIPPED]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReport:
    """What became of a selection: those done, and each refused one with the reason."""

    done: tuple[Run, ...]
    refused: tuple[tuple[Run, str], ...]


def runs_each(runs: Iterable[Run], act: Callable[[Run], object]) -> BulkReport:
    """Carry out ``act`` for each run on its own: one refusal stops none of the others."""
    done: list[Run] = []
    refused: list[tuple[Run, str]] = []
    for run in runs:
        try:
            act(run)
        except RefusedError as error:
            refused.append((run, str(error)))
        else:
            done.append(run)
    return BulkReport(done=tuple(done), refused=tuple(refused))


def run_restart(
    run: Run, *, on_live: bool, from_start: bool, reason: str, now: datetime, actor: Actor
) -> Run:
    """Start an ended run again as a new row that points back to it, once.

    ``on_live`` takes the version that is live now, else the run's own. Without ``from_start`` what
    was done or skipped counts as done, which asks for the live version: on its own version a run
    goes on in place (:func:`workflows.runs.run_retry`). Conditions and limits hold as for any
    other run. Raises :class:`RefusedError`, in words, when it cannot be started again.
    """
    right_require(actor, "run", run.workflow.category)
    if not reason.strip():
        raise RefusedError("Say why it is started again; the reason stays with the run.")
    if not (on_live or from_start):
        raise RefusedError("On its own version a run goes on in place: try the failed step again.")
    with transaction.atomic():
        old = Run.objects.select_for_update().select_related("workflow", "version").get(pk=run.pk)
        version = _version(old, on_live=on_live)
        later = old.restarts.first()
        if later is not None:
            raise RefusedError(f"It was started again already, as run {later.pk}.")
        planned = planned_version(version)
        new = _again(old, version, planned, now=now, actor=actor)
        limits_lock()
        starting = [old.person_id]
        brake = workflow_brake(
            old.workflow, planned.document, starting=starting, now=now
        ) or workspace_brake(starting=starting, now=now)
        if brake:
            hold = hold_for_brake(old.workflow, version, brake, now=now, actor=actor)
            new.status, new.reason, new.wake_at = Run.Status.HELD, hold.reason, None
            new.hold = hold
        try:
            with transaction.atomic():
                new.save(force_insert=True)
        except IntegrityError as error:
            raise RefusedError("It was started again already.") from error
        if not from_start:
            _carry_over(old, new, version, now=now)
        _audit("run.restarted", old, actor, reason=reason, detail={"as": new.pk})
        ring(ENGINE)
    return new


def _version(run: Run, *, on_live: bool) -> WorkflowVersion:
    if run.status not in Run.ENDED:
        raise RefusedError("Only a run that has ended can be started again; cancel it first.")
    if run.workflow.status == Workflow.Status.ARCHIVED:
        raise RefusedError("The workflow is archived: it starts nothing any more.")
    if not on_live:
        return run.version
    version = run.workflow.live_version
    if version is None:
        raise RefusedError("The workflow has no published version.")
    return version


def _again(
    old: Run, version: WorkflowVersion, planned: PlannedWorkflow, *, now: datetime, actor: Actor
) -> Run:
    view = _person(old)
    today = now.astimezone(zone_of(view.timezone)).date()
    facts = {**facts_on(view.facts, today), **old.change}
    found = condition_trace(planned.document, facts, today)
    if conditions_hold(planned.document, facts, today).value != "matched":
        words = "; ".join(found.reasons()) if found else ""
        raise RefusedError(f"The person does not match now: {words}.")
    moved = old.moved_to if old.moved_to not in ("", "removed") else ""
    return Run(
        workflow=old.workflow,
        version=version,
        person_id=old.person_id,
        request_id=old.request_id,
        trigger=old.trigger,
        anchor=moved or old.anchor,
        key=run_key(old.workflow.key, old.person_id, "again", f"run:{old.pk}"),
        status=Run.Status.QUEUED,
        lane=lane_of(planned.document),
        due_at=old.due_at,
        timezone=view.timezone,
        snapshot=facts_to_data(facts),
        trace=found.to_data() if found else {},
        change=old.change,
        wake_at=now,
        created_at=now,
        started_by=actor.get_username() if actor is not None else "system",
        restarted_from=old,
    )


def _person(run: Run) -> PlannedPerson:
    people = load_people([run.person_id])
    if run.person_id not in people:
        raise RefusedError("The person is no longer in the directory.")
    return people[run.person_id]


def _carry_over(old: Run, new: Run, version: WorkflowVersion, *, now: datetime) -> None:
    """Steps that were settled well count as settled, where the version still has them."""
    document = parse_document(version.document)
    known = {
        step.key: (index, getattr(step, "action", ""))
        for index, (_, step) in enumerate(document.walk())
    }
    rows = []
    for step in old.steps.filter(status__in=_CARRIED):
        position, action = known.get(step.key, (-1, ""))
        if position < 0 or action not in ("", step.action):
            continue
        rows.append(
            StepRun(
                run=new,
                key=step.key,
                action=step.action,
                position=position,
                status=step.status,
                idempotency_key=step_key(new.key, step.key),
                outcome={**step.outcome, "carried_from": old.pk},
                reason=step.reason,
                created_at=now,
                finished_at=step.finished_at,
            )
        )
    StepRun.objects.bulk_create(rows)


def step_skip(step: StepRun, *, reason: str, now: datetime, actor: Actor) -> None:
    """Go on without this step. Raises :class:`RefusedError` for decisions and for steps at work."""
    right_require(actor, "run", step.run.workflow.category)
    if not reason.strip():
        raise RefusedError("Say why it is skipped; the reason stays with the step.")
    if step.action in ASKING:
        raise RefusedError("A decision cannot be skipped: have it decided, or cancel the run.")
    with transaction.atomic():
        _open_for(step)
        changed = StepRun.objects.filter(
            pk=step.pk, status__in=[*_STUCK, StepRun.Status.WAITING]
        ).update(
            status=StepRun.Status.SKIPPED,
            reason=f"Skipped by hand: {reason}",
            finished_at=now,
            retry_at=None,
            wake_at=None,
        )
        if not changed:
            raise RefusedError("This step neither failed nor waits any more.")
        Task.objects.filter(step=step, status=Task.Status.OPEN).update(
            status=Task.Status.CANCELLED, done_at=now, comment=f"The step was skipped: {reason}"
        )
        _reopen(step.run_id, status=Run.Status.QUEUED, wake_at=now)
        _audit("step.skipped", step.run, actor, reason=reason, detail={"step": step.key})
        ring(ENGINE)


def step_by_hand(step: StepRun, *, role: str, reason: str, now: datetime, actor: Actor) -> Task:
    """Give a step that does not succeed to a role as a task; the run waits until it is done.

    Raises :class:`RefusedError` for decisions, waits and branches, and when the step moved on.
    """
    right_require(actor, "run", step.run.workflow.category)
    if not reason.strip():
        raise RefusedError("Say why it is done by hand; the reason stays with the task.")
    if step.action in ASKING or ACTIONS.get(step.action) is None:
        raise RefusedError("Only what an action does can be done by hand.")
    with transaction.atomic():
        _open_for(step)
        found = StepRun.objects.select_related("run__workflow", "run__person").get(pk=step.pk)
        task = task_open(
            key=f"hand:{found.tasks.count()}:{found.idempotency_key}"[:80],
            title=f"By hand: {_sentence(found)}",
            body=_hand_body(found, reason, now=now),
            role=role,
            subject=found.run.person,
            step=found,
            now=now,
        )
        changed = StepRun.objects.filter(pk=step.pk, status__in=_STUCK).update(
            status=StepRun.Status.WAITING,
            outcome={"by_hand": task.pk},
            reason=f"Waits for a task by hand: {reason}",
            retry_at=None,
            wake_at=None,
            finished_at=None,
        )
        if not changed:
            raise RefusedError("This step is not stuck any more.")
        _reopen(step.run_id, status=Run.Status.WAITING, wake_at=None)
        _audit(
            "step.by_hand", step.run, actor, reason=reason,
            detail={"step": step.key, "task": task.pk},
        )  # fmt: skip
        ring(ENGINE)
    return task


def _hand_body(step: StepRun, reason: str, *, now: datetime) -> str:
    """Why it is done by hand, what it would have done, and what went wrong."""
    told = hand_facts(step, now=now)
    failed = step.error or step.reason
    lines = [reason, *told, f"What went wrong: {failed}" if failed else ""]
    return "\n".join([*(line for line in lines if line), f"Workflow: {step.run.workflow.name}."])


def _sentence(step: StepRun) -> str:
    """What the step does, in its own words, else its name."""
    try:
        document = parse_document(step.run.version.document)
    except DocumentError:
        return step.key.replace("-", " ")
    for _, found in document.walk():
        if found.key != step.key or not isinstance(found, ActionStep):
            continue
        action = vocabulary_now().action(step.action)
        if action is not None:
            return action.sentence(found.params)
    return step.key.replace("-", " ")


def _open_for(step: StepRun) -> None:
    """Refuse where the run is at work, or held for something else than this step."""
    run = Run.objects.select_for_update().get(pk=step.run_id)
    if run.status not in _REOPENED:
        raise RefusedError(f"The run is {run.get_status_display().lower()}; wait or reload.")
    if run.restarts.exists():
        raise RefusedError("The run was started again; go on there.")
    present = StepRun.objects.get(pk=step.pk)
    own = present.status == StepRun.Status.UNCERTAIN or bool(present.outcome.get("hold"))
    if run.status == Run.Status.HELD and not own:
        raise RefusedError("The run is held for another reason; release or cancel it first.")


def _reopen(run_id: int, *, status: str, wake_at: datetime | None) -> None:
    moved = Run.objects.filter(pk=run_id, status__in=_REOPENED).update(
        status=status, reason="", wake_at=wake_at, finished_at=None
    )
    if not moved:
        raise RefusedError("The run moved on meanwhile; look again.")


def _audit(action: str, run: Run, actor: Actor, *, reason: str, detail: dict[str, object]) -> None:
    record(
        action,
        actor=actor,
        object_type="run",
        object_key=str(run.pk),
        object_label=str(run),
        detail={"runs": [run.pk], "reason": reason, **detail},
    )
