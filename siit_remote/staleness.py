"""A directory that is no longer kept up to date is said aloud: on every page, by mail, as a task.

An outage is one incident: however often it is looked at, people are mailed once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError
from integrations.freshness import PASSING
from integrations.models import Circuit, Connection, Incident, SyncRun
from integrations.people_sources import people_connections
from siit_remote.health import ConnectionHealth, connection_health, sync_hours
from siit_remote.roles import HR_ADMIN, IT_STAFF, OWNER
from workflows.mail import notice_send
from workflows.tasks_by_hand import task_open

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)
_ROLE = "it"
CONCERNED = (OWNER, HR_ADMIN, IT_STAFF)
"""Roles that are told of an outage."""
SILENT_FOR = timedelta(minutes=10)
"""A target that has not answered for so long is told of on every page."""
_TRIES = 2
"""A failure that may pass by itself is told of when it happened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One line above every page."""

    tone: str
    icon: str
    words: str
    url: str
    action: str
    place: str
    """Address below which pages tell of it anyway."""
    on_home: bool = False
    """Whether the home page has no line of its own for it."""


def source_healths(*, now: datetime) -> list[ConnectionHealth]:
    """Where each finished source of people stands at ``now`` (UTC)."""
    rows = people_connections().filter(finished_at__isnull=False)
    hours = sync_hours()
    return [
        connection_health(row, at=now, hours=hours)
        for row in rows.exclude(status=Connection.Status.DISCONNECTED)
    ]


def alerts_for(user: Any, *, now: datetime) -> list[Alert]:
    """What ``user`` is told on every page; nothing for who may not see connections."""
    if not user.has_perm("integrations.view_connection"):
        return []
    healths = source_healths(now=now)
    found = [_alert(health) for health in healths]
    sources = {health.connection.pk for health in healths}
    return [alert for alert in found if alert is not None] + _target_alerts(sources, now=now)


def _target_alerts(sources: set[int], *, now: datetime) -> list[Alert]:
    """Connections that act rather than feed: refused ones, and targets that do not answer."""
    refused = Connection.objects.filter(
        status=Connection.Status.NEEDS_ATTENTION, last_error_code="unauthorized"
    ).exclude(pk__in=sources)
    found = []
    for connection in refused.order_by("name"):
        page = reverse("connection", args=[connection.key])
        words = f"{connection.name} needs attention, and its work is held: {connection.last_error}"
        found.append(
            Alert(
                tone="danger",
                icon="circle-alert",
                words=words,
                url=page,
                place=page,
                action="Mend the connection",
            )
        )
    silent = Circuit.objects.filter(opened_at__lte=now - SILENT_FOR).select_related("connection")
    for circuit in silent.exclude(connection__in=refused):
        page = reverse("connection", args=[circuit.connection.key])
        words = (
            f"{circuit.connection.name} has not answered since {circuit.opened_at:%H:%M} UTC; "
            "what it has to do waits and goes on by itself."
        )
        found.append(
            Alert(tone="warning", icon="timer", words=words, url=page, action="See why", place=page)
        )
    return found


def _alert(health: ConnectionHealth) -> Alert | None:
    """The gravest trouble of one connection."""
    connection, last = health.connection, health.last
    page = reverse("connection", args=[connection.key])
    if connection.status == Connection.Status.NEEDS_ATTENTION:
        words = f"{connection.name} needs attention: {connection.last_error}"
        return Alert(
            tone="danger", icon="circle-alert", words=words, url=page, place=page,
            action="Mend the connection",
        )  # fmt: skip
    if health.held is not None:
        words = f"A sync of {connection.name} is held: {health.held.held_reason}"
        return Alert(
            tone="warning", icon="hand", words=words, action="See whom it would change", place=page,
            url=reverse("sync-run", args=[connection.key, health.held.pk]),
        )  # fmt: skip
    if health.stale:
        words = f"People from {connection.name} may be out of date: no sync has succeeded lately."
        return Alert(
            tone="warning", icon="timer", words=words, url=page, action="See why", place=page
        )
    if last is not None and last.status == SyncRun.Status.FAILED:
        words = f"The last sync of {connection.name} failed: {last.error}"
        return Alert(
            tone="warning", icon="circle-x", words=words, action="Open the sync", place=page,
            on_home=True,
            url=reverse("sync-run", args=[connection.key, last.pk]),
        )  # fmt: skip
    return None


def stale_connections(*, now: datetime) -> list[ConnectionHealth]:
    """Sources without a good sync for two intervals at ``now`` (UTC)."""
    return [health for health in source_healths(now=now) if health.stale]


def stale_report(*, now: datetime) -> int:
    """Tell of every outage, once: a task for IT where a directory is stale, and mail.

    Returns how many are stale.
    """
    healths = source_healths(now=now)
    for health in healths:
        if health.stale:
            _task(health, now=now)
            _tell(health, Incident.Kind.STALE, now=now)
        elif sync_has_failed(health) and not _refusal_is_told(health.connection):
            _tell(health, Incident.Kind.FAILED, now=now)
    return sum(health.stale for health in healths)


def _task(health: ConnectionHealth, *, now: datetime) -> None:
    connection, last = health.connection, health.last_good
    logger.error("The directory of connection %s is stale", connection.pk)
    task_open(
        key=f"stale:{connection.key}:{last.pk if last else 0}",
        title=f"{connection.name} has not been synced",
        body=(
            "Dates may be out of date, so people may start or leave unnoticed. Open the "
            "connection, read why the last sync failed or is held, and sync again."
        ),
        role=_ROLE,
        now=now,
    )


def _refusal_is_told(connection: Connection) -> bool:
    """Whether its work was refused before its sync was: people know then."""
    open_ones = Incident.objects.filter(kind=Incident.Kind.REFUSED, closed_at=None)
    return open_ones.filter(connection=connection).exists()


def sync_has_failed(health: ConnectionHealth) -> bool:
    """Whether its last sync failed in a way that people are told of."""
    last = health.last
    if last is None or last.status != SyncRun.Status.FAILED:
        return False
    if last.error_code not in PASSING:
        return True
    since = health.last_good.pk if health.last_good else 0
    failed = SyncRun.objects.filter(
        connection=health.connection, pk__gt=since, status=SyncRun.Status.FAILED
    )
    return failed.count() >= _TRIES


def _tell(health: ConnectionHealth, kind: str, *, now: datetime) -> None:
    """Mail those concerned; who could not be reached at all is tried again in the next pass."""
    connection, good = health.connection, health.last_good
    incident, _ = Incident.objects.get_or_create(
        connection=connection,
        kind=kind,
        since_sync=good.pk if good else 0,
        defaults={"opened_at": now},
    )
    if incident.mailed_to:
        return
    subject, text = _words(health, kind)
    reached = roles_mail(CONCERNED, subject=subject, text=text, key=f"incident:{incident.pk}")
    Incident.objects.filter(pk=incident.pk).update(mailed_to=reached)


def roles_mail(roles: Iterable[str], *, subject: str, text: str, key: str) -> int:
    """Mail everybody with one of these roles; returns how many could be reached."""
    reached = 0
    for user in _with_roles(roles):
        message = OutgoingMessage(to=user.email, subject=subject, text=text)
        try:
            notice_send(message, key=f"{key}:{user.pk}")
        except IntegrationError as error:
            logger.warning("no mail about %s: %s", key, error.code)
        else:
            reached += 1
    return reached


def _with_roles(roles: Iterable[str]) -> QuerySet[Any]:
    users = get_user_model().objects.filter(is_active=True, groups__name__in=roles)
    return users.exclude(email="").distinct().order_by("pk")


def _words(health: ConnectionHealth, kind: str) -> tuple[str, str]:
    connection, last, good = health.connection, health.last, health.last_good
    page = settings.SITE_URL + reverse("connection", args=[connection.key])
    since = f"{good.finished_at:%-d %b %Y, %H:%M} UTC" if good and good.finished_at else "never"
    why = f"\nWhat it says: {last.error}\n" if last and last.error else ""
    if kind == Incident.Kind.STALE:
        subject = f"People from {connection.name} are out of date"
        opening = "No sync has succeeded for two intervals. People may start or leave unnoticed."
    else:
        subject = f"Syncs of {connection.name} fail"
        opening = "The directory keeps its last good state; changes do not arrive."
    name = " ".join(subject.split())[:300]
    return name, f"{opening}\n\nLast good sync: {since}\n{why}\nOpen the connection:\n{page}\n"
