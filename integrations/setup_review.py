"""The review of a first import: read once, judged, shown, and then applied exactly as shown.

The review is a sync of its own that waits (``reviewed``) with its records until somebody finishes
the set-up. Nothing of it reaches the directory, the mapping or a workflow before that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.connectors.base import Feed, PeopleSource
from integrations.errors import ConfigError, IntegrationError, UnauthorizedError
from integrations.models import Connection, SyncRun
from integrations.people_sources import feed_completed
from integrations.services import client_for, connection_mark_unauthorized
from integrations.setup_summary import Reviewed, reviewed
from integrations.sync_apply import sources_by_age, sync_apply
from integrations.sync_lease import SyncRefusedError, sync_claim, sync_close, sync_progress
from integrations.sync_report import outcome_columns
from people.defaults import directory_defaults_ensure, workspace_get
from people.loading import directory_load, directory_lock, policy_load
from people.plan import Directory, Plan
from people.reconcile import reconcile
from people.records import SkippedRecord, WorkerRecord
from people.type_mapping import mapping_draft, mapping_store, types_ensure
from people.zones import zone_info
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

TRIGGER = "review"
READ = "integrations.setup_tasks.review_one"
FINISH = "integrations.setup_tasks.finish_one"
GOOD_FOR = timedelta(hours=24)
"""An older review is read again before it is applied."""
Status = SyncRun.Status


def review_of(connection: Connection) -> SyncRun | None:
    """The latest review of a set-up that is not finished, without its records."""
    runs = connection.syncs.filter(trigger=TRIGGER).exclude(status=Status.DISCARDED)
    return runs.defer("held_records").first()


def review_request(connection: Connection, *, actor: Actor) -> None:
    """Read everybody (again) in the background. An earlier review is thrown away."""
    with transaction.atomic():
        connection.syncs.filter(
            trigger=TRIGGER, status__in=(Status.REVIEWED, Status.FAILED)
        ).update(status=Status.DISCARDED, held_records=[], review={})
        _record("sync.requested", connection, actor=actor)
        ring(READ, connection.pk, actor.pk if actor is not None else None)


def review_read(
    connection: Connection,
    *,
    actor: Actor,
    now: datetime,
    client: PeopleSource | None = None,
) -> SyncRun:
    """Fetch the whole feed and judge it; the answer is kept for the review.

    Applies nothing. Raises :class:`SyncRefusedError` while another sync of it runs.
    """
    run = sync_claim(connection, trigger=TRIGGER, actor=actor, now=now)
    try:
        feed = _fetch(connection, run, client=client, now=now)
        with transaction.atomic():
            _keep(connection, run, feed, now=now)
    except IntegrationError as error:
        _fail(connection, run, error, now=now)
    except Exception:
        # The boundary of a task: whatever happens, the review does not stay “running”.
        _fail(connection, run, IntegrationError("Reading broke off by an error of ours."), now=now)
        raise
    run.refresh_from_db()
    return run


def _fetch(
    connection: Connection, run: SyncRun, *, client: PeopleSource | None, now: datetime
) -> Feed:
    source: Any = client or client_for(connection, feeding=True)
    if not isinstance(source, PeopleSource):
        raise ConfigError(f"{connection.name} is not a source of people.")
    report = sync_progress(run)
    today = clock.today_in(zone_info(workspace_get().timezone), now)
    feed = feed_completed(connection, source.fetch_people(today=today, progress=report))
    report(f"Comparing {len(feed.records)} workers")
    return feed


def _keep(connection: Connection, run: SyncRun, feed: Feed, *, now: datetime) -> None:
    draft = mapping_draft()
    _, found = review_judge(connection, run, feed, mapping=draft["mapping"])
    sync_close(
        run,
        status=Status.REVIEWED,
        now=now,
        requests=feed.requests,
        seen=len(feed.records) + len(feed.skipped),
        created=found.summary["counts"]["people"] - found.summary["counts"]["known"],
        held_records=[worker.to_data() for worker in feed.records],
        review={
            **draft,
            "entities": list(feed.entities),
            "unread": [_skipped_data(row) for row in feed.skipped],
            **review_shown(found),
        },
    )


def _fail(connection: Connection, run: SyncRun, error: IntegrationError, *, now: datetime) -> None:
    with transaction.atomic():
        SyncRun.objects.filter(
            pk=run.pk, status=Status.RUNNING, lease_holder=run.lease_holder
        ).update(
            status=Status.FAILED, error_code=error.code, error=error.message, finished_at=now,
            lease_until=None, progress="",
        )  # fmt: skip
        if isinstance(error, UnauthorizedError):
            connection_mark_unauthorized(connection, error.message)
            Connection.objects.filter(pk=connection.pk).update(last_error_code=error.code)
    connection.refresh_from_db()


def review_accept(run: SyncRun, *, fingerprint: str, actor: Actor, now: datetime) -> None:
    """Say that exactly what is shown is to be imported, and ring the worker.

    Raises :class:`SyncRefusedError` when the review was changed since, is old or decided.
    """
    with transaction.atomic():
        row = review_waiting(run)
        if not fingerprint or row.review.get("fingerprint") != fingerprint:
            raise SyncRefusedError(
                "Somebody changed the mapping since you opened this page. Look at it again; "
                "nothing was imported."
            )
        if now - row.started_at > GOOD_FOR:
            raise SyncRefusedError(
                "This review is older than a day. Read people again, so that what you see is what "
                "is imported."
            )
        row.review = {**row.review, "accepted": fingerprint, "accepted_at": now.isoformat()}
        row.save(update_fields=["review"])
        ring(FINISH, row.connection_id, actor.pk if actor is not None else None)


def review_finish(run: SyncRun, *, actor: Actor, now: datetime) -> list[str]:
    """Import exactly what was accepted. Returns nobody, or whose import has changed since.

    With changes nothing is imported: the review is brought up to date and waits for another look.
    Raises :class:`SyncRefusedError` when it was decided already.
    """
    with transaction.atomic():
        directory_lock()
        row = review_waiting(run)
        connection = row.connection
        review, feed = row.review, review_feed(row)
        if not review.get("accepted"):
            raise SyncRefusedError("Nobody has finished this review yet.")
        _, found = review_judge(connection, row, feed, mapping=review["mapping"])
        changed = found.differences(review["digests"])
        if changed:
            row.review = {**review, **review_shown(found), "accepted": "", "changed": changed[:50]}
            row.save(update_fields=["review"])
            return changed
        _mapping_write(review, actor=actor)
        plan, _ = review_judge(connection, row, feed, mapping=review["mapping"], now=now)
        sync_apply(connection, row, plan, feed=feed, actor=actor, now=now)
        done = SyncRun.objects.filter(pk=row.pk, status=Status.REVIEWED).update(
            status=Status.APPLIED,
            trigger="setup",
            finished_at=now,
            held_records=[],
            review={},
            **outcome_columns(plan),
        )
        if not done:
            raise SyncRefusedError("This review was decided by somebody else just now.")
    return []


def _mapping_write(review: Mapping[str, Any], *, actor: Actor) -> None:
    directory_defaults_ensure()
    types_ensure(review["types"])
    mapping_store(review["mapping"], actor=actor)


def review_waiting(run: SyncRun) -> SyncRun:
    """The row, locked. Raises :class:`SyncRefusedError` when it was decided or replaced."""
    row = (
        SyncRun.objects.select_for_update(of=("self",)).select_related("connection").get(pk=run.pk)
    )
    if row.status != Status.REVIEWED or row.connection.finished_at is not None:
        raise SyncRefusedError("This review was finished or replaced by a newer one.")
    return row


def review_judge(
    connection: Connection,
    run: SyncRun,
    feed: Feed,
    *,
    mapping: Mapping[str, str],
    now: datetime | None = None,
) -> tuple[Plan, Reviewed]:
    """Judged at the moment it was read, so that only a changed directory can differ later."""
    directory: Directory = directory_load()
    policy = policy_load(sources_by_age=sources_by_age())
    plan = reconcile(
        feed.records,
        skipped=feed.skipped,
        directory=directory,
        policy=replace(policy, employment_types=dict(mapping)),
        now=now or run.started_at,
        complete=True,
        baseline=True,
    )
    found = reviewed(plan, records=feed.records, directory=directory, source=connection.key)
    return plan, found


def review_shown(found: Reviewed) -> dict[str, Any]:
    """What of a judgement is kept with the review."""
    return {
        "summary": found.summary,
        "digests": found.digests,
        "fingerprint": found.fingerprint,
        "changed": [],
    }


def review_feed(run: SyncRun) -> Feed:
    """The records that were read for the review."""
    return Feed(
        records=tuple(WorkerRecord.from_data(data) for data in run.held_records),
        skipped=tuple(
            SkippedRecord(external_id=row["remote_id"], name=row["name"], reason=row["reason"])
            for row in run.review.get("unread", ())
        ),
        entities=tuple(run.review.get("entities", ())),
        requests=run.requests,
    )


def _skipped_data(row: SkippedRecord) -> dict[str, str]:
    return {"remote_id": row.external_id, "name": row.name, "reason": row.reason}


def _record(action: str, connection: Connection, *, actor: Actor) -> None:
    record(
        action,
        actor=actor,
        object_type="connection",
        object_key=connection.key,
        object_label=connection.name,
        detail={"review": True},
    )
