"""When a task is due and when somebody hears of it: working days of whoever has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from people.defaults import workspace_get
from people.models import Person, Role
from siit_remote.lib import clock
from workflows.approvers.people import addresses_switched_off
from workflows.models import Task
from workflows.timing import add_working_days, is_working_day, local_instant, zone_of

_MORNING = time(9, 0)
DUE_DAYS = 3
"""Working days, unless whoever asks says otherwise."""


@dataclass(frozen=True, slots=True)
class Days:
    """The calendar of whoever has a task: holidays of ``country`` (alpha-3), days of ``zone``."""

    country: str
    zone: str

    def today(self, now: datetime) -> date:
        """Their own date."""
        return clock.today_in(zone_of(self.zone), now)

    def after(self, day: date, count: int) -> date:
        """The date ``count`` working days after ``day``."""
        return add_working_days(day, count, self.country)

    def morning(self, day: date) -> datetime:
        """9:00 of a day there, as an instant (UTC)."""
        return local_instant(day, _MORNING, zone_of(self.zone))

    def works(self, day: date) -> bool:
        """Whether the day is a working day there."""
        return is_working_day(day, self.country)


def members_of(role: Role | None, *, besides: Person | None = None) -> list[Person]:
    """Members who can answer, by name; never ``besides``."""
    if role is None:
        return []
    off = addresses_switched_off()
    return [
        person
        for person in role.members.order_by("full_name", "pk")
        if person.is_current
        and person.work_email not in off
        and (besides is None or person.pk != besides.pk)
    ]


def days_of(*, assignee: Person | None, role: Role | None, subject: Person | None) -> Days:
    """The assignee's calendar; a role's is its lead's, else the one its members share.

    Where they share none, the person's the task is about; the zone is the workspace's at last.
    """
    ours = workspace_get().timezone
    one = assignee or (role.lead if role is not None else None)
    if one is not None:
        return Days(one.country, one.timezone or ours)
    members = members_of(role)
    country = _shared([person.country for person in members])
    zone = _shared([person.timezone for person in members])
    if not country and subject is not None:
        country = subject.country
    return Days(country, zone or ours)


def _shared(values: Sequence[str]) -> str:
    return values[0] if values and len(set(values)) == 1 else ""


def days_of_task(task: Task) -> Days:
    """The calendar of whoever has this task now."""
    return days_of(assignee=task.assignee, role=task.role, subject=task.subject)


def due_day(task: Task, days: Days) -> date:
    """When it is due. One without a day of its own is late as if it had been given the usual."""
    return task.due_on or days.after(days.today(task.created_at), DUE_DAYS)


def next_word(task: Task, days: Days, *, now: datetime) -> datetime:
    """When to speak of it next: the morning of the due day, then every few working days."""
    today = days.today(now)
    due = due_day(task, days)
    if today < due:
        return days.morning(due if days.works(due) else days.after(due, 1))
    return days.morning(days.after(today, max(task.remind_every, 1)))


def escalates_now(task: Task, days: Days, *, now: datetime) -> bool:
    """Whether nobody did it so many working days past the due day, and nobody else was asked."""
    if task.escalated_at is not None:
        return False
    return days.today(now) > days.after(due_day(task, days), task.escalate_after)
