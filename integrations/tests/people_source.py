"""A source of people that a test scripts, and a finished connection to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from integrations.connectors.base import Feed, TestResult
from integrations.models import Connection
from people.defaults import directory_defaults_ensure
from people.records import SkippedRecord, WorkerRecord
from people.tests.build import NOW


@dataclass
class FakeSource:
    """Answers with what it is given, or raises it."""

    records: list[WorkerRecord] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    entities: tuple[dict[str, str], ...] = ()
    error: Exception | None = None
    during: Callable[[], None] | None = None
    asked_for: date | None = None

    def test(self) -> TestResult:
        """Whose account it is."""
        return TestResult(account={"company_id": "c-1", "company_name": "Acme"})

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """One full refresh."""
        self.asked_for = today
        progress("Page 1")
        if self.during:
            self.during()
        if self.error:
            raise self.error
        return Feed(
            records=tuple(self.records),
            skipped=tuple(self.skipped),
            entities=self.entities,
            requests=3,
        )


def connection(*, finished: bool = True, **values: Any) -> Connection:
    """The connection ``remote``."""
    directory_defaults_ensure()
    return Connection.objects.create(
        key=values.pop("key", "remote"),
        connector="remote",
        name="Remote",
        status="ready" if finished else "draft",
        finished_at=NOW if finished else None,
        created_at=NOW,
        **values,
    )
