"""Which connections bring people, in words for the directory, and whom their accounts belong to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import Q

from integrations.connectors.base import CONNECTORS, Feed
from integrations.custom_values import feed_with_custom_values
from integrations.models import Account, Connection
from people.sources import SourceInfo
from people.staging import StagedRecords, held_records

if TYPE_CHECKING:
    from django.db.models import QuerySet

_SETTING = "people"
"""A connector that may but need not bring people has a setting of this name: yes or no."""


def _always() -> list[str]:
    return [connector.key for connector in CONNECTORS if connector.category == "HRIS"]


def people_connections() -> QuerySet[Connection]:
    """Every connection that brings people, in whatever state."""
    choosing = [
        connector.key
        for connector in CONNECTORS
        if any(setting.name == _SETTING for setting in connector.settings)
    ]
    chosen = Q(connector__in=choosing, config__people="yes")
    return Connection.objects.filter(Q(connector__in=_always()) | chosen)


def brings_people(connection: Connection) -> bool:
    """Whether this connection brings people, as far as its settings say."""
    always = connection.connector in _always()
    return always or connection.config.get(_SETTING) == "yes"


def people_sources() -> tuple[SourceInfo, ...]:
    """Every connection that brings people, the one made first in front."""
    return tuple(
        SourceInfo(key=row.key, name=row.name, category=_category(row.connector))
        for row in people_connections().order_by("created_at", "pk")
    )


def _category(key: str) -> str:
    connector = CONNECTORS.get(key)
    return connector.category if connector is not None else ""


def feed_completed(connection: Connection, feed: Feed) -> Feed:
    """A feed as the directory takes it: known accounts under their owners, custom values added."""
    return feed_with_custom_values(connection, feed_with_known_accounts(connection, feed))


def feed_with_known_accounts(connection: Connection, feed: Feed) -> Feed:
    """Accounts that are known to be somebody's come under that person's work email.

    So a user whose address at the provider differs still finds their person.
    """
    if not any(brief.account for brief, _ in held_records(feed.records)):
        return feed
    rows = Account.objects.filter(connection=connection)
    owners = dict(rows.values_list("external_id", "person__work_email"))
    return replace(
        feed,
        records=StagedRecords(
            replace(record, work_email=owners[record.external_id])
            if record.account and record.external_id in owners
            else record
            for record in feed.records
        ),
    )
