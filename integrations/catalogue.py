"""The catalogue of Settings → Integrations: every connector, and what was made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from integrations.connectors.base import CONNECTORS
from integrations.models import Connection, SyncRun
from integrations.people_sources import brings_people
from people.folding import fold

if TYPE_CHECKING:
    from integrations.connectors.base import Connector

SECTIONS = ("HRIS", "Identity", "Chat", "Mail", "Equipment", "Other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One connection on its connector's card."""

    connection: Connection
    last: SyncRun | None
    """Its newest sync, for a source of people."""

    @property
    def is_begun(self) -> bool:
        """A source whose set-up waits to be finished."""
        return self.is_source and self.connection.finished_at is None

    @property
    def is_source(self) -> bool:
        """Whether it brings people."""
        return brings_people(self.connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One connector: what it brings, and its connections."""

    connector: Connector
    made: tuple[Made, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Connectors of one kind."""

    name: str
    cards: tuple[Card, ...]


def section_of(category: str) -> str:
    """The section a connector's category is shown in."""
    return category if category in SECTIONS else "Other"


def sections(query: str = "") -> list[Section]:
    """The catalogue, or what of it fits every word of ``query`` (accents do not matter)."""
    made = _made()
    known = sorted(
        (item for item in CONNECTORS if _fits(item, made.get(item.key, ()), query)),
        key=lambda item: (SECTIONS.index(section_of(item.category)), item.label),
    )
    return [
        Section(
            name=name,
            cards=tuple(Card(connector=item, made=tuple(made.get(item.key, ()))) for item in items),
        )
        for name, items in groupby(known, key=lambda item: section_of(item.category))
    ]


def _fits(connector: Connector, made: Iterable[Made], query: str) -> bool:
    text = " ".join(
        (
            connector.key,
            connector.label,
            connector.help,
            section_of(connector.category),
            *(entry.connection.name for entry in made),
        )
    )
    folded = fold(text)
    return all(word in folded for word in fold(query).split())


def _made() -> dict[str, list[Made]]:
    found: dict[str, list[Made]] = {}
    for row in Connection.objects.exclude(status=Connection.Status.DISCONNECTED):
        last = row.syncs.only("status", "started_at", "finished_at", "connection").first()
        found.setdefault(row.connector, []).append(Made(connection=row, last=last))
    return found
