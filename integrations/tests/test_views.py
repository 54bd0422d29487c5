"""Settings → Integrations in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve
from django.utils.html import escape
from django_q.models import OrmQ

from integrations.connectors.base import CONNECTORS
from integrations.models import Connection, SyncRun
from integrations.tests.worker import work
from people.defaults import workspace_get
from people.models import Person, PersonChange, SourceRecord
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company

REMOTE = "/settings/integrations/remote/"
CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


def test_catalogue_offers_every_connector(hr: Client) -> None:
    html = hr.get("/settings/integrations/").content.decode()
    for connector in CONNECTORS:
        assert escape(connector.label) in html
        assert f"/settings/integrations/connect/{connector.key}/" in html


def test_every_connectors_form_opens(hr: Client) -> None:
    for connector in CONNECTORS:
        html = hr.get(f"/settings/integrations/connect/{connector.key}/").content.decode()
        for setting in connector.settings:
            assert f'name="setting_{setting.name}"' in html


def test_connecting_needs_the_token(hr: Client) -> None:
    response = hr.post("/settings/integrations/connect/remote/", {"name": "Second"})
    assert response.status_code == 200
    assert b"This field is required" in response.content
    assert Connection.objects.count() == 1


def test_a_connection_that_does_not_work_says_so_and_keeps_its_secret_hidden(
    hr: Client, settings: Any
) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = []
    form = {
        "name": "Second",
        "setting_api_token": "ra_test_canary-secret-value",
        "setting_base_url": CLOSED_PORT,
    }
    response = hr.post("/settings/integrations/connect/remote/", form, follow=True)
    made = Connection.objects.exclude(key="remote").get()
    assert made.key == "remote-2"
    assert made.status == Connection.Status.NEEDS_ATTENTION
    assert b'role="alert"' in response.content
    assert b"What to do" in response.content
    assert made.get_secrets()["api_token"] == "ra_test_canary-secret-value"
    assert "canary" not in made.secrets_token
    pages = [
        response,
        hr.get(f"/settings/integrations/{made.key}/settings/"),
        hr.get("/activity/"),
    ]
    assert not [page for page in pages if b"canary" in page.content]


def test_sync_now_rings_the_worker_and_is_written_down(hr: Client, company: Company) -> None:
    response = hr.post(f"{REMOTE}sync/", follow=True)
    assert b"A sync is asked for" in response.content
    task = OrmQ.objects.get()
    assert task.task["func"] == "integrations.tasks.sync_one"
    assert task.task["args"] == (
        company.objects["connection"].pk,
        company.users["hr"].pk,
        company.objects["sync"].pk,
    )
    assert AuditEntry.objects.filter(action="sync.requested").count() == 1


def test_sync_now_shows_the_one_that_runs(hr: Client, company: Company) -> None:
    running = SyncRun.objects.create(
        connection=company.objects["connection"],
        status="running",
        progress="Read 200 people",
        started_at=company.objects["sync"].started_at,
    )
    response = hr.post(f"{REMOTE}sync/", follow=True)
    assert response.redirect_chain[-1][0] == f"{REMOTE}syncs/{running.pk}/"
    assert b"running already" in response.content
    assert b"Read 200 people" in response.content
    assert OrmQ.objects.count() == 0
    for url in (REMOTE, f"{REMOTE}syncs/{running.pk}/"):
        fragment = hr.get(url, headers={"HX-Request": "true"})
        assert fragment.content.lstrip().startswith(b"<section")
    SyncRun.objects.filter(pk=running.pk).update(status="applied")
    done = hr.get(f"{REMOTE}syncs/{running.pk}/", headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Refresh"]) == (204, "true")
    done = hr.get(f"{REMOTE}?asked=0", headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Redirect"]) == (204, REMOTE)


def test_two_impatient_presses_are_one_sync(hr: Client, company: Company) -> None:
    hr.post(f"{REMOTE}sync/")
    hr.post(f"{REMOTE}sync/")
    work(only="integrations.tasks.sync_one")
    assert SyncRun.objects.exclude(pk=company.objects["sync"].pk).count() == 1


@pytest.mark.parametrize("asked", ["", "x", "9" * 30, "-1", "²"])
def test_odd_words_about_what_was_asked_are_harmless(asked: str, hr: Client) -> None:
    assert hr.get(REMOTE, {"asked": asked}).status_code == 200


def test_sync_now_before_the_set_up_is_finished_is_refused(hr: Client) -> None:
    Connection.objects.update(finished_at=None)
    assert b"Finish the set-up" in hr.post(f"{REMOTE}sync/", follow=True).content
    assert OrmQ.objects.count() == 0


def test_held_sync_is_discarded_once(hr: Client, company: Company) -> None:
    url = f"{REMOTE}syncs/{company.objects['sync'].pk}/"
    assert b"Would end 9 people" in hr.get(url).content
    hr.post(f"{url}discard/", {"reason": "Wrong export."})
    company.objects["sync"].refresh_from_db()
    assert company.objects["sync"].status == SyncRun.Status.DISCARDED
    again = hr.post(f"{url}discard/", {"reason": "Wrong export."}, follow=True)
    assert b"no longer held" in again.content


def test_held_sync_is_not_applied_without_a_reason(hr: Client, company: Company) -> None:
    url = f"{REMOTE}syncs/{company.objects['sync'].pk}/apply/"
    assert b"Say why" in hr.post(url, follow=True).content
    company.objects["sync"].refresh_from_db()
    assert company.objects["sync"].status == SyncRun.Status.HELD


def test_held_sync_is_not_discarded_without_a_reason(hr: Client, company: Company) -> None:
    url = f"{REMOTE}syncs/{company.objects['sync'].pk}/discard/"
    assert b"Say why" in hr.post(url, {"reason": "  "}, follow=True).content
    company.objects["sync"].refresh_from_db()
    assert company.objects["sync"].status == SyncRun.Status.HELD


def with_secret_and_record(company: Company) -> Connection:
    connection = company.objects["connection"]
    connection.set_secrets({"token": "t"})
    connection.save()
    person = company.people["report"]
    SourceRecord.objects.create(
        source="remote", external_id="e1", person=person, digest="d", values={"full_name": "Bo"},
        first_seen_at=connection.created_at, changed_at=connection.created_at,
    )  # fmt: skip
    return connection


def test_disconnecting_says_what_happens_and_keeps_the_people(hr: Client, company: Company) -> None:
    connection = with_secret_and_record(company)
    html = hr.get(f"{REMOTE}disconnect/").content.decode()
    assert "1 people stay in the directory" in html
    before = Person.objects.count()
    hr.post(f"{REMOTE}disconnect/", {"records": "keep"})
    connection.refresh_from_db()
    assert (connection.status, connection.secrets_token) == ("disconnected", "")
    assert (Person.objects.count(), SourceRecord.objects.count()) == (before, 1)


def test_erasing_wants_the_name_and_leaves_nothing_the_source_sent(
    hr: Client, company: Company
) -> None:
    connection = with_secret_and_record(company)
    refused = hr.post(f"{REMOTE}disconnect/", {"records": "erase", "name": "Remot"})
    assert b"Type Remote to erase" in refused.content
    connection.refresh_from_db()
    assert (connection.status, SourceRecord.objects.count()) == ("ready", 1)
    before = Person.objects.count()
    hr.post(f"{REMOTE}disconnect/", {"records": "erase", "name": "Remote"})
    connection.refresh_from_db()
    assert (connection.status, SourceRecord.objects.count()) == ("disconnected", 0)
    assert Person.objects.count() == before
    sync = company.objects["sync"]
    sync.refresh_from_db()
    assert (sync.skipped, sync.held_people, sync.names) == ([], [], {})
    assert AuditEntry.objects.get(action="connection.erased").detail == {"records": 1}


def test_neither_choice_does_nothing(hr: Client, company: Company) -> None:
    hr.post(f"{REMOTE}disconnect/")
    company.objects["connection"].refresh_from_db()
    assert company.objects["connection"].status == "ready"


@pytest.mark.parametrize(
    ("hours", "kept"), [("6", 6), ("1", 1), ("168", 168), ("0", 4), ("169", 4), ("", 4), ("x", 4)]
)
def test_frequency_is_a_number_of_hours_within_a_week(hours: str, kept: int, hr: Client) -> None:
    hr.post(f"{REMOTE}frequency/", {"hours": hours})
    assert workspace_get().sync_every_hours == kept
    html = hr.get(REMOTE).content.decode()
    assert f'value="{kept}"' in html


def test_sync_page_tells_what_changed_and_hides_birthdays_from_it(
    hr: Client, company: Company
) -> None:
    sync, person = company.objects["sync"], company.people["report"]
    for field, before, after in (
        ("job_title", "Analyst", "Lead analyst"),
        ("date_of_birth", "1990-05-17", "1991-05-17"),
    ):
        PersonChange.objects.create(
            person=person, field=field, before=before, after=after, source="remote",
            at=sync.started_at, correlation=f"sync:{sync.pk}",
        )  # fmt: skip
    url = f"{REMOTE}syncs/{sync.pk}/"
    html = hr.get(url).content.decode()
    assert "Lead analyst" in html and "17 May 1991" in html
    it = Client()
    it.force_login(company.users["it"])
    html = it.get(url).content.decode()
    assert "Lead analyst" in html and "17 May 1991" not in html


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("remote", ["Remote"], ["Slack"]),
        ("SLÄCK", ["Slack"], ["Integrations with"]),
        ("hris", ["Remote"], ["Slack"]),
        ("nothing-like-this", ["Nothing fits"], []),
    ],
)
def test_catalogue_is_searched_with_and_without_script(
    query: str, found: list[str], missing: list[str], hr: Client
) -> None:
    whole = hr.get("/settings/integrations/", {"q": query}).content.decode()
    part = hr.get(
        "/settings/integrations/", {"q": query}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" in whole and "<html" not in part
    for words in found:
        assert words in whole and words in part
    for words in missing:
        assert f"<h3>{words}</h3>" not in part


def test_catalogue_shows_an_unfinished_set_up_to_go_on_with(hr: Client) -> None:
    Connection.objects.update(status="draft", finished_at=None)
    assert b"Continue setup" in hr.get("/settings/integrations/").content


def test_page_of_a_connection_shows_where_its_other_side_calls_us(hr: Client) -> None:
    for connector in CONNECTORS:
        for one in getattr(connector, "inbound", ()):
            path = one.path.format(key=f"x-{connector.key}")
            assert resolve(path).kwargs == {"key": f"x-{connector.key}"}
            Connection.objects.create(
                key=f"x-{connector.key}", connector=connector.key, name="X", created_at=clock.now()
            )
            url = f"/settings/integrations/x-{connector.key}/"
            assert f"<code>{settings.SITE_URL}{path}</code>" in hr.get(url).content.decode()
            Connection.objects.filter(key=f"x-{connector.key}").update(status="disconnected")
            assert "Where it calls us" not in hr.get(url).content.decode()
    assert Connection.objects.filter(key__startswith="x-").count() == 3
