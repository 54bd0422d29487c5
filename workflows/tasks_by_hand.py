"""Tasks for people: opened once for each cause, finished by a conditional update."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.models import AppAccess
from people.models import Person, Role
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.engine.wake import run_wake
from workflows.models import Task

if TYPE_CHECKING:
    from workflows.models import StepRun

ENGINE = "siit_remote.tasks.run_due"


class TaskRefusedError(Exception):
    """The task cannot be finished now; the message says why."""


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
    due_on: date | None = None,
    settles: dict[str, Any] | None = None,
) -> Task:
    """Open the task for this cause, or give the one that is there already."""
    with transaction.atomic():
        circle = Role.objects.get_or_create(name=role)[0] if role else None
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
                "settles": settles or {},
                "created_at": now,
            },
        )
        if made:
            record(
                "task.created", object_type="task", object_key=str(task.pk), object_label=task.title
            )
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

    Raises :class:`TaskRefusedError` when somebody was faster.
    """
    with transaction.atomic():
        changed = Task.objects.filter(pk=task_id, status=Task.Status.OPEN).update(
            status=Task.Status.DONE,
            done_at=now,
            done_by=by,
            done_by_label=by_label[:200],
            comment=comment,
        )
        task = Task.objects.select_related("step").get(pk=task_id)
        if not changed:
            raise TaskRefusedError(f"This task is {task.status} already, by {task.done_by_label}.")
        evidence = {"task": task.pk, "by": task.done_by_label}
        access_settle(task.settles, evidence=evidence, now=now)
        record(
            "task.done",
            actor=actor,
            actor_label=by_label,
            object_type="task",
            object_key=str(task.pk),
            object_label=task.title,
            detail={"comment": comment},
        )
        if task.step is not None:
            run_wake(task.step.run_id, at=now)
            ring(ENGINE)
    return task


def access_settle(settles: Mapping[str, Any], *, evidence: dict[str, Any], now: datetime) -> None:
    """Write down that what a task or an endpoint stood for is done: given or taken away."""
    access = settles.get("access")
    state = settles.get("state")
    if access is None or state not in (AppAccess.State.GRANTED, AppAccess.State.REVOKED):
        return
    revoked = state == AppAccess.State.REVOKED
    changes: dict[str, Any] = {"ended_at": now} if revoked else {"since": now}
    changed = (
        AppAccess.objects.filter(pk=access)
        .exclude(state__in=[AppAccess.State.REVOKED, state])
        .update(state=state, evidence=evidence, **changes)
    )
    if changed:
        row = AppAccess.objects.select_related("application").get(pk=access)
        record(
            "access.revoked" if revoked else "access.granted",
            object_type="application",
            object_key=row.application.key,
            object_label=row.application.name,
            detail={"person": row.person_id, "run": row.run_id},
        )
