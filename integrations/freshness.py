"""When a connection was last read whole, when it is read next, and whether that is too long ago."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from integrations.models import Connection, SyncRun

if TYPE_CHECKING:
    from django.db.models import QuerySet

STALE_INTERVALS = 2
"""A directory that missed this many intervals is stale."""
HINT = "webhook"
"""Trigger of a sync that looked at single people only."""
SELECTED = "selected"
"""Trigger of a sync that read people again whom somebody chose."""
PARTIAL = (HINT, SELECTED, "review")
"""Triggers of syncs that say nothing about the whole directory."""
_RETRY_AFTER = timedelta(minutes=30)
PASSING = frozenset({"transient", "rate_limited", "incomplete", "interrupted"})
"""Codes of failures that may pass by themselves."""


def full_syncs(connection: Connection) -> QuerySet[SyncRun]:
    """Syncs of everybody, newest first, without their long columns."""
    rows = connection.syncs.exclude(trigger__in=PARTIAL)
    return rows.defer("held_records", "names", "skipped", "review")


def last_good_sync(connection: Connection) -> SyncRun | None:
    """The newest sync of everybody that was applied."""
    return full_syncs(connection).filter(status=SyncRun.Status.APPLIED).first()


def next_sync_at(connection: Connection, *, every: timedelta) -> datetime | None:
    """When the schedule reads it next; ``None``: as soon as the worker looks."""
    last = full_syncs(connection).first()
    if last is None:
        return None
    passing = last.status == SyncRun.Status.FAILED and last.error_code in PASSING
    return last.started_at + (min(every, _RETRY_AFTER) if passing else every)


def is_stale(
    connection: Connection, *, last_good: SyncRun | None, at: datetime, hours: int
) -> bool:
    """Whether a finished, connected source missed two intervals of ``hours`` at ``at``."""
    since = last_good.finished_at if last_good else None
    since = since or connection.finished_at
    live = connection.status not in (Connection.Status.DRAFT, Connection.Status.DISCONNECTED)
    return live and since is not None and at - since > timedelta(hours=hours * STALE_INTERVALS)
