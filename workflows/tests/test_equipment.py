"""Equipment: asked, addressed by a private link, ordered, looked after, asked back. No leak."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from integrations.connectors.base import HttpResponse
from integrations.errors import PermanentError, TransientError, UnauthorizedError
from integrations.models import Bundle, Connection
from people.models import Person
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.document.parse import parse_document
from workflows.engine.service import run_due
from workflows.models import Run, Service, Shipment, ShipmentEvent, StepRun, Task
from workflows.requests import request_submit
from workflows.services import workflow_import
from workflows.shipment_address import address_give, addresses_erase, link_for, shipment_by_link
from workflows.shipment_states import NEXT, ShipmentRefusedError, shipment_move
from workflows.shipments import shipments_watch
from workflows.tasks_by_hand import task_done

STREET = "17 Rue Secrète"
ADDRESS = {
    "name": "Report Example", "line1": STREET, "line2": "", "postcode": "75011",
    "city": "Paris", "region": "", "country": "FRA", "phone": "+33 1",
}  # fmt: skip


@pytest.fixture
def company(db: None) -> Company:
    cache.clear()
    company = small_company()
    Shipment.objects.all().delete()
    Service.objects.create(key="badge", name="Badge")
    return company


class Partner:
    """A shipping partner at the other end of an HTTP connection."""

    serves: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.error: Exception | None = None

    def call(self, payload: Any, *, idempotency_key: str, **_rest: Any) -> HttpResponse:
        self.calls.append((idempotency_key, payload))
        if self.error is not None:
            raise self.error
        return HttpResponse(status=202, headers={}, body=b"", url="")


@pytest.fixture
def partner(company: Company, monkeypatch: pytest.MonkeyPatch) -> Partner:
    made = Partner()
    connection = Connection.objects.create(
        key="shipping", connector="http", name="Shipping", status="ready", created_at=clock.now()
    )
    Bundle.objects.filter(key="laptop").update(connection=connection)
    for module in ("workflows.actions.equipment", "workflows.shipments"):
        monkeypatch.setattr(f"{module}.client_for", lambda _connection: made)
        monkeypatch.setattr(f"{module}.SignedCaller", Partner)
    return made


def _run(company: Company, *steps: dict[str, Any]) -> Run:
    document = {
        "format": "siit.workflow/1",
        "key": "badge",
        "name": "Badge",
        "trigger": {"type": "request.submitted", "params": {"service": "badge"}},
        "steps": list(steps),
    }
    saved = workflow_import(parse_document(document), publish=True, now=clock.now())
    assert [item for item in saved.problems if item.level == "error"] == []
    made = request_submit(
        service=Service.objects.get(key="badge"), requester=company.people["report"], form={},
        now=clock.now(),
    )  # fmt: skip
    run_due(now=clock.now())
    return Run.objects.get(request=made)


def _ship(**params: Any) -> dict[str, Any]:
    return {"key": "ship", "action": "equipment.ship", "params": {"bundle": "laptop", **params}}


def _link() -> str:
    body = str(mail.outbox[-1].body)
    return next(word for word in body.split() if "/equipment/address/" in word).split("8000")[-1]


def _path(link: str) -> str:
    return link[link.index("/equipment/") :]


def test_without_a_connection_it_gets_a_task_and_the_worker_the_form(company: Company) -> None:
    run = _run(company, _ship())
    assert run.status == "done"
    row = Shipment.objects.get()
    task = Task.objects.get(step__run=run)
    assert (row.state, row.items) == ("asked", ["Laptop", "Mouse"])
    assert mail.outbox[-1].to == ["report@acme.test"]
    assert [point["text"] for point in task.checklist] == ["Laptop", "Mouse"]
    assert f"/equipment/{row.pk}/" in task.body
    client = Client()
    client.post(_path(_link()), ADDRESS)
    Task.objects.filter(pk=task.pk).update(checklist=[])
    task_done(task.pk, by=None, by_label="it@acme.test", comment="DHL 4711", now=clock.now())
    row.refresh_from_db()
    assert row.state == "shipped"
    words = list(ShipmentEvent.objects.values_list("text", flat=True))
    assert words[-1] == "DHL 4711"
    assert STREET not in " ".join(words) + task.body


def test_the_connection_is_told_once_the_address_is_there(
    company: Company, partner: Partner
) -> None:
    run = _run(company, _ship())
    assert (run.status, partner.calls) == ("done", [])
    shipments_watch(now=clock.now())
    assert partner.calls == []
    Client().post(_path(_link()), ADDRESS)
    assert Shipment.objects.get().state == "address_received"
    for _ in range(3):
        shipments_watch(now=clock.now())
    row = Shipment.objects.get()
    assert (row.state, row.order_at) == ("ordered", None)
    ((key, payload),) = partner.calls
    assert (key, payload["address"]["line1"]) == (row.key, STREET)
    assert payload["items"] == ["Laptop", "Mouse"]


def test_partner_that_is_down_is_tried_again_with_the_same_key(
    company: Company, partner: Partner
) -> None:
    _run(company, _ship())
    Client().post(_path(_link()), ADDRESS)
    partner.error = TransientError("Down.")
    now = clock.now()
    shipments_watch(now=now)
    shipments_watch(now=now + timedelta(minutes=1))
    assert len(partner.calls) == 1, "it waits before it tries again"
    partner.error = None
    shipments_watch(now=now + timedelta(minutes=10))
    assert Shipment.objects.get().state == "ordered"
    assert len({key for key, _ in partner.calls}) == 1


@pytest.mark.parametrize("tries", [1, 12])
def test_what_the_partner_cannot_do_becomes_a_problem_and_a_task(
    company: Company, partner: Partner, tries: int
) -> None:
    _run(company, _ship())
    Client().post(_path(_link()), ADDRESS)
    partner.error = PermanentError("No such bundle.") if tries == 1 else TransientError("Down.")
    for number in range(tries):
        shipments_watch(now=clock.now() + timedelta(hours=7 * number))
    assert len(partner.calls) == tries
    assert Shipment.objects.get().state == "problem"
    task = Task.objects.get(key__startswith="order:")
    assert str(task.role) == "it"
    assert STREET not in task.body


def test_a_refused_credential_holds_the_order_until_it_is_mended(
    company: Company, partner: Partner
) -> None:
    _run(company, _ship())
    Client().post(_path(_link()), ADDRESS)
    partner.error = UnauthorizedError("The key was refused.")
    now = clock.now()
    for number in range(20):
        shipments_watch(now=now + timedelta(hours=number))
    row = Shipment.objects.get()
    assert (row.state, row.order_tries) == ("address_received", 0)
    assert Connection.objects.get(key="shipping").status == "needs_attention"
    said = ShipmentEvent.objects.filter(text__startswith="Not ordered yet")
    assert said.count() == 1
    partner.error = None
    shipments_watch(now=now + timedelta(days=2))
    assert Shipment.objects.get().state == "ordered"
    assert len({key for key, _ in partner.calls}) == 1


def test_an_office_needs_no_form(company: Company, partner: Partner) -> None:
    _run(company, _ship(address_from="Paris office"))
    assert Shipment.objects.get().state == "ordered"
    assert partner.calls[0][1]["address_from"] == "Paris office"
    assert mail.outbox == []


def test_bundle_that_is_not_for_this_country_becomes_a_task(
    company: Company, partner: Partner
) -> None:
    Bundle.objects.update(countries=["ESP"])
    run = _run(company, _ship())
    assert "not sent to" in StepRun.objects.get(run=run).reason
    assert Task.objects.filter(step__run=run).exists()
    assert partner.calls == []


def test_run_waits_until_it_is_delivered(company: Company) -> None:
    run = _run(company, _ship(wait_until_delivered=True))
    assert run.status == "waiting"
    row = Shipment.objects.get()
    for to in ("shipped", "delivered"):
        shipment_move(row.pk, to, by_label="it", now=clock.now())
        run_due(now=clock.now())
    run.refresh_from_db()
    assert run.status == "done"
    assert StepRun.objects.get(run=run).outcome["summary"] == "Standard laptop: delivered."


def test_everything_a_leaver_has_is_asked_back_and_the_rest_not_sent(company: Company) -> None:
    now, person = clock.now(), company.people["report"]
    for key, state in (("a", "delivered"), ("b", "shipped"), ("c", "asked"), ("d", "returned")):
        Shipment.objects.create(
            key=key, person=person, bundle_key=key, bundle_name=key.upper(), state=state,
            state_at=now, created_at=now,
        )  # fmt: skip
    step = {"key": "back", "action": "equipment.collect", "params": {"wait_until_returned": True}}
    run = _run(company, step)
    assert run.status == "waiting"
    found = dict(Shipment.objects.values_list("key", "state"))
    assert found == {
        "a": "return_asked", "b": "return_asked", "c": "cancelled", "d": "returned"
    }  # fmt: skip
    for task in Task.objects.filter(step__run=run):
        task_done(task.pk, by=None, by_label="it", comment="Here.", now=clock.now())
        run_due(now=clock.now())
    run.refresh_from_db()
    assert run.status == "done"
    assert Shipment.objects.filter(state="returned").count() == 3


def test_who_has_nothing_gives_nothing_back(company: Company) -> None:
    run = _run(company, {"key": "back", "action": "equipment.collect"})
    assert "No equipment is recorded" in StepRun.objects.get(run=run).outcome["summary"]


def test_collecting_goes_through_the_connection(company: Company, partner: Partner) -> None:
    _run(company, {"key": "back", "action": "equipment.collect", "params": {"bundle": "laptop"}})
    assert partner.calls[0][1]["event"] == "equipment.collect"
    assert Shipment.objects.get().state == "return_asked"


def _asked(company: Company, **values: Any) -> Shipment:
    now = clock.now()
    return Shipment.objects.create(
        **{
            "key": "k", "person": company.people["report"], "bundle_key": "laptop",
            "bundle_name": "Standard laptop", "state_at": now, "created_at": now,
            "wants_address": True, **values,
        }
    )  # fmt: skip


def test_opening_the_link_in_any_way_changes_nothing_and_tells_nothing(company: Company) -> None:
    row = _asked(company)
    path = _path(link_for(row, now=clock.now()))
    entries = AuditEntry.objects.count()
    client = Client()
    for method in ("get", "head", "options", "put", "delete", "patch", "trace"):
        answer = getattr(client, method)(path)
        assert b"Report" not in answer.content
    page = client.get(path)
    assert (page.status_code, page["Referrer-Policy"]) == (200, "same-origin")
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"
    row.refresh_from_db()
    assert (row.state, row.address_token) == ("asked", "")
    assert AuditEntry.objects.count() == entries


def test_link_works_once_for_one_shipment_and_not_for_ever(company: Company) -> None:
    now, client = clock.now(), Client()
    row, other = _asked(company), _asked(company, key="other")
    first = _path(link_for(row, now=now))
    second = _path(link_for(row, now=now))
    assert client.get(first).status_code == 404, "a newer link ends the older"
    token = second.rstrip("/").rpartition("/")[2]
    assert shipment_by_link(token, now=now + timedelta(days=15)) is None
    assert shipment_by_link(token[:-2] + "zz", now=now) is None
    assert client.post(second, {**ADDRESS, "country": "XXX"}).status_code == 422
    thanks = client.post(second, ADDRESS)
    assert b"Thank you" in thanks.content
    assert STREET.encode() not in thanks.content
    assert client.get(second).status_code == 404
    assert client.post(second, ADDRESS).status_code == 404
    with pytest.raises(ShipmentRefusedError):
        address_give(token, ADDRESS, now=now)
    row.refresh_from_db()
    other.refresh_from_db()
    assert row.get_address()["line1"] == STREET
    assert STREET not in row.address_token
    assert other.address_token == ""


def test_form_asks_for_its_token_against_forged_posts(company: Company) -> None:
    path = _path(link_for(_asked(company), now=clock.now()))
    assert Client(enforce_csrf_checks=True).post(path, ADDRESS).status_code == 403


def test_form_opened_too_often_from_one_place_is_refused(company: Company) -> None:
    client = Client()
    answers = [client.get("/equipment/address/guess/").status_code for _ in range(62)]
    assert answers.count(404) == 60
    assert answers[-1] == 429


def test_address_is_shown_to_who_may_and_the_look_is_kept(company: Company) -> None:
    row = _asked(company)
    token = link_for(row, now=clock.now()).rstrip("/").rpartition("/")[2]
    address_give(token, ADDRESS, now=clock.now())
    client = Client()
    client.force_login(company.users["it"])
    assert STREET not in client.get(f"/equipment/{row.pk}/").content.decode()
    shown = client.post(f"/equipment/{row.pk}/address/")
    assert STREET in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert AuditEntry.objects.filter(action="shipment.address_seen").count() == 1
    everything = json.dumps(list(AuditEntry.objects.values_list("detail", "object_label")))
    assert STREET not in everything


def test_address_is_erased_some_days_after_shipping(company: Company) -> None:
    now, row = clock.now(), _asked(company)
    token = link_for(row, now=now).rstrip("/").rpartition("/")[2]
    address_give(token, ADDRESS, now=now)
    shipment_move(row.pk, "shipped", tracking="T1", by_label="it", now=now)
    assert addresses_erase(kept_days=30, now=now + timedelta(days=29)) == 0
    assert addresses_erase(kept_days=30, now=now + timedelta(days=30)) == 1
    row.refresh_from_db()
    assert (row.address_token, row.get_address(), row.tracking) == ("", {}, "T1")


def test_form_is_sent_again_then_somebody_speaks_with_them(company: Company) -> None:
    _run(company, _ship())
    now = clock.now()
    for number in range(1, 5):
        shipments_watch(now=now + timedelta(days=3 * number, hours=1))
    sent = [item for item in mail.outbox if "send your equipment" in item.subject]
    assert len(sent) == 3
    assert Task.objects.filter(key__startswith="address-late:").count() == 1


def test_before_they_have_work_mail_a_private_address_or_hr(company: Company) -> None:
    person = company.people["report"]
    Person.objects.filter(pk=person.pk).update(status="hired")
    run = _run(company, _ship())
    assert mail.outbox == []
    task = Task.objects.get(key__startswith="address:")
    assert str(task.role) == "hr"
    Run.objects.filter(pk=run.pk).delete()
    Shipment.objects.all().delete()
    Person.objects.filter(pk=person.pk).update(personal_email="me@home.test")
    _run(company, _ship())
    assert mail.outbox[-1].to == ["me@home.test"]


@pytest.mark.parametrize("state", sorted(NEXT))
def test_states_follow_each_other_only_as_planned(company: Company, state: str) -> None:
    for to in Shipment.State.values:
        row = _asked(company, key=f"{state}-{to}", state=state)
        if to in NEXT[state]:
            with_words = {"text": "Because."}
            assert (
                shipment_move(row.pk, to, by_label="x", now=clock.now(), **with_words).state == to
            )
        else:
            with pytest.raises(ShipmentRefusedError):
                shipment_move(row.pk, to, text="x", by_label="x", now=clock.now())


def test_trouble_needs_words(company: Company) -> None:
    row = _asked(company, state="shipped")
    with pytest.raises(ShipmentRefusedError, match="what happened"):
        shipment_move(row.pk, "lost", by_label="x", now=clock.now())


def test_bundles_are_made_and_changed_in_the_browser(company: Company) -> None:
    client = Client()
    client.force_login(company.users["hr"])
    form = {
        "name": "Intern kit",
        "items": "Laptop\n\n Badge ",
        "countries": ["FRA"],
        "active": "on",
    }
    client.post("/equipment/bundles/new/", form)
    made = Bundle.objects.get(key="intern-kit")
    assert (made.items, made.countries, made.connection) == (["Laptop", "Badge"], ["FRA"], None)
    assert client.post("/equipment/bundles/new/", form).status_code == 422
    client.post("/equipment/bundles/intern-kit/", {**form, "name": "Kit"})
    made.refresh_from_db()
    assert made.name == "Kit"
    assert AuditEntry.objects.filter(action="bundle.saved").count() == 2
    assert b"for everybody in France" in client.get("/equipment/bundles/").content


def test_it_moves_a_shipment_and_finds_it(company: Company) -> None:
    row = _asked(company)
    client = Client()
    client.force_login(company.users["it"])
    client.post(f"/equipment/{row.pk}/move/", {"to": "shipped", "tracking": "DHL 1", "text": ""})
    assert b"DHL 1" in client.get("/equipment/?q=dhl").content
    assert b"DHL 1" in client.get(f"/equipment/?person={row.person_id}").content
    profile = client.get(f"/people/{row.person_id}/").content
    assert b"Standard laptop" in profile
    answer = client.post(f"/equipment/{row.pk}/move/", {"to": "asked"})
    assert answer.status_code == 422
    client.post(f"/equipment/{row.pk}/ask/", {"to": "me@home.test"})
    assert mail.outbox == [], "nothing is asked for any more"
