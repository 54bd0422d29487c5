"""Background work of this application: thin, safe to run twice, ids as arguments."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from integrations.access_reading import access_read_due
from integrations.custom_fields import custom_fields_read
from integrations.freshness import full_syncs, next_sync_at
from integrations.hints import hints_drain
from integrations.models import Connection, SyncRun
from integrations.people_reread import reread_run
from integrations.people_sources import people_connections
from integrations.sync import SyncRefusedError, run_sync
from people.defaults import workspace_get
from siit_remote.lib import clock

logger = logging.getLogger(__name__)
_ASKED_LIVE = (Connection.Status.READY, Connection.Status.NEEDS_ATTENTION)


def sync_connections() -> int:
    """Sync every source of people whose time has come. Returns how many were tried.

    One that needs attention is tried once per interval as well: its first request tells whether
    the credential is good again, and nothing is asked beyond it.
    """
    now = clock.now()
    every = timedelta(hours=workspace_get().sync_every_hours)
    rows = people_connections().filter(status__in=_ASKED_LIVE, finished_at__isnull=False)
    tried = 0
    for connection in rows.order_by("pk"):
        if sync_is_due(connection, now=now, every=every):
            tried += 1
            _run(connection, trigger="schedule", actor_id=None)
        # Hints whose bell was lost, or that waited for a sync.
        hints_drain(connection, now=now)
    # Wishes as well; one of a connection that is gone by now fails and says so.
    asked = SyncRun.objects.filter(status=SyncRun.Status.ASKED)
    for run in asked.select_related("connection", "requested_by").order_by("pk"):
        reread_run(run, now=now)
    return tried


def hints_one(connection_id: int) -> None:
    """Look again at those whom hints of one connection name."""
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is not None:
        hints_drain(connection, now=clock.now())


def reread_one(run_id: int) -> None:
    """Read those again whom somebody selected; while a sync runs, the schedule comes back."""
    run = SyncRun.objects.filter(pk=run_id).select_related("connection", "requested_by").first()
    if run is not None:
        reread_run(run, now=clock.now())


def sync_is_due(connection: Connection, *, now: datetime, every: timedelta) -> bool:
    """Whether the interval has passed; after a passing failure already half an hour later."""
    due_at = next_sync_at(connection, every=every)
    return due_at is None or now >= due_at


def sync_one(connection_id: int, actor_id: int | None = None, after: int | None = None) -> None:
    """Sync one connection now, as somebody asked in the browser.

    ``after``: the newest sync they saw. One that began since answers the wish already, so that two
    impatient presses are one sync.
    """
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None:
        return
    if after is None or not full_syncs(connection).filter(pk__gt=after).exists():
        _run(connection, trigger="manual", actor_id=actor_id)


def _run(connection: Connection, *, trigger: str, actor_id: int | None) -> None:
    actor = get_user_model().objects.filter(pk=actor_id).first() if actor_id else None
    try:
        run_sync(connection, trigger=trigger, actor=actor)
    except SyncRefusedError as error:
        logger.info("Connection %s was not synced: %s", connection.pk, error)


def read_custom_fields() -> int:
    """Ask sources for their custom fields; returns of how many employments values were read."""
    now = clock.now()
    rows = people_connections().filter(status=Connection.Status.READY, finished_at__isnull=False)
    return sum(custom_fields_read(row, now=now) for row in rows.order_by("pk"))


def read_access() -> int:
    """Ask connections who has which application; returns how many applications were read."""
    return access_read_due(now=clock.now())
