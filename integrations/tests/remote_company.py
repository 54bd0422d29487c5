"""A company at the simulator and a finished connection to it, on pages of ten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from integrations.connectors.base import ConnectionSettings
from integrations.connectors.remote.client import RemoteClient
from integrations.models import Connection
from integrations.simulator.company import build_company
from integrations.simulator.server import DEFAULT_TOKEN, Simulator
from integrations.sync import run_sync, setup_finish
from integrations.sync_report import SyncReport
from integrations.tests.connectors.remote.fakes import Clock
from integrations.tests.people_source import connection
from integrations.transport import ConnectionRef, HttpTransport
from people.models import LifecycleEvent, Person
from people.tests.build import NOW, TODAY

BULK = "/v1/employments/bulk"
ENTITIES = "/v1/companies/"
LISTS = (
    "/v2/offboardings",
    "/v1/direct-offboardings",
    "/v1/contractors/cor-termination-requests",
    "/v1/company-managers",
    ENTITIES,
)
Picture = dict[str, dict[str, Any]]
_SHOWN = (
    "work_email",
    "full_name",
    "job_title",
    "status",
    "contract_status",
    "start_date",
    "end_date",
    "country",
    "legal_entity__name",
    "team__name",
    "manager__work_email",
    "worker_type",
    "remote_id",
    "problems",
)


def company(size: int = 35, seed: int = 7, **options: Any) -> Simulator:
    """A simulator, not started; its clock stands at the tests' NOW."""
    return Simulator(build_company(size, seed, TODAY, **options), clock=lambda: NOW.timestamp())


class Synced:
    """The connection to ``simulator``; each sync happens five minutes after the one before."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.row: Connection = connection(finished=False)
        self.now: datetime = NOW
        self.clock = Clock()

    def first(self) -> SyncReport:
        """Finish the set-up."""
        with self._client() as client:
            return setup_finish(self.row, actor=None, now=self.now, client=client)

    def again(self, *, minutes: float = 5, **options: Any) -> SyncReport:
        """A further sync, later."""
        self.now += timedelta(minutes=minutes)
        self.row.refresh_from_db()
        with self._client(**options) as client:
            return run_sync(self.row, trigger="schedule", now=self.now, client=client)

    @contextmanager
    def _client(self, **options: Any) -> Iterator[RemoteClient]:
        transport = HttpTransport(
            ConnectionRef(id=self.row.pk, key=self.row.key),
            recorder=lambda _: None,
            allow_private=["127.0.0.1"],
            record_reads=False,
        )
        try:
            yield RemoteClient(
                ConnectionSettings(
                    key=self.row.key, config={}, secrets={}, account=self.row.account
                ),
                transport,
                base_url=self.simulator.base_url,
                api_token=DEFAULT_TOKEN,
                sleep=self.clock.sleep,
                monotonic=self.clock.monotonic,
                **options,
            )
        finally:
            transport.close()


def people() -> Picture:
    """Everybody's values by the id of the primary record, without primary keys of ours."""
    return {row["remote_id"]: row for row in Person.objects.values(*_SHOWN)}


def endings() -> set[tuple[str, str, str]]:
    """Every event that a workflow for leavers could start from: person, field, value."""
    rows = LifecycleEvent.objects.filter(field__in=("status", "end_date"), baseline=False)
    return {
        (email, name, str(after))
        for email, name, after in rows.values_list("person__work_email", "field", "after")
        if (name == "status" and after == "ended") or (name == "end_date" and after)
    }


class _Undo(Exception):
    """Rolls one example back."""


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside is rolled back."""
    try:
        with transaction.atomic():
            yield
            raise _Undo
    except _Undo:
        return
