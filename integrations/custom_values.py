"""What has been read of custom fields, brought into a feed of people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from integrations.connectors.base import Feed
from integrations.models import Connection, CustomValues
from people.fields_custom import READ_TASK, typed_values
from people.models import CustomField
from people.records import WorkerRecord
from people.staging import StagedRecords
from siit_remote.lib.bell import ring

CHANGED_EVENT = "custom_field.value_updated"
"""The source's word for it, as its webhooks say it."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def fields_enabled(connection: Connection) -> list[CustomField]:
    """The custom fields of this source that are in use."""
    return list(CustomField.objects.filter(source=connection.key, enabled=True))


def feed_with_custom_values(connection: Connection, feed: Feed) -> Feed:
    """The feed with what has been read of its people's custom fields, in each field's type."""
    fields = fields_enabled(connection)
    if not fields:
        return feed
    stored = dict(
        CustomValues.objects.filter(connection=connection).values_list("external_id", "values")
    )
    return replace(
        feed,
        records=StagedRecords(
            _with_values(record, fields, stored.get(record.external_id, {}))
            for record in feed.records
        ),
    )


def _with_values(
    record: WorkerRecord, fields: Sequence[CustomField], raw: Mapping[str, Any]
) -> WorkerRecord:
    ours = {row.key for row in fields}
    others = {key: value for key, value in record.custom.items() if key not in ours}
    return replace(record, custom={**others, **typed_values(fields, raw)})


def custom_values_stale(connection: Connection, external_ids: Collection[str]) -> int:
    """Ask soon for the values of these employments again; returns how many were known."""
    if not external_ids or not fields_enabled(connection):
        return 0
    rows = CustomValues.objects.filter(connection=connection, external_id__in=external_ids)
    known = rows.update(read_at=_LONG_AGO)
    ring(READ_TASK)
    return known
