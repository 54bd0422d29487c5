"""Settings → Integrations in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from integrations.connectors.base import CONNECTORS
from integrations.models import Connection, SyncRun
from siit_remote.audit.models import AuditEntry
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
        assert connector.label in html
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
    assert b"is asked for" in response.content
    task = OrmQ.objects.get()
    assert task.task["func"] == "integrations.tasks.sync_one"
    assert task.task["args"] == (
        company.objects["connection"].pk,
        company.users["hr"].pk,
    )
    assert AuditEntry.objects.filter(action="sync.requested").count() == 1


def test_sync_now_waits_for_the_one_that_runs(hr: Client, company: Company) -> None:
    SyncRun.objects.create(
        connection=company.objects["connection"],
        status="running",
        started_at=company.objects["sync"].started_at,
    )
    assert b"running already" in hr.post(f"{REMOTE}sync/", follow=True).content
    assert OrmQ.objects.count() == 0


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
    assert b"no longer held" in hr.post(f"{url}discard/", follow=True).content


def test_held_sync_is_not_applied_without_a_reason(hr: Client, company: Company) -> None:
    url = f"{REMOTE}syncs/{company.objects['sync'].pk}/apply/"
    assert b"Say why" in hr.post(url, follow=True).content
    company.objects["sync"].refresh_from_db()
    assert company.objects["sync"].status == SyncRun.Status.HELD


def test_disconnecting_forgets_the_secrets(hr: Client, company: Company) -> None:
    connection = company.objects["connection"]
    connection.set_secrets({"token": "t"})
    connection.save()
    hr.post(f"{REMOTE}disconnect/")
    connection.refresh_from_db()
    assert (connection.status, connection.secrets_token) == ("disconnected", "")
