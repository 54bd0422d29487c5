"""What happens while nobody does a task: told, reminded, passed on. Never in silence."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from people.choices import PersonStatus
from people.models import Person, Role
from siit_remote.audit.services import record
from workflows.approvers.people import addresses_switched_off, can_answer
from workflows.models import Task
from workflows.task_days import days_of_task, due_day, escalates_now, members_of, next_word
from workflows.task_mail import Word, tasks_tell
from workflows.task_notes import task_note
from workflows.tasks_handing import holder_words

LAST_RESORT = ("hr", "it")
"""Roles that are asked when whoever has a task names nobody else."""
_AGAIN = timedelta(hours=1)
"""After a word that could not be sent."""
_AT_ONCE = 500


def tasks_watch(*, now: datetime) -> dict[str, int]:
    """Move tasks of who left, pass on what is long overdue, tell who has something to do.

    Safe to run twice at once: each task is claimed by a conditional update before anybody is told.
    """
    moved = tasks_move_from_gone(now=now)
    rows = _open().filter(remind_at__lte=now).order_by("remind_at", "pk")[:_AT_ONCE]
    words: dict[Person, list[Word]] = defaultdict(list)
    told: dict[int, list[Person]] = {}
    escalated = 0
    for task in rows:
        days = days_of_task(task)
        if escalates_now(task, days, now=now):
            escalated += task_escalate(task, now=now)
        why = _why(task, now=now)
        if not _claimed(task, next_word(task, days_of_task(task), now=now)):
            continue
        told[task.pk] = _listeners(task, now=now)
        for person in told[task.pk]:
            words[person].append(Word(task=task, why=why))
    reached = {person for person, found in words.items() if tasks_tell(person, found, now=now)}
    _note_reached(told, reached, now=now)
    return {"moved": moved, "escalated": escalated, "told": len(reached)}


def _open() -> QuerySet[Task]:
    return Task.objects.filter(status=Task.Status.OPEN).select_related(
        "assignee__manager", "role__lead", "subject"
    )


def _why(task: Task, *, now: datetime) -> str:
    days = days_of_task(task)
    today, due = days.today(now), due_day(task, days)
    if task.notified_at is None:
        return "Yours now"
    if today < due:
        return "Still open"
    return "Due today" if today == due else "Overdue"


def _is_late(task: Task, *, now: datetime) -> bool:
    days = days_of_task(task)
    return days.today(now) > due_day(task, days)


def _claimed(task: Task, next_at: datetime) -> bool:
    return bool(
        Task.objects.filter(pk=task.pk, status=Task.Status.OPEN, remind_at=task.remind_at).update(
            remind_at=next_at, reminders=F("reminders") + 1
        )
    )


def _listeners(task: Task, *, now: datetime) -> list[Person]:
    """Whoever has it; where the role is empty, those it goes to then."""
    if task.assignee is not None:
        return [task.assignee]
    found = members_of(task.role, besides=task.subject)
    if found:
        return found
    task_escalate(task, now=now)
    return [task.assignee] if task.assignee is not None else members_of(task.role)


def _note_reached(told: dict[int, list[Person]], reached: set[Person], *, now: datetime) -> None:
    """Who heard of it is written down; what nobody heard of is told again soon."""
    heard = [pk for pk, people in told.items() if reached.intersection(people)]
    Task.objects.filter(pk__in=heard).update(notified_at=now)
    unheard = [pk for pk, people in told.items() if people and not reached.intersection(people)]
    Task.objects.filter(pk__in=unheard, status=Task.Status.OPEN).update(remind_at=now + _AGAIN)


def task_escalate(task: Task, *, now: datetime) -> bool:
    """Pass it on, once: to whom the task names, the role's lead, or at last HR or IT.

    Where nobody is left that is written under the task. False when another worker was faster.
    """
    to = _above(task)
    was = str(task.assignee or task.role or "Nobody")
    values: dict[str, object] = {"escalated_at": now}
    if isinstance(to, Person):
        values["assignee"] = to
    elif to is not None:
        values |= {"assignee": None, "role": to}
    if to is not None:
        values |= {"notified_at": None}
    with transaction.atomic():
        rows = Task.objects.filter(pk=task.pk, status=Task.Status.OPEN, escalated_at__isnull=True)
        if not rows.update(**values):
            return False
        before = holder_words(task)
        for name, value in values.items():
            setattr(task, name, value)
        late = "did not do it in time" if _is_late(task, now=now) else "cannot do it"
        words = (
            f"{was} {late}; {to} has it now."
            if to
            else (f"{was} {late}, and nobody else is named: set a lead for the role.")
        )
        task_note(task, words, now=now)
        record(
            "task.escalated",
            object_type="task",
            object_key=str(task.pk),
            object_label=task.title,
            detail={"was": before, "to": holder_words(task) if to else "nobody"},
        )
    return True


def _above(task: Task) -> Person | Role | None:
    """Who gets it next; never who has it now, never whom it is about."""
    named = _named(task.escalate_to)
    lead = task.role.lead if task.role is not None else None
    above = task.assignee.manager if task.assignee is not None else None
    last = [Role.objects.filter(name=name).first() for name in LAST_RESORT]
    for one in (named, lead, above if task.role is None else None, *last):
        if isinstance(one, Person) and _fits(one, task):
            return one
        if isinstance(one, Role) and one != task.role and members_of(one, besides=task.subject):
            return one
    return None


def _fits(person: Person, task: Task) -> bool:
    return person.pk not in (task.assignee_id, task.subject_id) and can_answer(person)


def _named(words: str) -> Person | Role | None:
    if "@" in words:
        return Person.objects.filter(work_email=words.lower()).first()
    return Role.objects.select_related("lead").filter(name=words).first() if words else None


def tasks_move_from_gone(*, now: datetime, person: Person | None = None) -> int:
    """Open tasks of people who left or cannot sign in go back to their role, else to IT or HR.

    ``person``: only theirs. Returns how many moved.
    """
    off = addresses_switched_off()
    gone = Q(assignee__status=PersonStatus.ENDED) | Q(assignee__work_email__in=off)
    rows = _open().filter(gone)
    if person is not None:
        rows = rows.filter(assignee=person)
    return sum(_give_back(task, now=now) for task in rows)


def _give_back(task: Task, *, now: datetime) -> bool:
    was = task.assignee
    role = task.role
    if role is None or not members_of(role, besides=task.subject):
        others = [Role.objects.filter(name=name).first() for name in ("it", "hr")]
        role = next((one for one in others if members_of(one, besides=task.subject)), role)
    if role is None:
        role = Role.objects.get_or_create(name="it")[0]
    with transaction.atomic():
        changed = Task.objects.filter(pk=task.pk, status=Task.Status.OPEN, assignee=was).update(
            assignee=None, role=role, remind_at=now, notified_at=None
        )
        if changed:
            words = f"{was} has left or cannot sign in; the role {role} has it now."
            task_note(task, words, now=now)
            record(
                "task.handed_over",
                object_type="task",
                object_key=str(task.pk),
                object_label=task.title,
                detail={"was": was.work_email if was else "", "to": f"role {role}"},
            )
    return bool(changed)
