"""Reading selected people again: only them, in the background, with what came of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django_q.models import OrmQ

from integrations.models import Connection, SyncRun
from integrations.people_reread import AS_BEFORE, CHANGED, UNKNOWN
from integrations.services import connection_disconnect, connection_save, connection_test
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.sync import setup_finish
from integrations.sync_lease import sync_claim, sync_close
from integrations.tasks import sync_connections
from integrations.tests.worker import work
from people.models import Person, SourceRecord
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company

pytestmark = pytest.mark.django_db
LIST = "/admin/people/person/"
TOKEN = "ra_test_again"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    company = build_company(30, 1, clock.now().date(), "acme.example")
    with Simulator(company, token=TOKEN) as running:
        yield running


@pytest.fixture
def company(db: None) -> Company:
    made = small_company()
    Connection.objects.all().delete()
    return made


@pytest.fixture
def connection(company: Company, simulator: Simulator) -> Connection:
    made = connection_save(
        key="hr",
        connector="remote",
        name="Remote",
        config={"base_url": simulator.base_url},
        secrets={"api_token": TOKEN},
    )
    connection_test(made)
    setup_finish(made, actor=None, now=clock.now())
    OrmQ.objects.all().delete()
    made.refresh_from_db()
    return made


@pytest.fixture
def some(connection: Connection) -> list[Person]:
    return list(Person.objects.filter(remote_id__gt="", status="active").order_by("pk")[:3])


def ask(company: Company, who: str, people: list[Person]) -> str:
    client = Client()
    client.force_login(company.users[who])
    data = {"action": "resync", "_selected_action": [person.pk for person in people]}
    return client.post(LIST, data, follow=True).content.decode()


def test_only_the_selected_are_read_and_each_is_told_of(
    company: Company, simulator: Simulator, connection: Connection, some: list[Person]
) -> None:
    changed, same, gone = some
    simulator.update(changed.remote_id, job_title="Night Owl")
    simulator.remove(gone.remote_id)
    simulator.clear_requests()
    assert "Selected people are read again soon" in ask(company, "hr", some)
    assert work(only="integrations") == ["integrations.tasks.reread_one"]
    changed.refresh_from_db()
    assert changed.job_title == "Night Owl"
    asked = {row.path for row in simulator.requests if "/v1/employments" in row.path}
    assert asked == {f"/v1/employments/{person.remote_id}" for person in some}
    run = SyncRun.objects.get(trigger="selected")
    said = {row["person"]: row["said"] for row in run.names["selected"]}
    assert said == {changed.pk: CHANGED, same.pk: AS_BEFORE, gone.pk: UNKNOWN}
    assert (run.status, run.updated, run.requested_by) == ("applied", 1, company.users["hr"])
    assert Person.objects.get(pk=gone.pk).status == "active"
    client = Client()
    client.force_login(company.users["hr"])
    html = client.get(f"/settings/integrations/hr/syncs/{run.pk}/").content.decode()
    assert "Night Owl" in html
    assert UNKNOWN in html
    entry = AuditEntry.objects.get(action="sync.requested")
    assert entry.detail == {"selected_people": 3, "sync": run.pk}


def test_it_waits_for_the_sync_that_runs_and_the_schedule_comes_back(
    company: Company, connection: Connection, some: list[Person]
) -> None:
    full = sync_claim(connection, trigger="schedule", actor=None, now=clock.now())
    ask(company, "hr", some[:1])
    work(only="integrations")
    assert SyncRun.objects.get(trigger="selected").status == "asked"
    sync_close(full, status=SyncRun.Status.APPLIED, now=clock.now())
    sync_connections()
    assert SyncRun.objects.get(trigger="selected").status == "applied"


def test_wish_of_a_connection_that_is_gone_fails_and_says_so(
    company: Company, connection: Connection, some: list[Person]
) -> None:
    ask(company, "hr", some[:1])
    connection_disconnect(connection, actor=None)
    sync_connections()
    run = SyncRun.objects.get(trigger="selected")
    assert run.status == "failed"
    assert "disconnected" in run.error


def test_failure_is_said_and_a_refused_token_marks_the_connection(
    company: Company, simulator: Simulator, connection: Connection, some: list[Person]
) -> None:
    simulator.revoke_token()
    ask(company, "hr", some[:1])
    work(only="integrations")
    run = SyncRun.objects.get(trigger="selected")
    assert (run.status, run.error_code) == ("failed", "unauthorized")
    connection.refresh_from_db()
    assert connection.status == Connection.Status.NEEDS_ATTENTION


def test_too_many_leavers_among_them_are_left_to_a_sync_that_holds_them(
    company: Company, simulator: Simulator, connection: Connection
) -> None:
    people = list(Person.objects.filter(remote_id__gt="", status="active"))[:10]
    for person in people:
        simulator.archive(person.remote_id)
    ask(company, "hr", people)
    work(only="integrations")
    assert SyncRun.objects.get(trigger="selected").status == "discarded"
    assert Person.objects.filter(pk__in=[one.pk for one in people], status="active").count() == 10
    held = connection.syncs.filter(status=SyncRun.Status.HELD).first()
    assert held is not None
    assert len(held.held_people) == 10


def test_nobody_is_asked_for_people_without_a_source_or_by_who_may_not(
    company: Company, connection: Connection, some: list[Person]
) -> None:
    assert "No connection delivers" in ask(company, "hr", [company.people["manager"]])
    ask(company, "it", some)
    assert not SyncRun.objects.filter(trigger="selected").exists()


def test_source_that_is_read_whole_and_too_many_people_ask_for_everybody(
    company: Company,
    connection: Connection,
    some: list[Person],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("integrations.people_actions.AT_ONCE", 2)
    assert "it reads everybody anew" in ask(company, "hr", some)
    connection_save(
        key="idp",
        connector="scim",
        name="Directory",
        config={"base_url": "https://idp.acme.test/scim/v2", "people": "yes"},
        secrets={"bearer_token": "t"},
    )
    now = clock.now()
    Connection.objects.filter(key="idp").update(finished_at=now, status="ready")
    SourceRecord.objects.create(
        source="idp", external_id="u1", person=company.people["manager"], digest="d",
        first_seen_at=now, changed_at=now,
    )  # fmt: skip
    assert "A sync of Directory is asked for" in ask(company, "hr", [company.people["manager"]])
    assert not SyncRun.objects.filter(trigger="selected").exists()
