"""The records as they stand after a sync: what the feed says, and what is kept of before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from people.matching import View
from people.packing import opened
from people.plan import Directory, KnownRecord, RecordKey
from people.records import SkippedRecord, WorkerRecord
from people.staging import Brief, Held, held_records


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
    for brief, held in held_records(records):
        key = brief.key
        stored = directory.records.get(key)
        view = _keep_inferred(brief, held, stored)
        # The same record twice in one feed: whichever came first, the same one is taken.
        if key not in views or view.digest > views[key].digest:
            views[key] = view
    sources = {key[0] for key in views} if complete else set()
    listed = {record.external_id for record in skipped}
    for key, stored in directory.records.items():
        if key in views:
            continue
        gone = stored.source in sources and stored.external_id not in listed
        missing = (stored.missing_since or now) if gone else stored.missing_since
        if stored.source in sources and stored.external_id in listed:
            missing = None
        views[key] = View(
            _stored_brief(stored),
            _Kept(stored),
            stored,
            missing_since=missing,
            newly_missing=gone and stored.missing_since is None,
            fed=False,
        )
    return [views[key] for key in sorted(views)]


def _stored_brief(stored: KnownRecord) -> Brief:
    values = opened(stored.values)
    if values:
        return Brief.of(WorkerRecord.from_data(dict(values)), digest=stored.digest)
    # Of somebody whom the question does not concern: only whose it is.
    return Brief(stored.key, stored.digest, "", is_live=True, account=False, inferred=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A stored record, put together when it is asked for."""

    stored: KnownRecord

    def record(self, brief: Brief) -> WorkerRecord:
        """The whole record."""
        return _stored_record(self.stored)


def _stored_record(stored: KnownRecord) -> WorkerRecord:
    values = opened(stored.values)
    if values:
        return WorkerRecord.from_data(dict(values))
    return WorkerRecord(source=stored.source, external_id=stored.external_id)


def _keep_inferred(brief: Brief, held: Held, stored: KnownRecord | None) -> View:
    """An end date deduced from the day of the sync stays the one deduced first."""
    view = View(brief, held, stored)
    if stored is None or not brief.inferred or brief.is_live:
        return view
    record = view.record
    first = stored.values.get("end_date")
    if stored.values.get("contract_status") != record.contract_status or not first:
        return view
    kept = replace(record, end_date=date.fromisoformat(first))
    return View(Brief.of(kept), kept, stored)
