"""Tasks for people: opened once for each cause, finished by a conditional update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.access_rows import Hand, access_declare, access_refused
from integrations.models import AppAccess
from people.models import Person, Role
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.engine.wake import run_wake
from workflows.models import Task
from workflows.notes import note_add
from workflows.shipment_states import shipment_settle
from workflows.task_days import DUE_DAYS, days_of

if TYPE_CHECKING:
    from workflows.models import StepRun

ENGINE = "siit_remote.tasks.run_due"
MOST_POINTS = 50


class TaskRefusedError(Exception):
    """What was tried with a task is not done; the message says why."""


def task_open(
    *,
    key: str,
    title: str,
    now: datetime,
    body: str = "",
    role: str = "",
    assignee: Person | None = None,
    subject: Person | None = None,
    step: StepRun | None = None,
    due_days: int = DUE_DAYS,
    checklist: Sequence[str] = (),
    remind_every: int = 1,
    escalate_after: int = 2,
    escalate_to: str = "",
    settles: dict[str, Any] | None = None,
) -> Task:
    """Open the task for this cause, or give the one that is there already.

    ``due_days``: working days of whoever gets it. They are told by mail at
    the next look, reminded every ``remind_every`` working days, and ``escalate_after`` working days
    past the due day it goes to ``escalate_to`` (a role or a work email; empty: the role's lead).
    """
    with transaction.atomic():
        circle = Role.objects.get_or_create(name=role)[0] if role else None
        days = days_of(assignee=assignee, role=circle, subject=subject)
        due_on = days.after(days.today(now), due_days)
        points = [" ".join(point.split())[:300] for point in checklist][:MOST_POINTS]
        task, made = Task.objects.get_or_create(
            key=key[:80],
            defaults={
                "title": title[:300],
                "body": body,
                "role": circle,
                "assignee": assignee,
                "subject": subject,
                "step": step,
                "due_on": due_on,
                "checklist": [{"text": point, "done": False} for point in points if point],
                "remind_every": remind_every,
                "remind_at": now,
                "escalate_after": escalate_after,
                "escalate_to": escalate_to[:254],
                "settles": settles or {},
                "created_at": now,
            },
        )
        if made:
            _record("task.created", task)
    return task


def task_done(
    task_id: int,
    *,
    by: Person | None,
    by_label: str,
    comment: str,
    now: datetime,
    actor: Any = None,
) -> Task:
    """Finish a task: settle the access it stands for and wake the run that waits for it.

    ``comment`` says what was done; it is kept as the proof. Raises :class:`TaskRefusedError`
    without one, while points of the checklist are open, or when somebody was faster.
    """
    words = comment.strip()
    if not words:
        raise TaskRefusedError("Say what you did: it is kept as the proof.")
    with transaction.atomic():
        found = _locked(task_id)
        if found.is_open and found.left_to_tick:
            left = found.left_to_tick
            raise TaskRefusedError(
                f"{left} of {len(found.checklist)} points are not ticked yet: tick them, or say "
                "that it cannot be done."
            )
        task = _end(found, Task.Status.DONE, by=by, by_label=by_label, words=words, now=now)
        evidence = {"task": task.pk, "by": task.done_by_label, "what": words}
        access_settle(task.settles, evidence=evidence, now=now, words=words)
        if "shipment" in task.settles and "state" in task.settles:
            shipment_settle(
                int(task.settles["shipment"]),
                str(task.settles["state"]),
                text=words,
                by_label=task.done_by_label,
                now=now,
            )
        _record("task.done", task, actor=actor, by_label=by_label, comment=words)
        _wake(task, now=now)
    return task


def task_refuse(
    task_id: int,
    *,
    by: Person | None,
    by_label: str,
    reason: str,
    now: datetime,
    actor: Any = None,
) -> Task:
    """Say that it cannot be done, and why. A run that waits goes on by that outcome.

    Access the task stands for is marked as failed. Raises :class:`TaskRefusedError`.
    """
    words = reason.strip()
    if not words:
        raise TaskRefusedError("Say why it cannot be done; whoever waits for it will read it.")
    with transaction.atomic():
        found = _locked(task_id)
        task = _end(found, Task.Status.REFUSED, by=by, by_label=by_label, words=words, now=now)
        access = task.settles.get("access")
        if access is not None:
            evidence = {"task": task.pk, "by": task.done_by_label, "why": words}
            hand = Hand(by_label=task.done_by_label)
            access_refused(int(access), words=words, evidence=evidence, hand=hand, now=now)
        _record("task.refused", task, actor=actor, by_label=by_label, comment=words)
        _wake(task, now=now)
    return task


def _locked(task_id: int) -> Task:
    task = Task.objects.select_for_update().filter(pk=task_id).first()
    if task is None:
        raise TaskRefusedError("There is no such task.")
    return task


def _end(
    task: Task, status: str, *, by: Person | None, by_label: str, words: str, now: datetime
) -> Task:
    changed = Task.objects.filter(pk=task.pk, status=Task.Status.OPEN).update(
        status=status,
        done_at=now,
        done_by=by,
        done_by_label=by_label[:200],
        comment=words,
        remind_at=None,
    )
    task.refresh_from_db()
    if changed and task.step is not None and task.step.run.request is not None:
        did = "did" if status == Task.Status.DONE else "cannot do"
        by_whom = str(by) if by is not None else by_label
        note_add(task.step.run.request, f"{by_whom} {did}: {task.title}", now=now)
    if not changed:
        whom = f", by {task.done_by_label}" if task.done_by_label else ""
        raise TaskRefusedError(f"This task is {task.get_status_display().lower()} already{whom}.")
    return task


def _wake(task: Task, *, now: datetime) -> None:
    if task.step is not None:
        run_wake(task.step.run_id, at=now)
        ring(ENGINE)


def _record(
    action: str, task: Task, *, actor: Any = None, by_label: str = "", **detail: Any
) -> None:
    record(
        action,
        actor=actor,
        actor_label=by_label,
        object_type="task",
        object_key=str(task.pk),
        object_label=task.title,
        detail=detail or None,
    )


def access_settle(
    settles: Mapping[str, Any], *, evidence: dict[str, Any], now: datetime, words: str = ""
) -> None:
    """Write down that what a task or an endpoint stood for is done: given or taken away."""
    access = settles.get("access")
    state = settles.get("state")
    if access is None or state not in (AppAccess.State.GRANTED, AppAccess.State.REVOKED):
        return
    aim = AppAccess.Aim.GONE if state == AppAccess.State.REVOKED else AppAccess.Aim.HAVE
    row = (
        AppAccess.objects.select_related("application", "person")
        # Meanwhile it may be meant to come to the opposite: then an old task settles nothing.
        .filter(pk=access, aim=aim)
        .first()
    )
    if row is not None:
        by = str(evidence.get("by", ""))
        hand = Hand(run_id=row.run_id, by_label=by)
        access_declare(row, state=state, evidence=evidence, hand=hand, now=now, words=words)
        if row.run_id is not None:
            # The run that waits for it may be another than the one that opened the task.
            run_wake(row.run_id, at=now)
