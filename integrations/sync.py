"""One full refresh: claim, fetch, reconcile, ask the safeguard, apply in one transaction or not.

Nothing is applied of a feed that failed, contradicts itself or is empty although people are known.
What the safeguard holds is applied exactly as a person saw it, or not (``sync_held``).
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.connectors.base import Feed, PeopleSource
from integrations.connectors.staging_source import StagingSource
from integrations.errors import (
    ConfigError,
    IncompleteError,
    IntegrationError,
    UnauthorizedError,
)
from integrations.models import Connection, SyncRun
from integrations.people_sources import feed_completed
from integrations.safeguard import held_hash
from integrations.services import client_for, connection_mark_unauthorized
from integrations.sync_apply import foresight_of, judge, sources_by_age, sync_apply, sync_record
from integrations.sync_held import held_apply, held_discard
from integrations.sync_lease import (
    SyncRefusedError,
    sync_claim,
    sync_close,
    sync_progress,
)
from integrations.sync_report import SyncReport, outcome_columns
from people.defaults import directory_defaults_ensure, workspace_get
from people.loading import digests_load, directory_load, directory_lock
from people.models import SourceRecord
from people.reconcile import plan_if_untouched
from people.settling import Foresight
from people.staging import StagedRecords
from people.zones import zone_info
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

__all__ = [
    "SyncRefusedError",
    "SyncReport",
    "held_apply",
    "held_discard",
    "run_sync",
    "setup_finish",
    "sources_by_age",
]

logger = logging.getLogger(__name__)
Status = SyncRun.Status


def run_sync(
    connection: Connection,
    *,
    trigger: str,
    actor: Actor = None,
    dry_run: bool = False,
    now: datetime | None = None,
    client: PeopleSource | None = None,
) -> SyncReport:
    """One full refresh of ``connection``, now.

    ``trigger`` is a word for the log: schedule, manual, cli, webhook. ``dry_run`` says what would
    happen, writes nothing at all and is allowed before set-up is finished. ``now`` (aware) defaults
    to the clock's. A feed that fails gives a report with status ``failed``; raises
    :class:`SyncRefusedError` when no sync may start: set-up unfinished, disconnected, one running.
    """
    now = now or clock.now()
    if connection.status == Connection.Status.DISCONNECTED:
        raise SyncRefusedError(f"{connection.name} is disconnected. Connect it again to sync.")
    if dry_run:
        return _rehearse(connection, now=now, client=client)
    if connection.finished_at is None:
        raise SyncRefusedError(
            f"The set-up of {connection.name} is not finished: review the mapping and finish it; "
            "that imports people for the first time."
        )
    return _sync(connection, trigger=trigger, actor=actor, now=now, client=client)


def setup_finish(
    connection: Connection,
    *,
    actor: Actor,
    now: datetime,
    client: PeopleSource | None = None,
    trigger: str = "setup",
) -> SyncReport:
    """Accept the proposed mapping, import people for the first time, finish the set-up.

    The first import is the baseline: nothing ever fires for a moment before it. A failed or held
    import leaves the set-up unfinished (releasing the held one finishes it). On a finished
    connection this is an ordinary sync. Raises :class:`SyncRefusedError` as :func:`run_sync`.
    """
    if connection.status == Connection.Status.DISCONNECTED:
        raise SyncRefusedError(f"{connection.name} is disconnected. Connect it again first.")
    directory_defaults_ensure()
    return _sync(connection, trigger=trigger, actor=actor, now=now, client=client)


def _sync(
    connection: Connection,
    *,
    trigger: str,
    actor: Actor,
    now: datetime,
    client: PeopleSource | None,
) -> SyncReport:
    begun = clock.system_now()
    connection.refresh_from_db()
    run = sync_claim(connection, trigger=trigger, actor=actor, now=now)
    try:
        foresight = foresight_of(now=now) if connection.finished_at is None else None
        feed = _fetch(connection, run, now=now, client=client, foresight=foresight)
        _decide(connection, run, feed, actor=actor, now=now, foresight=foresight)
    except IntegrationError as error:
        _fail(connection, run, error, actor=actor, now=now)
    except Exception:
        # The boundary of a sync: whatever happens, it does not stay “running”.
        unexpected = IntegrationError("The sync broke off by an error of ours; see the log.")
        _fail(connection, run, unexpected, actor=actor, now=now)
        raise
    run.refresh_from_db()
    return SyncReport.of_run(run, seconds=(clock.system_now() - begun).total_seconds())


def _source_of(connection: Connection, client: PeopleSource | None) -> PeopleSource:
    found: Any = client or client_for(connection, feeding=True)
    if not isinstance(found, PeopleSource):
        raise ConfigError(f"{connection.name} is not a source of people.")
    return found


def _fetch(
    connection: Connection,
    run: SyncRun,
    *,
    now: datetime,
    client: PeopleSource | None,
    foresight: Foresight | None,
) -> Feed:
    source = _source_of(connection, client)
    if connection.finished_at is None and not connection.account:
        _remember_account(connection, source)
    report = sync_progress(run)
    if foresight is not None and isinstance(source, StagingSource):
        staged = StagedRecords(look=foresight.look)
        feed = source.fetch_people_into(staged, today=_today(now), progress=report)
    else:
        feed = source.fetch_people(today=_today(now), progress=report)
    feed = feed_completed(connection, feed)
    _refuse_suspect(connection, feed)
    report(f"Comparing {len(feed.records)} workers")
    return feed


def _remember_account(connection: Connection, source: Any) -> None:
    """Whose company this is, before the first import: later another one's token is refused."""
    result = source.test()
    Connection.objects.filter(pk=connection.pk).update(account=result.account)
    connection.account = result.account


def _today(now: datetime) -> Any:
    return clock.today_in(zone_info(workspace_get().timezone), now)


def _refuse_suspect(connection: Connection, feed: Feed) -> None:
    known = SourceRecord.objects.filter(
        source=connection.key, person__isnull=False, missing_since__isnull=True
    )
    if not feed.records and known.exists():
        raise IncompleteError(
            f"{connection.name} sent nobody although {known.count()} employments are known. "
            "Nothing was applied; check the token's permissions."
        )


def _rehearse(connection: Connection, *, now: datetime, client: PeopleSource | None) -> SyncReport:
    begun = clock.system_now()
    try:
        source = _source_of(connection, client)
        feed = source.fetch_people(today=_today(now), progress=lambda words: None)
        feed = feed_completed(connection, feed)
        _refuse_suspect(connection, feed)
    except IntegrationError as error:
        return SyncReport(status=Status.FAILED.value, error=error.message)
    decision = judge(
        feed,
        directory=directory_load(fed=feed.digests),
        now=now,
        baseline=connection.finished_at is None,
    )
    columns = outcome_columns(decision.plan)
    columns.pop("names")
    columns["skipped"], columns["conflicts"] = (
        tuple(columns["skipped"]),
        tuple(columns["conflicts"]),
    )
    return SyncReport(
        status=(Status.HELD if decision.reason else Status.APPLIED).value,
        requests=feed.requests,
        seconds=round((clock.system_now() - begun).total_seconds(), 3),
        held_reason=decision.reason,
        **columns,
    )


def _decide(
    connection: Connection,
    run: SyncRun,
    feed: Feed,
    *,
    actor: Actor,
    now: datetime,
    foresight: Foresight | None,
) -> None:
    baseline = connection.finished_at is None
    seen = {"seen": len(feed.records) + len(feed.skipped), "requests": feed.requests}
    untouched = plan_if_untouched(
        feed.records, skipped=feed.skipped, directory=digests_load(fed=feed.digests), now=now
    )
    with transaction.atomic():
        if untouched is not None and not baseline:
            sync_apply(connection, run, untouched, feed=feed, actor=actor, now=now)
            sync_close(run, status=Status.APPLIED, now=now, **outcome_columns(untouched), **seen)
            _replace_older(connection, run)
            return
        directory_lock()
        directory = directory_load(fed=feed.digests)
        decision = judge(feed, directory=directory, now=now, baseline=baseline, foresight=foresight)
        columns = {**outcome_columns(decision.plan), **seen}
        if decision.reason:
            sync_close(
                run,
                status=Status.HELD,
                now=now,
                **columns,
                held_reason=decision.reason,
                held_people=[person.to_data() for person in decision.affected],
                held_records=[worker.to_data() for worker in feed.records],
                held_hash=held_hash(decision.affected, feed.records),
            )
            sync_record("sync.held", connection, run, actor, {"people": len(decision.affected)})
        else:
            sync_apply(connection, run, decision.plan, feed=feed, actor=actor, now=now)
            columns["taken_from"] = decision.taken_from
            sync_close(run, status=Status.APPLIED, now=now, **columns)
        _replace_older(connection, run)


def _replace_older(connection: Connection, run: SyncRun) -> None:
    """A newer picture replaces one that still waits: releasing stale values would undo news."""
    waiting = (Status.HELD, Status.REVIEWED)
    SyncRun.objects.filter(connection=connection, status__in=waiting, pk__lt=run.pk).update(
        status=Status.DISCARDED,
        held_records=[],
        review={},
        error=f"Replaced by the newer sync {run.pk}.",
    )


def _fail(
    connection: Connection, run: SyncRun, error: IntegrationError, *, actor: Actor, now: datetime
) -> None:
    logger.warning("Sync %s of connection %s failed: %s", run.pk, connection.pk, error.code)
    with transaction.atomic():
        # Not ours any more: whoever took it over has closed it.
        SyncRun.objects.filter(
            pk=run.pk, status=Status.RUNNING, lease_holder=run.lease_holder
        ).update(
            status=Status.FAILED,
            error_code=error.code,
            error=error.message,
            finished_at=now,
            lease_until=None,
            progress="",
        )
        if isinstance(error, UnauthorizedError):
            connection_mark_unauthorized(connection, error.message)
        Connection.objects.filter(pk=connection.pk).update(
            last_error=error.message, last_error_code=error.code
        )
        sync_record("sync.failed", connection, run, actor, {"code": error.code})
    connection.refresh_from_db()
