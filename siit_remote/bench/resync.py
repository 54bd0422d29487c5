"""What a second, identical sync costs here, once the pages have arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection as database

from integrations.connectors.base import Feed
from integrations.models import Connection
from integrations.sync import run_sync
from people.models import Person
from siit_remote.bench.stopwatch import Ledger, alternate

_BOOKKEEPING = ("integrations_syncrun", "integrations_connection")
"""The sync's own row and the connection's “last worked at”: these may be written every time."""
_PASSING = ("id", "created_at", "updated_at")


class Arrived:
    """A source whose feed is already here: takes the network out of the measurement."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """The same feed again."""
        return self._feed


def measure(row: Connection, feed: Feed, *, rounds: int) -> dict[str, Any]:
    """Rows written by a sync of ``feed``, and its seconds beside ``update_or_create`` per person.

    ``feed`` must be what the directory already holds. Raises ``SystemExit`` when a sync does not
    apply: one that failed writes nothing either.
    """
    ledger = Ledger()

    def again() -> None:
        row.refresh_from_db()
        report = run_sync(row, trigger="cli", client=Arrived(feed))
        if report.status != "applied":
            raise SystemExit(f"The second sync was {report.status}: {report.error}")

    with database.execute_wrapper(ledger):
        again()
    ours, naive = alternate(rounds, again, _naive())
    other = {table: n for table, n in ledger.rows.items() if table not in _BOOKKEEPING}
    return {
        "resync_writes": sum(other.values()),
        "resync_tables": sorted(ledger.rows),
        "resync": ours,
        "naive": naive,
    }


def _naive() -> Callable[[], None]:
    """One ``update_or_create`` per person, with the values the row already has."""
    names = [
        field.attname for field in Person._meta.concrete_fields if field.attname not in _PASSING
    ]
    rows = list(Person.objects.values(*names))

    def write() -> None:
        for values in rows:
            Person.objects.update_or_create(work_email=values["work_email"], defaults=values)

    return write
