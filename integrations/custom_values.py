"""What has been read of custom fields, brought into a feed of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from integrations.connectors.base import Feed
from integrations.models import Connection, CustomValues
from people.fields_custom import typed_values
from people.models import CustomField
from people.records import WorkerRecord


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
        records=tuple(
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
