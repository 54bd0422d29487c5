"""One sync at a time for each connection, and none stuck for ever."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from integrations.errors import TransientError
from integrations.models import Connection, SyncRun
from siit_remote.lib import clock, lease

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

LEASE = timedelta(minutes=15)
"""Renewed with the progress; a holder on this machine that died is noticed at once."""
COUNTING = 0.5
"""Seconds between two words that count: a page of people takes less."""
_NUMBER = re.compile("[0-9]+")
Status = SyncRun.Status


class SyncRefusedError(Exception):
    """The sync cannot be started or released now; the message says why and what to do."""


def sync_claim(
    connection: Connection,
    *,
    trigger: str,
    actor: AbstractBaseUser | AnonymousUser | None,
    now: datetime,
) -> SyncRun:
    """Open the one running sync of ``connection``. Raises :class:`SyncRefusedError` when busy."""
    for _ in range(2):
        try:
            with transaction.atomic():
                return SyncRun.objects.create(
                    connection=connection,
                    trigger=trigger,
                    started_at=now,
                    lease_holder=lease.holder(),
                    lease_until=clock.system_now() + LEASE,
                    progress="Starting",
                    requested_by_id=actor.pk if actor is not None else None,
                )
        except IntegrityError:
            if not _take_over(connection, now=now):
                break
    raise SyncRefusedError(f"A sync of {connection.name} is running. Wait until it has ended.")


def sync_take(run: SyncRun, *, now: datetime) -> bool:
    """asked → running, if no other sync of its connection runs and nobody else took it."""
    for _ in range(2):
        try:
            with transaction.atomic():
                taken = SyncRun.objects.filter(pk=run.pk, status=Status.ASKED).update(
                    status=Status.RUNNING,
                    started_at=now,
                    lease_holder=lease.holder(),
                    lease_until=clock.system_now() + LEASE,
                    progress="Starting",
                )
        except IntegrityError:
            if not _take_over(run.connection, now=now):
                return False
        else:
            run.refresh_from_db()
            return bool(taken)
    return False


def _take_over(connection: Connection, *, now: datetime) -> bool:
    """End a sync whose holder died. True when the way is free."""
    running = SyncRun.objects.filter(connection=connection, status=Status.RUNNING).first()
    if running is None:
        return True
    expired = running.lease_until is None or running.lease_until <= clock.system_now()
    if not expired and not lease.is_dead(running.lease_holder):
        return False
    return bool(
        SyncRun.objects.filter(
            pk=running.pk, status=Status.RUNNING, lease_until=running.lease_until
        ).update(
            status=Status.FAILED,
            error_code="interrupted",
            error="The process that ran this sync stopped; nothing of it was applied.",
            finished_at=now,
        )
    )


def _mine(run: SyncRun) -> Any:
    return SyncRun.objects.filter(pk=run.pk, status=Status.RUNNING, lease_holder=run.lease_holder)


def sync_progress(run: SyncRun) -> Callable[[str], None]:
    """What the connector reports its progress to; also renews the lease.

    Words that differ from the last ones by a number alone are written every :data:`COUNTING`.
    Raises ``TransientError`` when another process has taken the sync over.
    """
    written: tuple[str, float] = ("", 0.0)

    def report(words: str) -> None:
        nonlocal written
        what, at = _NUMBER.sub("", words), time.monotonic()
        if what == written[0] and at - written[1] < COUNTING:
            return
        written = (what, at)
        if not _mine(run).update(progress=words[:200], lease_until=clock.system_now() + LEASE):
            raise TransientError("Another process took this sync over; nothing was applied.")

    return report


def sync_close(run: SyncRun, *, status: str, now: datetime, **columns: Any) -> None:
    """running → ``status``, if the sync is still ours. Call in the transaction that applies it.

    Raises ``TransientError``, which rolls that transaction back, when it is not.
    """
    if not _mine(run).update(
        status=status, finished_at=now, lease_until=None, progress="", **columns
    ):
        raise TransientError("Another process took this sync over; nothing was applied.")
    run.refresh_from_db()
