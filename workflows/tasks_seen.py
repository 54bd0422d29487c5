"""Which tasks somebody sees, which are theirs, and how the list is narrowed down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from people.identity import person_of
from people.models import Person, Role
from workflows.category_rights import rights_of
from workflows.models import Task, Workflow

DUE = (
    ("overdue", "Overdue"),
    ("today", "Due today"),
    ("week", "Due within 7 days"),
    ("none", "No due day"),
)
_WEEK = timedelta(days=7)


def tasks_open_to(user: Any) -> QuerySet[Task]:
    """All with ``view_task``; others see their own, their circles', and those they did.

    What a workflow asks whose category is closed to the user is open to whose task it is alone.
    """
    found = Task.objects.select_related(
        "subject", "subject__team", "role", "assignee", "done_by", "step__run__workflow"
    )
    me = person_of(user)
    theirs = None
    if me is not None and me.is_current:
        theirs = Q(assignee=me) | Q(role__members=me) | Q(done_by=me)
    if user.has_perm("workflows.view_task"):
        return rights_of(user).listed(found, run="step__run", theirs=theirs)
    return found.filter(theirs).distinct() if theirs is not None else found.none()


def tasks_of(person: Person) -> Q:
    """What waits for this person: their own, and what nobody of their circles has taken yet."""
    return Q(assignee=person) | Q(assignee__isnull=True, role__members=person)


def task_finishes(user: Any, task: Task) -> bool:
    """Whose task it is acts on it, and who may change tasks."""
    if not task.is_open:
        return False
    if user.has_perm("workflows.change_task"):
        return True
    me = person_of(user)
    if me is None or not me.is_current:
        return False
    return Task.objects.filter(tasks_of(me), pk=task.pk).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What the list is narrowed down to; empty: not at all."""

    tab: str = ""
    text: str = ""
    role: str = ""
    workflow: str = ""
    due: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Narrowing:
        """From an address; what makes no sense narrows nothing."""
        due = query.get("due", "")
        return cls(
            tab=query.get("show", ""),
            text=query.get("q", "").strip()[:100],
            role=query.get("role", "")[:60],
            workflow=query.get("workflow", "")[:100],
            due=due if due in dict(DUE) else "",
        )

    @property
    def narrowed(self) -> bool:
        """Whether anything but the tab narrows it."""
        return bool(self.text or self.role or self.workflow or self.due)


def tabs_of(
    found: QuerySet[Task], me: Person | None, today: date
) -> dict[str, tuple[str, QuerySet[Task]]]:
    """Key → (label, rows), in the order they are shown."""
    open_ = found.filter(status=Task.Status.OPEN)
    mine = open_.filter(assignee=me) if me is not None else open_.none()
    role = open_.filter(role__members=me).exclude(assignee=me) if me is not None else open_.none()
    return {
        "mine": ("Mine", mine),
        "role": ("My roles’", role.distinct()),
        "all": ("All open", open_),
        "overdue": ("Overdue", open_.filter(due_on__lt=today)),
        "ended": ("Done", found.exclude(status=Task.Status.OPEN).order_by("-done_at", "-pk")),
    }


def narrowed(rows: QuerySet[Task], by: Narrowing, *, today: date) -> QuerySet[Task]:
    """Rows whose title or person holds every word, of that role, workflow and due day."""
    for word in by.text.split():
        rows = rows.filter(
            Q(title__icontains=word)
            | Q(subject__full_name__icontains=word)
            | Q(subject__work_email__icontains=word)
        )
    if by.role:
        rows = rows.filter(role__name=by.role)
    if by.workflow:
        rows = rows.filter(step__run__workflow__key=by.workflow)
    return {
        "overdue": rows.filter(due_on__lt=today),
        "today": rows.filter(due_on=today),
        "week": rows.filter(due_on__gte=today, due_on__lte=today + _WEEK),
        "none": rows.filter(due_on__isnull=True),
    }.get(by.due, rows)


def roles_in(found: QuerySet[Task]) -> list[str]:
    """Names of roles that have any of these tasks."""
    rows = Role.objects.filter(pk__in=found.order_by().values("role"))
    return list(rows.values_list("name", flat=True))


def workflows_in(found: QuerySet[Task]) -> list[Workflow]:
    """Workflows that opened any of these tasks, by name."""
    keys = found.order_by().values("step__run__workflow")
    return list(Workflow.objects.filter(pk__in=keys).order_by("name"))
