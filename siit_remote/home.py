"""The first page: what needs attention, what waits for you, who starts and leaves soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from integrations.models import Connection
from people.choices import PersonStatus
from people.identity import fields_hidden_from, person_of
from people.selectors import people_visible_to
from siit_remote.lib import clock
from workflows.access.leavers import COUNTED, leavers, leaving_people
from workflows.inbox import approvals_waiting_for
from workflows.models import Approval, Request, Task
from workflows.tasks_seen import tasks_of
from workflows.views.leaver import RIGHTS as LEAVERS
from workflows.views.leaver import fleet_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from people.models import Person
    from siit_remote.health import ConnectionHealth, Overview

DAYS_AHEAD = 30
SHOWN = 8
"""Rows of each list; the rest is one link away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to look at: ``tone`` is warning or danger, ``url`` leads to where it is mended."""

    tone: str
    icon: str
    words: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Somebody starts or leaves on a day of their own calendar."""

    person: Person
    on: date
    leaves: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the signed-in person is asked to do, the most pressing first."""

    approvals: list[Approval]
    tasks: list[Task]
    requests: list[Request]


def notices(overview: Overview) -> list[Notice]:
    """What is broken, held or failed, by what the user of ``overview`` may see."""
    found = [note for health in overview.connections or [] for note in _of_connection(health)]
    runs = reverse("runs")
    if overview.holds:
        lists = "One list" if overview.holds == 1 else f"{overview.holds} lists"
        found.append(
            Notice(
                tone="warning",
                icon="hand",
                words=f"{lists} of people held: nothing has happened yet, and a second person has "
                "to look.",
                url=reverse("holds"),
            )
        )
    if overview.directory:
        found.append(
            Notice(
                tone="danger",
                icon="shield-alert",
                words=overview.directory,
                url=reverse("recovery" if overview.restored else "integrations"),
            )
        )
    if overview.runs_held:
        found.append(
            Notice(
                tone="warning",
                icon="hand",
                words=f"{_runs(overview.runs_held)} held until somebody looks.",
                url=f"{runs}?state=held",
            )
        )
    if overview.runs_failed:
        found.append(
            Notice(
                tone="danger",
                icon="circle-x",
                words=f"{_runs(overview.runs_failed)} failed in the last seven days.",
                url=f"{runs}?state=failed",
            )
        )
    return found


def _runs(count: int) -> str:
    return "One run" if count == 1 else f"{count} runs"


def _of_connection(health: ConnectionHealth) -> Iterator[Notice]:
    connection = health.connection
    page = reverse("connection", args=[connection.key])
    if connection.status == Connection.Status.NEEDS_ATTENTION:
        yield Notice(
            tone="danger",
            icon="circle-alert",
            words=f"{connection.name} needs attention. {connection.last_error}",
            url=page,
        )
    if health.held is not None:
        yield Notice(
            tone="warning",
            icon="hand",
            words=f"A sync of {connection.name} is held: {health.held.held_reason}",
            url=reverse("sync-run", args=[connection.key, health.held.pk]),
        )
    if health.stale:
        yield Notice(
            tone="warning",
            icon="timer",
            words=f"{connection.name} has not synced for too long. Check that the worker runs.",
            url=page,
        )


def coming_up(user: Any, *, today: date) -> list[Coming]:
    """Who of the people ``user`` may see starts or leaves within :data:`DAYS_AHEAD` days.

    ``today`` is the workspace's date; a date that the user may not see does not appear.
    """
    until = today + timedelta(days=DAYS_AHEAD)
    hidden = fields_hidden_from(user)
    me = person_of(user)
    people = (
        people_visible_to(user)
        .exclude(status__in=[PersonStatus.ENDED, PersonStatus.EXTERNAL])
        .select_related("team")
    )
    if me is not None:
        people = people.exclude(pk=me.pk)
    found: list[Coming] = []
    for field, leaves in (("start_date", False), ("end_date", True)):
        if field in hidden:
            continue
        soon = people.filter(**{f"{field}__range": (today, until)}).order_by(field, "pk")
        found += [
            Coming(person=person, on=getattr(person, field), leaves=leaves)
            for person in soon[:SHOWN]
        ]
    return sorted(found, key=lambda item: (item.on, item.leaves, item.person.pk))[:SHOWN]


def leaving_figure(user: Any, *, today: date) -> dict[str, Any] | None:
    """How fast access ends after the last day, for who may see leavers; ``None`` for others."""
    if not user.has_perms(LEAVERS) or "end_date" in fields_hidden_from(user):
        return None
    recent = leaving_people(today=today).filter(end_date__gte=today - COUNTED)
    return fleet_words(leavers(recent, now=clock.now()), today=today) | {"days": COUNTED.days}


def waiting_for(me: Person | None) -> Waiting:
    """Open approvals, tasks and own requests of ``me``; nothing for an account without a person."""
    if me is None:
        return Waiting(approvals=[], tasks=[], requests=[])
    approvals = approvals_waiting_for(me, clock.now())
    tasks = Task.objects.filter(tasks_of(me), status=Task.Status.OPEN).distinct()
    requests = (
        Request.objects.filter(requester=me)
        .exclude(status__in=[Request.Status.RESOLVED, Request.Status.CANCELLED])
        .select_related("service")
    )
    return Waiting(
        approvals=list(approvals[:SHOWN]),
        tasks=list(tasks.order_by("due_on", "pk")[:SHOWN]),
        requests=list(requests[:SHOWN]),
    )
