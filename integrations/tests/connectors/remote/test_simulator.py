"""The connector against the stateful simulator, through the one door for outbound HTTP."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from integrations.connectors.base import ConnectionSettings
from integrations.connectors.remote.client import RemoteClient
from integrations.errors import IncompleteError, IntegrationError, TransientError, UnauthorizedError
from integrations.simulator.company import build_company
from integrations.simulator.server import DEFAULT_TOKEN, Simulator
from integrations.tests.connectors.remote.fakes import Clock
from integrations.transport import ConnectionRef, HttpTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integrations.connectors.base import Feed
    from people.records import WorkerRecord

TODAY = date(2026, 5, 10)
SIZE = 240


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(build_company(SIZE, 7, TODAY)) as found:
        yield found


def fetch(simulator: Simulator, **options: Any) -> Feed:
    clock = Clock()
    transport = HttpTransport(
        ConnectionRef(id=None, key="remote"),
        recorder=lambda _: None,
        allow_private=["127.0.0.1"],
    )
    client = RemoteClient(
        ConnectionSettings(key="remote", config={}, secrets={}),
        transport,
        base_url=simulator.base_url,
        api_token=DEFAULT_TOKEN,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        **options,
    )
    try:
        return client.fetch_people(today=TODAY, progress=lambda _: None)
    finally:
        transport.close()


def one(simulator: Simulator, employment_id: str) -> WorkerRecord:
    return {record.external_id: record for record in fetch(simulator).records}[employment_id]


def test_simulator_everybody_arrives_in_bulk(simulator: Simulator) -> None:
    feed = fetch(simulator)
    assert len(feed.records) + len(feed.skipped) == SIZE
    assert feed.requests == 3 + 5 + 1
    assert {record.worker_type for record in feed.records} >= {
        "eor_employee",
        "direct_employee",
        "contractor",
    }
    assert {record.contract_status for record in feed.records} == {"upcoming", "active", "ended"}
    assert any(record.never_started for record in feed.records)
    assert any(record.offboarding and record.end_date for record in feed.records)


def test_simulator_one_by_one_agrees_with_bulk(simulator: Simulator) -> None:
    bulk = {record.external_id: record for record in fetch(simulator).records}
    simulator.configure(bulk=False)
    shown = {record.external_id: record for record in fetch(simulator).records}
    assert shown.keys() == bulk.keys()
    # Showing one worker may tell the termination date in the record itself, hence the source.
    assert [r.end_date for r in shown.values()] == [bulk[key].end_date for key in shown]


def test_simulator_leaving_is_announced_moved_and_withdrawn(simulator: Simulator) -> None:
    chosen = next(
        record.external_id
        for record in fetch(simulator).records
        if record.worker_type == "eor_employee"
        and record.contract_status == "active"
        and record.end_date is None
        and not record.problems
    )
    simulator.terminate(chosen, date(2026, 6, 30))
    found = one(simulator, chosen)
    assert (found.end_date, found.offboarding) == (date(2026, 6, 30), True)
    simulator.terminate(chosen, date(2026, 7, 31))
    assert one(simulator, chosen).end_date == date(2026, 7, 31)
    simulator.cancel_termination(chosen)
    found = one(simulator, chosen)
    assert (found.end_date, found.offboarding) == (None, False)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"kind": "status", "status": 500, "times": 3}, None),
        ({"kind": "html", "times": 2}, None),
        ({"kind": "garbage", "times": 4}, None),
        ({"kind": "reset", "times": 2}, None),
        ({"kind": "truncate", "times": 2}, None),
        ({"kind": "ratelimit", "times": 5, "seconds": 20.0}, None),
        ({"kind": "short", "rows": 9}, None),
        ({"kind": "status", "status": 401}, UnauthorizedError),
        ({"kind": "status", "status": 403}, UnauthorizedError),
        ({"kind": "status", "status": 500, "times": None}, TransientError),
        ({"kind": "repeat_cursor", "times": None}, IncompleteError),
    ],
)
def test_simulator_fault_on_the_second_page(
    simulator: Simulator, script: dict[str, Any], expected: type[IntegrationError] | None
) -> None:
    simulator.fault("/v1/employments/bulk", page=2, **script)
    if expected is None:
        assert len(fetch(simulator).records) == SIZE - len(fetch(simulator).skipped)
    else:
        with pytest.raises(expected):
            fetch(simulator)


@pytest.mark.parametrize("kind", ["short", "wrong_total"])
@pytest.mark.parametrize("lasting", [False, True])
def test_simulator_list_that_contradicts_itself(
    simulator: Simulator, kind: str, lasting: bool
) -> None:
    simulator.fault("/v2/offboardings", kind=kind, times=None if lasting else 1)
    if lasting:
        with pytest.raises(IncompleteError):
            fetch(simulator)
    else:
        assert fetch(simulator).records


def test_simulator_slow_drip_ends_at_the_deadline(simulator: Simulator) -> None:
    simulator.fault("/v1/identity/current", kind="hang", seconds=5.0, times=None)
    with pytest.raises(TransientError, match="did not finish within 1 seconds"):
        fetch(simulator, deadline=1.0)
