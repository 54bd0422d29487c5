"""A held sync: applied exactly as a person saw it, or thrown away."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from integrations.connectors.base import Feed
from integrations.models import Connection, SyncRun
from integrations.safeguard import held_hash
from integrations.sync_apply import judge, sync_apply, sync_record
from integrations.sync_lease import SyncRefusedError
from integrations.sync_report import SyncReport, outcome_columns
from people.loading import directory_load, directory_lock
from people.records import SkippedRecord, WorkerRecord
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

Status = SyncRun.Status


def held_apply(
    sync_run: SyncRun, *, actor: Actor, reason: str = "", now: datetime | None = None
) -> SyncReport:
    """Release a held sync for exactly the people it was held for.

    The plan is made again from the records that were kept. If it would touch others than those
    shown (somebody changed the directory or a mapping meanwhile), nothing is applied. Raises
    :class:`SyncRefusedError` with what to do; also when the sync is no longer held.
    """
    now = now or clock.now()
    begun = clock.system_now()
    with transaction.atomic():
        directory_lock()
        run = SyncRun.objects.select_for_update().get(pk=sync_run.pk)
        if run.status != Status.HELD:
            raise SyncRefusedError(f"This sync is no longer held: it is {run.status}.")
        connection = Connection.objects.get(pk=run.connection_id)
        if connection.status == Connection.Status.DISCONNECTED:
            raise SyncRefusedError(f"{connection.name} is disconnected. Connect it again first.")
        baseline = connection.finished_at is None
        feed = _feed_of(run)
        directory = directory_load(fed=feed.digests)
        # Judged at the moment it was held, so that only a changed directory can differ.
        shown = judge(feed, directory=directory, now=run.started_at, baseline=baseline)
        if held_hash(shown.affected, feed.records) != run.held_hash:
            raise SyncRefusedError(
                "The directory has changed since this sync was held, so that it would now affect "
                "others than those shown. Nothing was applied; sync again and look at the new list."
            )
        plan = judge(feed, directory=directory, now=now, baseline=baseline).plan
        detail = {"people": len(run.held_people), "reason": reason.strip()[:300]}
        sync_apply(
            connection,
            run,
            plan,
            feed=feed,
            actor=actor,
            now=now,
            action="sync.released",
            detail=detail,
        )
        _close(run, status=Status.APPLIED, finished_at=now, **outcome_columns(plan))
    run.refresh_from_db()
    return SyncReport.of_run(run, seconds=(clock.system_now() - begun).total_seconds())


def held_discard(sync_run: SyncRun, *, actor: Actor, reason: str = "") -> bool:
    """Throw a held sync away; the next one looks afresh. False when it is no longer held."""
    with transaction.atomic():
        run = SyncRun.objects.select_related("connection").get(pk=sync_run.pk)
        if not _discarded(run):
            return False
        detail = {"people": len(run.held_people), "reason": reason.strip()[:300]}
        sync_record("sync.discarded", run.connection, run, actor, detail)
    return True


def _discarded(run: SyncRun) -> bool:
    return bool(
        SyncRun.objects.filter(pk=run.pk, status=Status.HELD).update(
            status=Status.DISCARDED, held_records=[]
        )
    )


def _close(run: SyncRun, **columns: object) -> None:
    changed = SyncRun.objects.filter(pk=run.pk, status=Status.HELD).update(
        held_records=[], **columns
    )
    if not changed:
        raise SyncRefusedError("This sync is no longer held; somebody else decided it just now.")


def _feed_of(run: SyncRun) -> Feed:
    records = tuple(WorkerRecord.from_data(data) for data in run.held_records)
    delivered = {worker.external_id for worker in records}
    return Feed(
        records=records,
        skipped=tuple(
            SkippedRecord(external_id=row["remote_id"], name=row["name"], reason=row["reason"])
            for row in run.skipped
            if row["remote_id"] not in delivered
        ),
        requests=run.requests,
    )
