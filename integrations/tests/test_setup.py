"""The wizard from token to Finish, against the simulated Remote over real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ

from integrations import setup_mapping
from integrations.models import Connection, SyncRun
from integrations.setup_review import review_finish, review_of
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.sync_lease import SyncRefusedError
from integrations.tests.worker import work
from people.models import EmploymentType, LegalEntity, LifecycleEvent, Person, WorkerTypeMapping
from people.overriding import person_override_set
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company

TOKEN = "ra_test_the-right-one"
NEW = "/settings/integrations/connect/remote/"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    company = build_company(40, 1, clock.now().date(), "acme.example", awkward=True, strict=False)
    with Simulator(company, token=TOKEN) as running:
        yield running


@pytest.fixture
def company(db: None) -> Company:
    made = small_company()
    Connection.objects.all().delete()
    OrmQ.objects.all().delete()
    return made


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


def form(simulator: Simulator, token: str = TOKEN) -> dict[str, str]:
    return {
        "name": "Remote",
        "setting_api_token": token,
        "setting_base_url": simulator.base_url,
    }


def authorize(hr: Client, simulator: Simulator) -> tuple[Connection, str]:
    hr.post(NEW, form(simulator))
    connection = Connection.objects.get()
    return connection, f"/settings/integrations/{connection.key}/"


def html(hr: Client, url: str) -> str:
    return hr.get(url, follow=True).content.decode()


def finish(hr: Client, base: str) -> None:
    page = html(hr, f"{base}review/")
    found = re.search(r'name="fingerprint" value="(\w+)"', page)
    assert found is not None
    hr.post(f"{base}finish/", {"fingerprint": found[1]})


def test_the_whole_walk_imports_what_was_reviewed_and_fires_nothing(
    hr: Client, simulator: Simulator, company: Company
) -> None:
    before = Person.objects.count()
    connection, base = authorize(hr, simulator)
    assert (connection.status, connection.account["company_name"]) == ("draft", "Acme")
    assert "Waiting for the background worker" in html(hr, f"{base}review/")
    assert work() == ["integrations.setup_tasks.review_one"]
    page = html(hr, f"{base}review/")
    assert "Authorized: Acme" in page
    assert "People come in" in page
    for words in ("No work email", "Duplicates", "Ended", "Copy the Remote id of Sofia Quintela"):
        assert words in page, words
    assert "your own company that engages them" in page
    assert (Person.objects.count(), LifecycleEvent.objects.count()) == (before, 0)
    expected = review_of(connection).review["summary"]["counts"]["people"]

    finish(hr, base)
    assert "Importing" in html(hr, f"{base}review/")
    assert Person.objects.count() == before
    work(only="integrations")
    connection.refresh_from_db()
    assert connection.status == Connection.Status.READY
    assert Person.objects.count() == before + expected
    assert set(LifecycleEvent.objects.values_list("baseline", flat=True)) == {True}
    run = connection.syncs.get()
    assert (run.status, run.trigger, run.review, run.held_records) == ("applied", "setup", {}, [])
    assert LegalEntity.objects.exclude(external_id="").exists()
    assert AuditEntry.objects.filter(action="connection.finished").count() == 1
    assert "The set-up is finished" in html(hr, f"{base}review/")


@pytest.mark.parametrize(
    ("prepare", "title"),
    [
        (lambda sim, data: data.update(setting_api_token="ra_test_revoked"), "Unauthorized"),
        (lambda sim, data: data.update(setting_base_url="http://127.0.0.1:9"), "No answer"),
        (
            lambda sim, data: data.update(setting_api_token="abc", setting_base_url=""),
            "This cannot be used",
        ),
        (
            lambda sim, data: data.update(setting_base_url="https://gateway.remote.com"),
            "This cannot be used",
        ),
        (
            lambda sim, data: sim.fault("/v1/identity/current", status=403, times=1),
            "The token may not read everything",
        ),
    ],
)
def test_a_refused_token_says_why_and_what_to_do_and_can_be_tried_again(
    prepare: Any, title: str, hr: Client, simulator: Simulator, monkeypatch: Any
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    data = form(simulator)
    prepare(simulator, data)
    page = hr.post(NEW, data, follow=True).content.decode()
    assert f"<strong>{title}</strong>" in page
    assert "What to do" in page
    assert OrmQ.objects.count() == 0
    connection = Connection.objects.get()
    assert connection.status == Connection.Status.NEEDS_ATTENTION
    # It is resumed, not begun twice, and goes on with the right token.
    assert hr.get(NEW)["Location"] == f"/settings/integrations/{connection.key}/review/"
    hr.post(f"/settings/integrations/{connection.key}/review/", form(simulator))
    connection.refresh_from_db()
    assert (connection.status, Connection.objects.count()) == ("draft", 1)


def test_reading_that_fails_says_so_and_is_started_again(hr: Client, simulator: Simulator) -> None:
    connection, base = authorize(hr, simulator)
    simulator.fault("/v1/companies", status=400, times=1)
    work()
    page = html(hr, f"{base}review/")
    assert "People could not be read" in page
    hr.post(f"{base}review/read/")
    work()
    assert "People come in" in html(hr, f"{base}review/")
    assert connection.syncs.exclude(status="discarded").count() == 1


def test_a_token_revoked_while_reading_leads_back_to_the_token(
    hr: Client, simulator: Simulator
) -> None:
    _, base = authorize(hr, simulator)
    simulator.revoke_token()
    work()
    page = html(hr, f"{base}review/")
    assert "Unauthorized" in page
    assert "The API token was revoked" in page or "token was revoked" in page


def test_progress_is_a_fragment_that_reloads_the_page_when_there_is_more(
    hr: Client, simulator: Simulator
) -> None:
    _, base = authorize(hr, simulator)
    fragment = hr.get(f"{base}review/", headers={"HX-Request": "true"})
    assert fragment.content.lstrip().startswith(b"<section")
    assert b"hx-trigger" in fragment.content
    work()
    done = hr.get(f"{base}review/", headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")


def test_mapping_is_changed_in_the_review_and_stored_only_by_finishing(
    hr: Client, simulator: Simulator
) -> None:
    connection, base = authorize(hr, simulator)
    work()
    page = html(hr, f"{base}review/")
    assert page.index("chip-warning") < page.index("chip-eor")
    mapping = {
        "type_eor_employee": "employee",
        "type_direct_employee": "employee",
        "type_contractor": "contractor",
        "type_other": "",
    }
    hr.post(f"{base}review/mapping/", {**mapping, "new_type": "Partner"})
    hr.post(f"{base}review/mapping/", {**mapping, "type_other": "partner"})
    assert not EmploymentType.objects.filter(key="partner").exists()
    assert not WorkerTypeMapping.objects.filter(worker_type="other").exists()
    review = review_of(connection)
    kinds = {row["employment_type"] for row in review.review["summary"]["people"]}
    assert kinds == {"employee", "contractor", "partner"}
    finish(hr, base)
    work(only="integrations")
    assert EmploymentType.objects.get(key="partner").name == "Partner"
    assert WorkerTypeMapping.objects.get(worker_type="other").employment_type.key == "partner"
    assert Person.objects.filter(worker_type="other", employment_type="partner").exists()
    assert AuditEntry.objects.filter(action="mapping.changed").count() == 1


def test_mapping_of_a_large_company_is_judged_by_the_worker_while_nobody_can_finish(
    hr: Client, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_mapping, "AT_ONCE", 5)
    connection, base = authorize(hr, simulator)
    work()
    shown = re.search(r'name="fingerprint" value="(\w+)"', html(hr, f"{base}review/"))[1]
    hr.post(f"{base}review/mapping/", {"type_eor_employee": "contractor"})
    page = html(hr, f"{base}review/")
    assert "The review follows the new mapping" in page
    assert "workers by the new mapping" in page
    assert "Finish setup" not in page
    part = hr.get(f"{base}review/", headers={"HX-Request": "true"})
    assert "setup-progress" in part.content.decode()
    hr.post(f"{base}finish/", {"fingerprint": shown})
    hr.post(f"{base}finish/", {"fingerprint": ""})
    # Somebody chooses otherwise before the worker comes: the last word counts.
    hr.post(f"{base}review/mapping/", {"type_eor_employee": "employee"})
    assert set(work(only="integrations")) == {"integrations.setup_tasks.judge_one"}
    kinds = {
        row["employment_type"]
        for row in review_of(connection).review["summary"]["people"]
        if row["worker_type"] == "eor_employee"
    }
    assert kinds == {"employee"}
    assert "Finish setup" in html(hr, f"{base}review/")
    connection.refresh_from_db()
    assert connection.finished_at is None


def test_mapping_that_the_worker_never_judged_is_said_and_chosen_again(
    hr: Client, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup_mapping, "AT_ONCE", 5)
    _, base = authorize(hr, simulator)
    work()
    hr.post(f"{base}review/mapping/", {"type_eor_employee": "contractor"})
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        page = html(hr, f"{base}review/")
        assert "was not worked out" in page
        hr.post(f"{base}finish/", {"fingerprint": ""})
        assert "was not worked out" in html(hr, f"{base}review/")
        monkeypatch.setattr(setup_mapping, "AT_ONCE", 1000)
        hr.post(f"{base}review/mapping/", {"type_eor_employee": "employee"})
        assert "was not worked out" not in html(hr, f"{base}review/")


def test_finish_of_a_page_that_somebody_changed_is_refused(
    hr: Client, simulator: Simulator
) -> None:
    connection, base = authorize(hr, simulator)
    work()
    page = html(hr, f"{base}review/")
    shown = re.search(r'name="fingerprint" value="(\w+)"', page)[1]
    hr.post(f"{base}review/mapping/", {"type_eor_employee": "contractor"})
    answer = hr.post(f"{base}finish/", {"fingerprint": shown}, follow=True)
    assert b"Somebody changed the mapping" in answer.content
    assert work() == []
    connection.refresh_from_db()
    assert connection.finished_at is None


def test_a_directory_that_changed_meanwhile_stops_the_import_and_is_named(
    hr: Client, simulator: Simulator, company: Company
) -> None:
    connection, base = authorize(hr, simulator)
    person = company.people["employee"]
    first = next(iter(simulator.company.employments.values()))
    simulator.update(first["id"], work_email=person.work_email)
    work()
    finish(hr, base)
    person_override_set(
        person, field="job_title", value="Chair", reason="For the test.", now=clock.now()
    )
    work(only="integrations")
    connection.refresh_from_db()
    assert connection.finished_at is None
    page = html(hr, f"{base}review/")
    assert "nothing was imported" in page
    assert person.work_email in page
    finish(hr, base)
    work(only="integrations")
    connection.refresh_from_db()
    assert connection.finished_at is not None


def test_an_old_review_is_read_again_first(
    hr: Client, simulator: Simulator, company: Company
) -> None:
    _, base = authorize(hr, simulator)
    work()
    with time_machine.travel(clock.system_now() + timedelta(hours=25), tick=False):
        client = Client()
        client.force_login(company.users["hr"])
        page = html(client, f"{base}review/")
        shown = re.search(r'name="fingerprint" value="(\w+)"', page)[1]
        answer = client.post(f"{base}finish/", {"fingerprint": shown}, follow=True)
    assert b"older than a day" in answer.content
    assert work() == []


def test_two_presses_of_finish_import_once(hr: Client, simulator: Simulator) -> None:
    connection, base = authorize(hr, simulator)
    work()
    finish(hr, base)
    review = review_of(connection)
    assert review_finish(review, actor=None, now=clock.now()) == []
    with pytest.raises(SyncRefusedError):
        review_finish(review, actor=None, now=clock.now())
    assert SyncRun.objects.filter(status="applied").count() == 1


def test_birthdays_are_shown_to_those_who_may_see_them_only(
    hr: Client, simulator: Simulator, company: Company
) -> None:
    _, base = authorize(hr, simulator)
    work()
    assert "Hidden from your role" not in html(hr, f"{base}review/")
    group = company.users["hr"].groups.get()
    group.permissions.remove(*group.permissions.filter(codename="view_private_fields"))
    client = Client()
    client.force_login(User.objects.get(username="hr"))
    assert "Hidden from your role" in html(client, f"{base}review/")


def test_disconnecting_throws_an_unfinished_review_away(hr: Client, simulator: Simulator) -> None:
    connection, base = authorize(hr, simulator)
    work()
    hr.post(f"{base}disconnect/", {"records": "keep"})
    run = connection.syncs.get()
    assert (run.status, run.held_records, run.review) == ("discarded", [], {})
    assert hr.get(NEW).status_code == 200
