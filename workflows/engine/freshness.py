"""Whether the directory can be trusted: destructive steps wait while it cannot."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integrations.connectors.base import CONNECTORS
from integrations.models import Connection, SyncRun
from people.defaults import workspace_get
from siit_remote.lib import clock
from workflows.recovery import recovery_trouble

if TYPE_CHECKING:
    from people.models import Workspace

STALE_INTERVALS = 2
LOOK_AGAIN = timedelta(minutes=5)
"""How soon a waiting step looks whether the directory is fresh again."""
_SETTLED = (SyncRun.Status.APPLIED, SyncRun.Status.HELD, SyncRun.Status.FAILED)


def stale_after(workspace: Workspace) -> timedelta:
    """How old the directory may be: the setting, else twice the interval between syncs."""
    hours = workspace.directory_stale_hours
    return timedelta(hours=hours or workspace.sync_every_hours * STALE_INTERVALS)


def directory_trouble(*, now: datetime) -> str:
    """Why nothing may be taken from anybody at ``now``, and what to do; ``""`` when all is well.

    After a restored backup nothing is well until a person says so. Otherwise looks at every HR
    system whose set-up is finished; one that was disconnected is nobody's source.
    """
    if restored := recovery_trouble():
        return restored
    sources = [connector.key for connector in CONNECTORS if connector.category == "HRIS"]
    rows = Connection.objects.filter(
        connector__in=sources,
        finished_at__isnull=False,
        status__in=[Connection.Status.READY, Connection.Status.NEEDS_ATTENTION],
    )
    allowed = stale_after(workspace_get())
    for connection in rows.order_by("key"):
        words = _trouble(connection, allowed=allowed, now=now)
        if words:
            return f"{words} Until then nothing is taken from anybody; it goes on by itself."
    return ""


def _trouble(connection: Connection, *, allowed: timedelta, now: datetime) -> str:
    syncs = connection.syncs.filter(status__in=_SETTLED).only(
        "pk", "status", "finished_at", "started_at"
    )
    last = syncs.first()
    if last is not None and last.status == SyncRun.Status.HELD:
        return (
            f"The last sync of {connection.name} is held, so the directory may be wrong. "
            "Apply or discard it, then sync again."
        )
    if last is not None and last.status == SyncRun.Status.FAILED:
        return (
            f"The last sync of {connection.name} failed, so the directory may be out of date. "
            "Open the connection, see why, and sync again."
        )
    good = last.finished_at or last.started_at if last is not None else connection.finished_at
    if good is None or _age(good, now=now) <= allowed:
        return ""
    hours = int(allowed.total_seconds() // 3600)
    return (
        f"{connection.name} was last synced on {good:%-d %b %Y at %H:%M} UTC, more than {hours} "
        "hours ago, so the directory may be out of date. Sync again."
    )


def _age(good: datetime, *, now: datetime) -> timedelta:
    """By the machine's clock too: a pass with a set clock does not age the directory."""
    return min(now - good, clock.system_now() - good)
