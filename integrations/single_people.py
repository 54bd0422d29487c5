"""Reading a few people afresh: what hints and the list of people have in common."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.connectors.base import Feed, SinglePeople
from integrations.errors import ConfigError, IntegrationError, UnauthorizedError
from integrations.models import Connection, SyncRun
from integrations.people_sources import feed_completed
from integrations.services import client_for, connection_mark_unauthorized
from integrations.sync_lease import sync_progress
from people.defaults import workspace_get
from people.zones import zone_info
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)
SYNC = "integrations.tasks.sync_one"


def single_people_fetch(
    connection: Connection,
    run: SyncRun,
    ids: Sequence[str],
    *,
    client: SinglePeople | None,
    now: datetime,
) -> Feed:
    """The employments ``ids`` as the source has them now. Raises ``IntegrationError``."""
    source: Any = client or client_for(connection, feeding=True)
    if not isinstance(source, SinglePeople):
        raise ConfigError(f"{connection.name} cannot be asked for single people.")
    today = clock.today_in(zone_info(workspace_get().timezone), now)
    feed = source.fetch_workers(ids, today=today, progress=sync_progress(run))
    return feed_completed(connection, feed)


def single_failed(
    connection: Connection, run: SyncRun, error: IntegrationError, *, now: datetime
) -> None:
    """running → failed with the error's words; a refused token marks the connection."""
    logger.warning("Single people of connection %s were not read: %s", connection.pk, error.code)
    with transaction.atomic():
        SyncRun.objects.filter(
            pk=run.pk, status=SyncRun.Status.RUNNING, lease_holder=run.lease_holder
        ).update(
            status=SyncRun.Status.FAILED, error_code=error.code, error=error.message,
            finished_at=now, lease_until=None, progress="",
        )  # fmt: skip
        if isinstance(error, UnauthorizedError):
            connection_mark_unauthorized(connection, error.message)
