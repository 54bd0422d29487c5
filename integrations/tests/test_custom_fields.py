"""Custom fields of Remote: read in the background over real HTTP, paced, resumable, in no way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from integrations.connectors.base import ConnectionSettings, CustomFieldSource
from integrations.connectors.remote.client import RemoteClient
from integrations.connectors.remote.custom_fields import plain_value
from integrations.connectors.remote.pacing import Pacer
from integrations.custom_fields import custom_fields_read, reading_words, values_due
from integrations.custom_values import custom_values_stale
from integrations.models import Connection, CustomReading, CustomValues, SyncRun
from integrations.simulator.company import build_company
from integrations.simulator.server import DEFAULT_TOKEN, Simulator
from integrations.sync import run_sync, setup_finish
from integrations.tests.connectors.remote.fakes import Clock
from integrations.tests.people_source import connection
from integrations.transport import ConnectionRef, HttpTransport
from people.fields_custom import custom_field_use_set
from people.models import CustomField, LifecycleEvent, Person, PersonChange
from people.tests.build import NOW

pytestmark = pytest.mark.django_db
TODAY = NOW.date()
LATER = NOW + timedelta(hours=1)


class Remote:
    """A running simulator, and clients that ask it without really waiting."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.clock = Clock()

    def client(self) -> Any:
        transport = HttpTransport(
            ConnectionRef(id=None, key="remote"),
            recorder=lambda _: None,
            allow_private=["127.0.0.1"],
        )
        return RemoteClient(
            ConnectionSettings(key="remote", config={}, secrets={}),
            transport,
            base_url=self.simulator.base_url,
            api_token=DEFAULT_TOKEN,
            sleep=self.clock.sleep,
            monotonic=self.clock.monotonic,
        )

    def sync(self, row: Connection, *, now: Any = NOW) -> None:
        report = run_sync(row, trigger="manual", now=now, client=self.client())
        assert report.status == "applied", report.error

    def read(self, row: Connection, *, now: Any = LATER, seconds: float = 900.0) -> int:
        return custom_fields_read(row, now=now, client=self.client(), seconds=seconds)


@pytest.fixture
def remote() -> Iterator[Remote]:
    with Simulator(build_company(24, 7, date(2026, 11, 24))) as simulator:
        yield Remote(simulator)


@pytest.fixture
def row(remote: Remote) -> Connection:
    found = connection(finished=False)
    report = setup_finish(found, actor=None, now=NOW, client=remote.client())
    assert report.status == "applied", report.error
    return found


def use(*labels: str) -> None:
    for label in labels:
        custom_field_use_set(CustomField.objects.get(label=label), enabled=True, now=LATER)


def test_definitions_arrive_unused_with_their_types(remote: Remote, row: Connection) -> None:
    assert isinstance(remote.client(), CustomFieldSource)
    assert remote.read(row) == 0
    found = {field.label: (field.key, field.type) for field in CustomField.objects.all()}
    assert found == {
        "T-shirt size": ("t_shirt_size", "choice"),
        "Cost centre": ("cost_centre", "text"),
        "Needs a laptop": ("needs_a_laptop", "boolean"),
        "Equipment budget": ("equipment_budget", "number"),
        "Contract review": ("contract_review", "date"),
    }
    assert CustomField.objects.get(key="t_shirt_size").options == ["S", "M", "L", "XL"]
    assert not CustomField.objects.filter(enabled=True).exists()
    assert not CustomValues.objects.exists()


def test_values_of_used_fields_reach_people_in_their_type_and_start_nothing(
    remote: Remote, row: Connection
) -> None:
    remote.read(row)
    use("T-shirt size", "Needs a laptop", "Equipment budget")
    LifecycleEvent.objects.all().delete()
    read = remote.read(row)
    people = Person.objects.exclude(status="ended")
    assert read == people.count()
    for person in people:
        assert set(person.custom) == {"t_shirt_size", "needs_a_laptop", "equipment_budget"}
        assert person.custom["t_shirt_size"] in ("S", "M", "L", "XL")
        assert isinstance(person.custom["needs_a_laptop"], bool)
        assert isinstance(person.custom["equipment_budget"], int)
        assert person.value_sources["custom.equipment_budget"] == "remote"
    # A first value is no news about anybody, but it is written down.
    assert not LifecycleEvent.objects.exists()
    assert PersonChange.objects.filter(field="custom.t_shirt_size").count() == read
    assert reading_words("remote") == f"Values of {read} of {read} people are up to date."


def test_a_sync_keeps_what_was_read_and_changes_nothing_again(
    remote: Remote, row: Connection
) -> None:
    remote.read(row)
    use("Cost centre")
    remote.read(row)
    before = list(Person.objects.order_by("pk").values("custom", "updated_at"))
    remote.sync(row, now=LATER + timedelta(hours=1))
    assert list(Person.objects.order_by("pk").values("custom", "updated_at")) == before
    assert remote.read(row, now=LATER + timedelta(hours=2)) == 0


def test_a_changed_value_is_news(remote: Remote, row: Connection) -> None:
    remote.read(row)
    use("Cost centre")
    remote.read(row)
    person = Person.objects.exclude(status="ended").first()
    assert person is not None
    LifecycleEvent.objects.all().delete()
    remote.simulator.set_custom_value(person.remote_id, "Cost centre", "CC-999")
    assert remote.read(row, now=LATER + timedelta(days=2)) > 0
    person.refresh_from_db()
    assert person.custom["cost_centre"] == "CC-999"
    assert LifecycleEvent.objects.filter(field="custom.cost_centre").count() == 1


def test_a_hint_has_the_value_read_again_at_once(remote: Remote, row: Connection) -> None:
    remote.read(row)
    use("Cost centre")
    remote.read(row)
    person = Person.objects.exclude(status="ended").first()
    assert person is not None
    remote.simulator.set_custom_value(person.remote_id, "Cost centre", "CC-7")
    LifecycleEvent.objects.all().delete()
    assert custom_values_stale(row, {person.remote_id, "unknown"}) == 1
    assert remote.read(row, now=LATER + timedelta(minutes=1)) == 1
    person.refresh_from_db()
    assert person.custom["cost_centre"] == "CC-7"
    assert LifecycleEvent.objects.filter(field="custom.cost_centre").count() == 1


def test_reading_stops_in_time_and_goes_on_where_it_stopped(
    remote: Remote, row: Connection
) -> None:
    remote.read(row)
    use("Cost centre")
    due = values_due(row, asked=["x"], now=LATER)
    client = remote.client()
    plain = client.custom_values

    def cut_short(ids: Any, *, seconds: float) -> Any:
        for number, found in enumerate(plain(ids, seconds=seconds)):
            if number == 5:
                return
            yield found

    client.custom_values = cut_short
    assert custom_fields_read(row, now=LATER, client=client) == 5
    assert set(CustomValues.objects.values_list("external_id", flat=True)) == set(due[:5])
    assert remote.read(row) == len(due) - 5


def test_half_of_the_shared_limit_is_left_to_others() -> None:
    clock = Clock()
    pacer = Pacer(sleep=clock.sleep, monotonic=clock.monotonic, deadline=900.0, reserve=0.5)
    for remaining, waits in ((300, 0), (151, 0), (150, 30), (299, 30), (140, 60)):
        pacer.after_answer({"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": "30000"})
        pacer.before_request("values")
        assert sum(clock.naps) == pytest.approx(waits)


def test_a_failure_is_kept_for_the_page_and_harms_no_sync(remote: Remote, row: Connection) -> None:
    remote.read(row)
    use("Cost centre")
    remote.simulator.fault("/v1/custom-fields", status=500, times=None)
    assert remote.read(row) == 0
    reading = CustomReading.objects.get()
    assert reading.lease_until is None
    assert "Remote" in reading.error
    assert "The last reading failed" in reading_words("remote")
    assert not SyncRun.objects.filter(status="failed").exists()


def test_nothing_is_read_beside_a_running_sync_or_another_reading(
    remote: Remote, row: Connection
) -> None:
    running = SyncRun.objects.create(connection=row, started_at=NOW, trigger="manual")
    remote.read(row)
    assert not CustomField.objects.exists()
    running.delete()
    CustomReading.objects.create(connection=row, lease_until=LATER + timedelta(minutes=1))
    remote.read(row)
    assert not CustomField.objects.exists()
    remote.read(row, now=LATER + timedelta(minutes=2))
    assert CustomField.objects.exists()


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ({"selected_option": "s", "selected_option_label": "Small"}, "Small"),
        ({"selected_option": "s"}, "s"),
        ({}, None),
        ([1], None),
        (None, None),
        (12.5, 12.5),
        (True, True),
    ],
)
def test_odd_values_become_plain_ones(raw: Any, plain: Any) -> None:
    assert plain_value(raw) == plain
