"""A directory that is no longer kept up to date is said aloud, once per outage."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from integrations.models import Connection
from siit_remote.health import ConnectionHealth, connection_health, sync_hours
from workflows.tasks_by_hand import task_open

if TYPE_CHECKING:
    from datetime import datetime

logger = logging.getLogger(__name__)
_ROLE = "it"


def stale_connections(*, now: datetime) -> list[ConnectionHealth]:
    """Connections without a good sync for two intervals at ``now`` (UTC)."""
    hours = sync_hours()
    rows = Connection.objects.exclude(status=Connection.Status.DISCONNECTED)
    healths = [connection_health(row, at=now, hours=hours) for row in rows]
    return [health for health in healths if health.stale]


def stale_report(*, now: datetime) -> int:
    """Open one task for IT per stale connection and outage; returns how many are stale."""
    stale = stale_connections(now=now)
    for health in stale:
        connection = health.connection
        last = health.last_good
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
    return len(stale)
