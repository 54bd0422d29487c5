"""Who has a task: taking it, handing it over, what is said and ticked on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from people.models import Person, Role
from siit_remote.audit.services import record
from workflows.approvers.people import can_answer
from workflows.models import Task
from workflows.task_notes import task_note
from workflows.tasks_by_hand import TaskRefusedError


def task_take(
    task_id: int, *, by: Person, now: datetime, actor: Any = None, seen: int | None = None
) -> Task:
    """Make it one's own. ``seen``: who had it when the page was read.

    Raises :class:`TaskRefusedError` when somebody else took it meanwhile.
    """
    with transaction.atomic():
        rows = Task.objects.filter(pk=task_id, status=Task.Status.OPEN)
        rows = rows.filter(assignee__isnull=True) if seen is None else rows.filter(assignee_id=seen)
        if not rows.update(assignee=by):
            task = _found(task_id)
            if task.is_open and task.assignee_id == by.pk:
                return task
            raise TaskRefusedError(_gone(task))
        task = _found(task_id)
        task_note(task, f"{by} took it.", now=now)
        _record("task.taken", task, actor, by=by.work_email)
    return task


def task_hand_over(
    task_id: int,
    *,
    to: Person | Role,
    reason: str,
    by_label: str,
    now: datetime,
    actor: Any = None,
) -> Task:
    """Give it to somebody else or to a role, who hear of it at once; the due day stays.

    Raises :class:`TaskRefusedError`, in words.
    """
    if not reason.strip():
        raise TaskRefusedError("Say why it is handed over; both will read it.")
    if isinstance(to, Person) and not can_answer(to):
        raise TaskRefusedError(f"{to} has left or cannot sign in.")
    values = {"assignee": to} if isinstance(to, Person) else {"assignee": None, "role": to}
    with transaction.atomic():
        before = _found(task_id)
        changed = Task.objects.filter(pk=task_id, status=Task.Status.OPEN).update(
            **values, remind_at=now, notified_at=None
        )
        if not changed:
            raise TaskRefusedError(_gone(_found(task_id)))
        task = _found(task_id)
        task_note(task, f"Handed over by {by_label} to {to}: {reason.strip()}", now=now)
        _record(
            "task.handed_over", task, actor,
            was=holder_words(before), to=holder_words(task), reason=reason.strip(),
        )  # fmt: skip
    return task


def holder_words(task: Task) -> str:
    """Who has it, in words for a log."""
    if task.assignee is not None:
        return task.assignee.work_email
    return f"role {task.role}" if task.role is not None else "nobody"


def task_comment(task_id: int, *, text: str, by: Person, now: datetime) -> None:
    """Say something under it. Raises :class:`TaskRefusedError` for nothing."""
    if not text.strip():
        raise TaskRefusedError("Write something first.")
    task_note(_found(task_id), text.strip(), now=now, author=by)


def task_tick(task_id: int, *, point: int, done: bool, by: str, now: datetime) -> Task:
    """Tick one point of the checklist, or take the tick back.

    Raises :class:`TaskRefusedError` when the task is not open or has no such point.
    """
    with transaction.atomic():
        task = Task.objects.select_for_update().filter(pk=task_id).first()
        if task is None or not task.is_open:
            raise TaskRefusedError("This task is not open any more.")
        if not 0 <= point < len(task.checklist):
            raise TaskRefusedError("There is no such point on the list.")
        item = dict(task.checklist[point])
        item |= {"done": done, "by": by if done else "", "at": now.isoformat() if done else ""}
        task.checklist[point] = item
        task.save(update_fields=["checklist"])
    return task


def tasks_each(
    task_ids: Iterable[int], act: Callable[[int], object]
) -> tuple[int, list[tuple[int, str]]]:
    """Carry out ``act`` for each on its own: how many were done, and each refused with why."""
    done, refused = 0, []
    for pk in dict.fromkeys(task_ids):
        try:
            act(pk)
        except TaskRefusedError as error:
            refused.append((pk, str(error)))
        else:
            done += 1
    return done, refused


def _found(task_id: int) -> Task:
    task = Task.objects.select_related("assignee", "role").filter(pk=task_id).first()
    if task is None:
        raise TaskRefusedError("There is no such task.")
    return task


def _gone(task: Task) -> str:
    if not task.is_open:
        whom = f", by {task.done_by_label}" if task.done_by_label else ""
        return f"This task is {task.get_status_display().lower()} already{whom}."
    return f"{task.assignee or 'Nobody'} has it now; look again."


def _record(action: str, task: Task, actor: Any, **detail: str) -> None:
    record(
        action,
        actor=actor,
        object_type="task",
        object_key=str(task.pk),
        object_label=task.title,
        detail=dict(detail),
    )
