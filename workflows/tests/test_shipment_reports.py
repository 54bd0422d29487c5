"""What a partner reports: signed by the standard's own library, in any order, each once."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from standardwebhooks.webhooks import Webhook

from integrations.models import Connection
from integrations.services import connection_save
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Shipment, ShipmentEvent, Task
from workflows.shipment_chasing import shipments_chase
from workflows.shipment_reports import FROM
from workflows.shipment_states import shipment_move
from workflows.tasks_by_hand import task_done

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ANOTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
def company(db: None) -> Company:
    company = small_company()
    Shipment.objects.all().delete()
    return company


@pytest.fixture
def partner(company: Company) -> Connection:
    made = connection_save(
        key="shipping",
        connector="http",
        name="Fleet",
        config={"base_url": "https://fleet.test/orders"},
        secrets={"signing_secret": SECRET},
    )
    Connection.objects.filter(pk=made.pk).update(status="ready")
    return Connection.objects.get(pk=made.pk)


def _shipment(company: Company, partner: Connection | None, **values: Any) -> Shipment:
    now = clock.now()
    return Shipment.objects.create(
        **{
            "key": "k-1", "person": company.people["report"], "bundle_key": "laptop",
            "bundle_name": "Laptop", "state": "ordered", "state_at": now - timedelta(days=3),
            "created_at": now - timedelta(days=3), "connection": partner, **values,
        }
    )  # fmt: skip


def _report(
    body: dict[str, Any] | bytes, *, name: str = "msg_1", secret: str = SECRET, age: int = 0
) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = datetime.now(UTC) - timedelta(seconds=age)
    answer = Client().post(
        "/hooks/equipment/shipping/",
        raw,
        content_type="application/json",
        headers={
            "webhook-id": name,
            "webhook-timestamp": str(int(sent.timestamp())),
            "webhook-signature": Webhook(secret).sign(name, sent, raw.decode("latin-1")),
        },
    )
    return answer.status_code


def _at(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=48 - hours)).isoformat()


def test_partner_reports_from_ordered_to_returned_and_each_word_counts_once(
    company: Company, partner: Connection
) -> None:
    row = _shipment(company, partner, state="asked")
    shipped = {
        "shipment": row.pk,
        "state": "shipped",
        "at": _at(1),
        "tracking": "DHL 4711",
        "message": "Left Lyon.",
    }
    assert _report(shipped) == 202
    assert [_report(shipped), _report({**shipped, "state": "lost"})] == [200, 200]
    row.refresh_from_db()
    assert (row.state, row.tracking) == ("shipped", "DHL 4711")
    assert _report({"idempotency_key": "k-1", "state": "DELIVERED", "at": _at(2)}, name="2") == 202
    shipment_move(row.pk, "return_asked", by_label="it", now=clock.now())
    assert _report({"shipment": row.pk, "state": "returned"}, name="3") == 202
    row.refresh_from_db()
    assert row.state == "returned"
    told = list(row.events.values_list("state", "by_label", "text"))
    assert told == [
        ("shipped", "Fleet", "Left Lyon."),
        ("delivered", "Fleet", ""),
        ("return_asked", "it", ""),
        ("returned", "Fleet", ""),
    ]
    assert AuditEntry.objects.filter(action="shipment.moved", actor_label="Fleet").count() == 3
    client = Client()
    client.force_login(company.users["it"])
    assert b"Left Lyon." in client.get(f"/equipment/{row.pk}/").content
    line = client.get(f"/people/{row.person_id}/?tab=timeline&kind=equipment").content.decode()
    assert all(words in line for words in ("Left Lyon.", "Delivered", "Returned", "Fleet"))
    client.force_login(company.users["manager"])
    line = client.get(f"/people/{row.person_id}/?tab=timeline").content.decode()
    assert "Left Lyon." not in line, "who may not see shipments does not see them here either"


@pytest.mark.parametrize("timed", [True, False])
def test_order_of_arrival_changes_nothing(
    company: Company, partner: Connection, timed: bool
) -> None:
    states = ("ordered", "shipped", "delivered")
    for number, order in enumerate(itertools.permutations(range(3))):
        row = _shipment(company, partner, key=f"k-{number}", state="address_received")
        for index in order:
            body = {"shipment": row.pk, "state": states[index]}
            body |= {"at": _at(index)} if timed else {}
            assert _report(body, name=f"m-{number}-{index}") == 202
        row.refresh_from_db()
        assert row.state == "delivered", order
        assert row.events.count() == 3
        late = [text for text in row.events.values_list("text", flat=True) if "Came late" in text]
        assert bool(late) == (order != (0, 1, 2))
    if timed:
        assert list(row.events.values_list("state", flat=True)) == list(states)


def test_an_old_problem_does_not_undo_what_is_known_since(
    company: Company, partner: Connection
) -> None:
    row = _shipment(company, partner, state="shipped")
    assert _report({"shipment": row.pk, "state": "delivered", "at": _at(5)}, name="a") == 202
    assert _report({"shipment": row.pk, "state": "problem", "at": _at(4)}, name="b") == 202
    row.refresh_from_db()
    assert (row.state, Task.objects.filter(key__startswith="report:").exists()) == (
        "delivered",
        False,
    )


def test_trouble_that_is_reported_becomes_a_task(company: Company, partner: Connection) -> None:
    row = _shipment(company, partner, state="shipped")
    body = {"shipment": row.pk, "state": "lost", "message": "The van burnt."}
    assert [_report(body), _report(body)] == [202, 200]
    task = Task.objects.get(key__startswith="report:")
    assert (str(task.role), task.title) == ("it", "Laptop for Report Example is lost")
    assert "The van burnt." in task.body
    assert task.due_on is not None


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        ({"state": "shipped"}, {"secret": ANOTHER}, 401),
        ({"state": "shipped"}, {"age": 600}, 401),
        ({"state": "return_asked"}, {}, 400),
        ({"state": "gone"}, {}, 400),
        ({"state": ["shipped"]}, {}, 400),
        ({"state": "shipped", "at": "yesterday"}, {}, 400),
        ({"state": "shipped", "at": "2026-02-31T10:00:00Z"}, {}, 400),
        ({"state": "shipped", "at": "2026-02-01T10:00:00"}, {}, 400),
        (b"[1]", {}, 400),
        (b"{", {}, 401),
        ({"state": "shipped", "shipment": 2**70}, {}, 404),
        ({"state": "shipped", "shipment": True}, {}, 404),
    ],
)
def test_what_is_not_genuine_or_not_understood_changes_nothing(
    company: Company, partner: Connection, body: Any, more: dict[str, Any], status: int
) -> None:
    row = _shipment(company, partner)
    if isinstance(body, dict):
        body = {"shipment": row.pk, **body}
    assert _report(body, **more) == status
    row.refresh_from_db()
    assert (row.state, ShipmentEvent.objects.count()) == ("ordered", 0)


def test_no_partner_reports_of_anothers_shipment(company: Company, partner: Connection) -> None:
    other = Connection.objects.create(key="other", connector="http", created_at=clock.now())
    for number, connection in enumerate((None, other)):
        row = _shipment(company, connection, key=f"x-{number}")
        assert _report({"shipment": row.pk, "state": "lost"}, name=row.key) == 404
    assert Client().post("/hooks/equipment/idp/").status_code == 404
    assert not ShipmentEvent.objects.exists()


def test_a_report_settles_the_task_that_asks_for_the_same(
    company: Company, partner: Connection
) -> None:
    row = _shipment(company, partner, state="return_asked")
    now = clock.now()
    Shipment.objects.filter(pk=row.pk).update(state_at=now - timedelta(days=15))
    assert [shipments_chase(now=now) for _ in range(3)] == [1, 0, 0]
    task = Task.objects.get(key__startswith="chase:")
    assert task.title == "Get the Laptop of Report Example back"
    assert _report({"shipment": row.pk, "state": "returned"}) == 202
    task.refresh_from_db()
    assert (task.status, task.comment) == ("cancelled", "Fleet reports it as returned.")
    assert shipments_chase(now=now + timedelta(days=60)) == 0


def test_equipment_that_never_arrives_is_asked_after_once_and_the_answer_moves_it(
    company: Company,
) -> None:
    row = _shipment(company, None, state="shipped")
    now = clock.now()
    assert shipments_chase(now=now) == 0
    assert shipments_chase(now=now + timedelta(days=12)) == 1
    task = Task.objects.get(key__startswith="chase:")
    task_done(task.pk, by=None, by_label="it", comment="She has it.", now=now)
    row.refresh_from_db()
    assert row.state == "delivered"
    assert shipments_chase(now=now + timedelta(days=90)) == 0


def test_reports_never_take_a_shipment_back() -> None:
    order = ["asked", "address_received", "ordered", "shipped", "delivered"]
    for to in ("ordered", "shipped", "delivered"):
        assert not set(FROM[to]) & set(order[order.index(to) :])
        assert not set(FROM[to]) & {"return_asked", "returned", "lost", "cancelled"}
