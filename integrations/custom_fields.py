"""Read custom fields in the background: paced, resumable, and never in the way of a sync.

Each employment costs a request. What was read is stored at once, so that a pass that breaks off
goes on where it stopped; the newest changes come first. A refresh of people takes over whatever
has been read by then.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from integrations.connectors.base import CustomFieldSource, Feed
from integrations.custom_values import feed_with_custom_values, fields_enabled
from integrations.errors import IntegrationError
from integrations.models import Connection, CustomReading, CustomValues, SyncRun
from integrations.safeguard import affected_by, hold_reason
from integrations.services import client_for
from people.applying import plan_apply
from people.choices import PersonStatus
from people.defaults import workspace_get
from people.fields_custom import definitions_take, plan_quieted
from people.loading import directory_load, directory_lock, policy_load
from people.models import SourceRecord
from people.plan import CUSTOM, Directory, Plan
from people.reconcile import reconcile
from people.records import WorkerRecord
from people.services import ENGINE
from siit_remote.lib.bell import ring

logger = logging.getLogger(__name__)
PASS_SECONDS = 180.0
"""How long one pass reads; the worker has other work too."""
_LEASE = timedelta(minutes=8)
_READ_AGAIN = timedelta(hours=24)


def custom_fields_read(
    connection: Connection,
    *,
    now: datetime,
    client: Any = None,
    seconds: float = PASS_SECONDS,
) -> int:
    """Definitions, then values of enabled fields, for at most ``seconds``. ``now`` is aware.

    Returns of how many employments values were read. Does nothing while a sync of the connection
    or another reading runs. Failures are kept for the page, never raised.
    """
    if not _claim(connection, now=now):
        return 0
    read: dict[str, frozenset[str]] = {}
    error = ""
    try:
        source = client or client_for(connection, feeding=True)
        if isinstance(source, CustomFieldSource):
            definitions_take(connection.key, source.custom_fields(), now=now)
            _values_read(connection, source, read, now=now, seconds=seconds)
    except IntegrationError as failure:
        error = failure.message
        logger.warning("Custom fields of connection %s: %s", connection.pk, failure.code)
    finally:
        CustomReading.objects.filter(connection=connection).update(
            lease_until=None, last_at=now, error=error
        )
    if read:
        _apply(connection, read, now=now)
    return len(read)


def _claim(connection: Connection, *, now: datetime) -> bool:
    if connection.syncs.filter(status=SyncRun.Status.RUNNING).exists():
        return False
    CustomReading.objects.get_or_create(connection=connection)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return bool(
        CustomReading.objects.filter(free, connection=connection).update(lease_until=now + _LEASE)
    )


def _values_read(
    connection: Connection,
    source: CustomFieldSource,
    read: dict[str, frozenset[str]],
    *,
    now: datetime,
    seconds: float,
) -> None:
    """Fill ``read``: employment → keys of fields that were looked for the first time there."""
    fields = fields_enabled(connection)
    if not fields:
        return
    asked = sorted(row.external_id for row in fields)
    before = dict(
        CustomValues.objects.filter(connection=connection).values_list("external_id", "asked")
    )
    due = values_due(connection, asked=asked, now=now)
    for external_id, values in source.custom_values(due, seconds=seconds):
        kept = {key: values[key] for key in asked if key in values} if values else {}
        CustomValues.objects.update_or_create(
            connection=connection,
            external_id=external_id,
            defaults={"values": kept, "asked": asked, "read_at": now},
        )
        known = set(before.get(external_id, ()))
        read[external_id] = frozenset(row.key for row in fields if row.external_id not in known)


def values_due(connection: Connection, *, asked: Sequence[str], now: datetime) -> list[str]:
    """Employments to be asked for: changed or never read, the newest first, then the stale ones."""
    known = {
        row.external_id: (row.read_at, row.asked)
        for row in CustomValues.objects.filter(connection=connection).defer("values")
    }
    fresh: list[str] = []
    stale: list[tuple[datetime, str]] = []
    rows = SourceRecord.objects.filter(
        source=connection.key, is_live=True, person__isnull=False, missing_since=None
    )
    ordered = rows.order_by("-changed_at", "external_id").values_list("external_id", "changed_at")
    for external_id, changed_at in ordered:
        read_at, looked_for = known.get(external_id, (None, []))
        if read_at is None or read_at < changed_at or set(asked) - set(looked_for):
            fresh.append(external_id)
        elif read_at < now - _READ_AGAIN:
            stale.append((read_at, external_id))
    return [*fresh, *(external_id for _, external_id in sorted(stale))]


def _apply(connection: Connection, read: Mapping[str, frozenset[str]], *, now: datetime) -> None:
    """Bring what was read to the people. The first value of a field is no news about anybody."""
    with transaction.atomic():
        directory_lock()
        directory = directory_load()
        known = [directory.records.get((connection.key, external_id)) for external_id in read]
        stored = [record for record in known if record is not None and record.values]
        feed = Feed(
            records=tuple(WorkerRecord.from_data(dict(record.values)) for record in stored),
            skipped=(),
        )
        plan = reconcile(
            feed_with_custom_values(connection, feed).records,
            directory=directory,
            policy=policy_load(),
            now=now,
            complete=False,
        )
        if plan.is_empty or _must_wait(plan, directory, now=now):
            return
        firsts = {
            record.person_id: {CUSTOM + key for key in read[record.external_id]}
            for record in stored
        }
        quiet = plan_quieted(
            plan, lambda person, change: change.field in firsts.get(_pk(person.ref), ())
        )
        correlation = f"custom:{connection.key}:{now.isoformat()}"[:64]
        if plan_apply(quiet, now=now, correlation=correlation).changed_anything:
            ring(ENGINE)


def _pk(ref: int | str) -> int | None:
    return ref if isinstance(ref, int) else None


def _must_wait(plan: Plan, directory: Directory, *, now: datetime) -> bool:
    """Whether resolving would take too much from people: the next sync says so and is held."""
    outside = (PersonStatus.ENDED, PersonStatus.EXTERNAL)
    here = {one.id for one in directory.people.values() if one.values["status"] not in outside}
    workspace = workspace_get()
    return bool(
        hold_reason(
            affected_by(plan, directory),
            here=here,
            limit_people=workspace.sync_limit_people,
            limit_percent=workspace.sync_limit_percent,
            now=now,
        )
    )


def reading_words(source: str) -> str:
    """How far the reading of a source's custom values has come, for people."""
    connection = Connection.objects.filter(key=source).first()
    reading = CustomReading.objects.filter(connection__key=source).first()
    if connection is None or reading is None or reading.last_at is None:
        return "Values have not been read yet."
    asked = [row.external_id for row in fields_enabled(connection)]
    total = SourceRecord.objects.filter(
        source=source, is_live=True, person__isnull=False, missing_since=None
    ).count()
    left = len(values_due(connection, asked=asked, now=reading.last_at)) if asked else 0
    words = f"Values of {total - left} of {total} people are up to date." if asked else ""
    return f"{words} The last reading failed: {reading.error}" if reading.error else words
