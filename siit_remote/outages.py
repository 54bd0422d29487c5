"""A target that stops answering, or refuses our credential: told once, and again when it is over.

An outage is one row from its beginning to its end, so that looking at it more often mails nobody
again. One that comes back for a moment only is the same outage.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Min, Q
from django.urls import reverse

from integrations.models import Circuit, Connection, Incident
from siit_remote.roles import IT_STAFF, OWNER
from siit_remote.staleness import SILENT_FOR, roles_mail, source_healths, sync_has_failed
from workflows.models import Run

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

CONCERNED = (OWNER, IT_STAFF)
"""Roles that are told of a target's outage; of a stale directory HR is told as well."""
CALM_FOR = timedelta(minutes=10)
"""A target is told to be back when it has stayed so for so long."""
TELLS_FOR = timedelta(days=1)
"""An end of which nobody could be told for so long is not told any more."""
_SILENT, _REFUSED = Incident.Kind.SILENT, Incident.Kind.REFUSED


def outages_report(*, now: datetime) -> dict[str, int]:
    """Write down what began and what ended by ``now`` (UTC), and mail those concerned once each."""
    _reopen()
    _begin_refused(now=now)
    _begin_silent(now=now)
    _end(now=now)
    begun = Incident.objects.filter(kind__in=Incident.OF_TARGETS, closed_at=None, mailed_to=0)
    over = Incident.objects.filter(
        Q(kind=_REFUSED) | Q(kind=_SILENT, closed_at__lte=now - CALM_FOR),
        closed_at__gt=now - TELLS_FOR,
        return_told_at=None,
    )
    return {
        "begun": sum(_tell_begun(row) for row in begun.select_related("connection")),
        "over": sum(_tell_over(row, now=now) for row in over.select_related("connection")),
    }


def _begin_refused(*, now: datetime) -> None:
    """A source whose sync failed by it is told of as that."""
    told = {health.connection.pk for health in source_healths(now=now) if sync_has_failed(health)}
    for connection in _refused().exclude(pk__in=told):
        _open(connection, _REFUSED, since=now)


def _refused() -> QuerySet[Connection]:
    return Connection.objects.filter(
        status=Connection.Status.NEEDS_ATTENTION, last_error_code="unauthorized"
    )


def _begin_silent(*, now: datetime) -> None:
    silent = (
        Circuit.objects.filter(opened_at__lte=now - SILENT_FOR)
        .exclude(connection__in=_refused())
        .values("connection")
        .annotate(since=Min("opened_at"))
    )
    connections = Connection.objects.in_bulk([row["connection"] for row in silent])
    for row in silent:
        _open(connections[row["connection"]], _SILENT, since=row["since"])


def _open(connection: Connection, kind: str, *, since: datetime) -> None:
    Incident.objects.get_or_create(
        connection=connection, kind=kind, closed_at=None, defaults={"opened_at": since}
    )


def _reopen() -> None:
    """What falls silent again before its return was told is the same outage."""
    Incident.objects.filter(
        kind=_SILENT,
        closed_at__isnull=False,
        return_told_at=None,
        connection__in=_silent_now(),
    ).exclude(connection__in=_open_ones(_SILENT)).update(closed_at=None)


def _end(*, now: datetime) -> None:
    """A refusal ends with a credential that was tested; whoever disconnects knows it is over."""
    ended = Incident.objects.filter(kind__in=Incident.OF_TARGETS, closed_at=None)
    ended.filter(connection__status=Connection.Status.DISCONNECTED).update(
        closed_at=now, return_told_at=now
    )
    ended.filter(kind=_REFUSED).exclude(
        connection__status=Connection.Status.NEEDS_ATTENTION
    ).update(closed_at=now)
    ended.filter(kind=_SILENT).exclude(connection__in=_silent_now()).update(closed_at=now)


def _silent_now() -> QuerySet[Circuit, int]:
    return Circuit.objects.filter(opened_at__isnull=False).values_list("connection", flat=True)


def _open_ones(kind: str) -> QuerySet[Incident, int]:
    rows = Incident.objects.filter(kind=kind, closed_at=None)
    return rows.values_list("connection", flat=True)


def _tell_begun(row: Incident) -> int:
    """Who could not be reached at all is tried again in the next pass."""
    connection = row.connection
    waiting = Run.objects.filter(awaits=connection.key).count()
    waits = f"{waiting} run{'s wait' if waiting != 1 else ' waits'} for it now."
    if row.kind == _SILENT:
        subject = f"{connection.name} does not answer"
        circuit = connection.circuits.filter(opened_at__isnull=False).first()
        why = circuit.last_error if circuit is not None else ""
        text = (
            f"{connection.name} has not answered properly since {_moment(row.opened_at)}. What is "
            f"to be done there waits and goes on by itself once it answers. {waits} If it lasts, "
            "ask whoever runs it."
        )
    else:
        subject = f"{connection.name} refuses our credential"
        why = connection.last_error
        text = (
            f"{connection.name} needs attention, and its work is held. {waits} Enter a valid "
            "credential in its settings and test it; what is held then goes on by itself."
        )
    reached = _mail(row, subject, [text, f"What it says: {why}" if why else ""], "begun")
    Incident.objects.filter(pk=row.pk).update(mailed_to=reached)
    return int(reached > 0)


def _tell_over(row: Incident, *, now: datetime) -> int:
    connection, closed = row.connection, row.closed_at or now
    again = "answers again" if row.kind == _SILENT else "accepts our credential again"
    text = (
        f"It was out from {_moment(row.opened_at)} to {_moment(closed)}. What waited for it goes "
        "on by itself, the most urgent first."
    )
    reached = _mail(row, f"{connection.name} {again}", [text], "over")
    if reached:
        Incident.objects.filter(pk=row.pk).update(return_told_at=now)
    return int(reached > 0)


def _mail(row: Incident, subject: str, parts: list[str], what: str) -> int:
    page = settings.SITE_URL + reverse("connection", args=[row.connection.key])
    text = "\n\n".join([*filter(None, parts), f"Open the connection:\n{page}\n"])
    return roles_mail(
        CONCERNED,
        subject=" ".join(subject.split())[:300],
        text=text,
        key=f"outage:{row.pk}:{what}",
    )


def _moment(at: datetime) -> str:
    return f"{at:%-d %b %Y, %H:%M} UTC"
