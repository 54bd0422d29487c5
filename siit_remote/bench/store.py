"""What storing a first import costs, once the pages have arrived, beside a bare bulk insert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models, transaction

from integrations.connectors.base import Feed
from integrations.models import Connection
from integrations.sync import setup_finish
from people.models import LifecycleEvent, Person, PersonAlias, PersonChange, SourceRecord
from siit_remote.bench.resync import Arrived
from siit_remote.bench.stopwatch import seconds_of_each
from siit_remote.lib import clock

_BATCH = 500
_EMPTIED: tuple[type[models.Model], ...] = (
    LifecycleEvent,
    PersonChange,
    PersonAlias,
    SourceRecord,
    Person,
)


def measure(row: Connection, feed: Feed, *, rounds: int) -> dict[str, Any]:
    """Seconds of a first import of ``feed``, beside ``bulk_create(update_conflicts)``.

    The peer is given the very rows of people and source records that the import makes, and makes
    nothing else: no outbox, no reconciliation. Everything is rolled back.
    """
    people: list[Any] = list(Person.objects.values())
    records: list[Any] = list(SourceRecord.objects.values())

    def ours() -> None:
        Connection.objects.filter(pk=row.pk).update(finished_at=None)
        row.refresh_from_db()
        report = setup_finish(row, actor=None, now=clock.now(), client=Arrived(feed))
        if report.status != "applied":
            raise SystemExit(f"The import was {report.status}: {report.error}")

    def bare() -> None:
        _bulk(Person, people, unique=["work_email"])
        _bulk(SourceRecord, records, unique=["source", "external_id"])

    ours_taken, bare_taken = seconds_of_each(rounds, _emptied(ours), _emptied(bare))
    return {"store": ours_taken, "bulk_create": bare_taken}


def _bulk(model: type[models.Model], rows: list[dict[str, Any]], *, unique: list[str]) -> None:
    names = [
        field.attname
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated
    ]
    for start in range(0, len(rows), _BATCH):
        model._default_manager.bulk_create(
            [model(**values) for values in rows[start : start + _BATCH]],
            update_conflicts=True,
            unique_fields=unique,
            update_fields=[name for name in names if name not in unique],
        )


class _Enough(Exception):
    """Rolls a measured transaction back."""


def _emptied(work: Callable[[], None]) -> Callable[[Callable[[Callable[[], None]], None]], None]:
    """``work`` on an empty directory, in a transaction that is rolled back."""

    def run(time_it: Callable[[Callable[[], None]], None]) -> None:
        try:
            with transaction.atomic():
                for model in _EMPTIED:
                    rows = model._default_manager.all()
                    rows._raw_delete(rows.db)
                time_it(work)
                raise _Enough
        except _Enough:
            return

    return run
