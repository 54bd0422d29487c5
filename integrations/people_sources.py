"""Which connections bring people, in words for the directory."""

from __future__ import annotations

from integrations.connectors.base import CONNECTORS
from integrations.models import Connection
from people.sources import SourceInfo


def people_connectors() -> tuple[str, ...]:
    """Keys of the connectors that deliver people."""
    return tuple(connector.key for connector in CONNECTORS if connector.category == "HRIS")


def people_sources() -> tuple[SourceInfo, ...]:
    """Every connection that delivers people, the one made first in front."""
    rows = Connection.objects.filter(connector__in=people_connectors()).order_by("created_at", "pk")
    return tuple(
        SourceInfo(key=row.key, name=row.name, category=_category(row.connector)) for row in rows
    )


def _category(key: str) -> str:
    connector = CONNECTORS.get(key)
    return connector.category if connector is not None else ""
