"""A feed put down record by record: of each only what tells whose it is stays in memory.

So a feed of any size is compared as a whole, and its full records are read one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, overload

from people.plan import INFERRED, RecordKey
from people.records import WorkerRecord, digest_of
from siit_remote.lib.spool import Spool


@dataclass(frozen=True, slots=True)
class Brief:
    """What the comparison needs of every record at once."""

    key: RecordKey
    digest: str
    work_email: str
    is_live: bool
    account: bool
    inferred: bool
    """Its end date was deduced from the day of the reading."""
    number: int = -1
    """Under which the whole record was put down."""

    @classmethod
    def of(cls, record: WorkerRecord, *, digest: str = "", number: int = -1) -> Brief:
        """The short form of ``record``."""
        return cls(
            (record.source, record.external_id),
            digest or record.digest(),
            record.work_email,
            record.is_live,
            record.account,
            record.end_date_source == INFERRED,
            number,
        )


class StagedRecords(Sequence[WorkerRecord]):
    """Records of a feed, each id once, in the order in which they came.

    Written by one thread and then read by another, never both at a time. ``look`` is
    called with each while it is at hand.
    """

    def __init__(
        self,
        records: Iterable[WorkerRecord] = (),
        *,
        look: Callable[[WorkerRecord, Brief], None] | None = None,
    ) -> None:
        self._look = look
        self._spool = Spool()
        self._briefs: dict[RecordKey, Brief] = {}
        for record in records:
            known = self._briefs.get((record.source, record.external_id))
            # Of the same id twice the same one is taken, whichever came first.
            if known is None or record.digest() > known.digest:
                self.add(record)

    def add(self, record: WorkerRecord) -> None:
        """Put a record down; it replaces one of the same id."""
        text = record.canonical()
        number = self._spool.append(text.encode())
        brief = Brief.of(record, digest=digest_of(text), number=number)
        self._briefs[brief.key] = brief
        if self._look is not None:
            self._look(record, brief)

    def __len__(self) -> int:
        return len(self._briefs)

    def __iter__(self) -> Iterator[WorkerRecord]:
        return map(self.record, self._briefs.values())

    @overload
    def __getitem__(self, index: int) -> WorkerRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[WorkerRecord]: ...

    def __getitem__(self, index: int | slice) -> WorkerRecord | Sequence[WorkerRecord]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self.record(next(islice(self._briefs.values(), index % len(self), None)))

    @property
    def briefs(self) -> Iterable[Brief]:
        """The short form of each record."""
        return self._briefs.values()

    def text(self, brief: Brief) -> str:
        """The record as JSON, as it is stored."""
        return self._spool.read(brief.number).decode()

    def record(self, brief: Brief) -> WorkerRecord:
        """The whole record again."""
        return WorkerRecord.from_canonical(self.text(brief), digest=brief.digest)


class Holder(Protocol):
    """Where a record was put down."""

    def record(self, brief: Brief) -> WorkerRecord:
        """The whole record again."""
        ...


Held = WorkerRecord | Holder
"""A record, or where it was put down."""


def held_records(records: Sequence[WorkerRecord]) -> Iterator[tuple[Brief, Held]]:
    """Each record's short form, and where the whole one is."""
    if isinstance(records, StagedRecords):
        return ((brief, records) for brief in records.briefs)
    return ((Brief.of(record), record) for record in records)


def digests_of(records: Sequence[WorkerRecord]) -> dict[RecordKey, str]:
    """Source and id of every record, with its digest."""
    return {brief.key: brief.digest for brief, _ in held_records(records)}
