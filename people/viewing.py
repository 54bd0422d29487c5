"""The records as they stand after a sync: what the feed says, and what is kept of before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from people.matching import View
from people.plan import INFERRED, Directory, KnownRecord, RecordKey
from people.records import SkippedRecord, WorkerRecord


def views_of(
    records: Sequence[WorkerRecord],
    skipped: Sequence[SkippedRecord],
    directory: Directory,
    *,
    now: datetime,
    complete: bool,
) -> list[View]:
    """Every record of every source, sorted by key; see :func:`people.reconcile.reconcile`."""
    views: dict[RecordKey, View] = {}
    for record in records:
        key = (record.source, record.external_id)
        stored = directory.records.get(key)
        kept = _keep_inferred(record, stored)
        view = View(record=kept, digest=kept.digest(), stored=stored)
        # The same record twice in one feed: whichever came first, the same one is taken.
        if key not in views or view.digest > views[key].digest:
            views[key] = view
    sources = {record.source for record in records} if complete else set()
    listed = {record.external_id for record in skipped}
    for key, stored in directory.records.items():
        if key in views:
            continue
        gone = stored.source in sources and stored.external_id not in listed
        missing = (stored.missing_since or now) if gone else stored.missing_since
        if stored.source in sources and stored.external_id in listed:
            missing = None
        views[key] = View(
            record=WorkerRecord.from_data(dict(stored.values)) if stored.values else _blank(stored),
            digest=stored.digest,
            stored=stored,
            missing_since=missing,
            newly_missing=gone and stored.missing_since is None,
        )
    return [views[key] for key in sorted(views)]


def _blank(stored: KnownRecord) -> WorkerRecord:
    return WorkerRecord(source=stored.source, external_id=stored.external_id)


def _keep_inferred(record: WorkerRecord, stored: KnownRecord | None) -> WorkerRecord:
    """An end date deduced from the day of the sync stays the one deduced first."""
    if stored is None or record.end_date_source != INFERRED or record.is_live:
        return record
    first = stored.values.get("end_date")
    if stored.values.get("contract_status") != record.contract_status or not first:
        return record
    return replace(record, end_date=date.fromisoformat(first))
