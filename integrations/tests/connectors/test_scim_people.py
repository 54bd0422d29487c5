"""Users of an identity provider as people: never employees, never leavers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from integrations.connectors.base import (
    CONNECTORS,
    AccountAdmin,
    ConnectionSettings,
    Feed,
    PeopleSource,
)
from integrations.connectors.scim.discovery import ENTERPRISE
from integrations.connectors.scim.people import user_record
from integrations.errors import IncompleteError
from integrations.models import Account, Connection, SyncRun
from integrations.people_sources import brings_people, people_sources
from integrations.services import connection_test
from integrations.setup_tasks import finish_one, review_one
from integrations.sync import run_sync, setup_finish
from integrations.tasks import sync_connections
from integrations.tests.connectors.awful_scim import BASE, AwfulScim
from integrations.tests.people_source import connection as remote_connection
from integrations.tests.servers import serving, transport_to_loopback
from people.models import FieldPolicy, LifecycleEvent, Person, SourceRecord
from people.records import WorkerRecord
from people.services import people_resolve_all
from people.tests.build import NOW, boss, day, feed, person, worker
from siit_remote.lib import clock

LATER = NOW + timedelta(hours=1)


def read(scim: Any) -> Feed:
    """Everything the server has."""
    connector = CONNECTORS.get("scim")
    assert connector is not None
    with serving(scim) as server:
        client: Any = connector.client(
            ConnectionSettings(
                key="idp",
                config={"base_url": server.url + BASE, "people": "yes"},
                secrets={"bearer_token": "good"},
            ),
            transport_to_loopback(),
        )
        result: Feed = client.fetch_people(today=NOW.date(), progress=lambda words: None)
        return result


def test_user_has_only_what_a_directory_user_has() -> None:
    record = user_record(
        {
            "id": "u1",
            "userName": "Ana.Lopez@Acme.test",
            "name": {"givenName": "Ana", "familyName": "López"},
            "nickName": "Ani",
            "title": " Staff  Engineer ",
            "timezone": "Europe/Madrid",
            "locale": "es_es",
            "active": True,
            ENTERPRISE: {
                "department": "Platform",
                "manager": {"value": "u9", "displayName": "Bo"},
            },
        },
        source="idp",
    )
    assert record == WorkerRecord(
        source="idp",
        external_id="u1",
        account=True,
        work_email="ana.lopez@acme.test",
        full_name="Ana López",
        preferred_name="Ani",
        job_title="Staff Engineer",
        team="Platform",
        timezone="Europe/Madrid",
        language="es-ES",
        manager_external_id="u9",
        manager_name="Bo",
    )
    assert record.is_live


@pytest.mark.parametrize(
    ("user", "field", "expected"),
    [
        ({"userName": "ana", "emails": [{"value": "A@x.test", "type": "work"}]}, "work_email",
         "a@x.test"),
        ({"userName": "ana", "emails": [{"value": "home@x.test"},
                                        {"value": "w@x.test", "primary": True}]}, "work_email",
         "w@x.test"),
        ({"userName": 7, "emails": "no list"}, "work_email", ""),
        ({"displayName": "Ana L"}, "full_name", "Ana L"),
        ({"name": "no object"}, "full_name", ""),
        ({"name": {"formatted": "Dr Ana"}}, "full_name", "Dr Ana"),
        ({ENTERPRISE: {"manager": "u9"}}, "manager_external_id", "u9"),
        ({ENTERPRISE: {"manager": {"$ref": "../Users/u7"}}}, "manager_external_id", "u7"),
        ({ENTERPRISE: {"manager": ["u9"]}}, "manager_external_id", ""),
        ({ENTERPRISE: "no object"}, "team", ""),
        ({"preferredLanguage": "fr-CH, fr;q=0.9"}, "language", "fr-CH"),
        ({"preferredLanguage": "??"}, "language", ""),
        ({"active": "False"}, "deactivated", True),
        ({"active": None}, "deactivated", False),
    ],
)  # fmt: skip
def test_odd_users_give_what_can_be_read(user: dict[str, Any], field: str, expected: Any) -> None:
    assert getattr(user_record({"id": "u1", **user}, source="idp"), field) == expected


def test_all_pages_are_read() -> None:
    scim = AwfulScim(page_size=7)
    for number in range(31):
        scim.add_user(f"p{number}@acme.test")
    found = read(scim)
    assert len({record.external_id for record in found.records}) == 31
    assert found.requests == 5


@pytest.mark.parametrize("pages", ["stuck", "short"])
def test_pages_that_do_not_add_up_bring_nobody(pages: str) -> None:
    scim = AwfulScim(page_size=2, pages=pages)
    for number in range(5):
        scim.add_user(f"p{number}@acme.test")
    with pytest.raises(IncompleteError):
        read(scim)


def test_somebody_added_while_it_is_read_loses_nobody() -> None:
    scim = AwfulScim(page_size=2, pages="moving")
    known = {scim.add_user(f"p{number}@acme.test") for number in range(5)}
    assert known <= {record.external_id for record in read(scim).records}


def test_only_a_connection_set_so_is_a_source_of_people() -> None:
    connector = CONNECTORS.get("scim")
    assert connector is not None
    config = {"base_url": "https://idp.example.com/scim"}
    for choice, expected in (("", False), ("no", False), ("yes", True)):
        settings = ConnectionSettings(
            key="idp", config={**config, "people": choice}, secrets={"bearer_token": "good"}
        )
        client = connector.client(settings, transport_to_loopback())
        assert isinstance(client, PeopleSource) is expected
        assert isinstance(client, AccountAdmin)


def account(external_id: str, name: str = "", **values: Any) -> WorkerRecord:
    """What an identity provider says of somebody."""
    base = WorkerRecord(
        source="idp",
        external_id=external_id,
        account=True,
        work_email=f"{name or external_id}@acme.test",
        full_name=(name or external_id).title(),
    )
    return replace(base, **values)


@pytest.mark.django_db
def test_user_nobody_else_knows_is_external_and_starts_nothing() -> None:
    feed([account("x1", "vera", job_title="Auditor", manager_external_id="x9")])
    vera = person("vera")
    assert (vera.status, vera.worker_type, vera.employment_type) == ("external", "", "")
    assert (vera.remote_id, vera.job_title, vera.problems) == ("", "Auditor", [])
    assert not LifecycleEvent.objects.exists()
    feed([account("x1", "vera", deactivated=True)], now=LATER)
    assert (person("vera").status, person("vera").end_date) == ("ended", None)
    assert not LifecycleEvent.objects.filter(field__in=["status", "end_date"]).exists()


@pytest.mark.django_db
def test_user_who_vanishes_from_the_provider_does_not_leave() -> None:
    feed([boss(), worker("w1")])
    feed([account("x1", "w1"), account("x2", "vera")], now=LATER)
    feed([account("x3", "other")], now=LATER + timedelta(hours=4))
    assert (person("w1").status, person("vera").status) == ("active", "external")
    assert SourceRecord.objects.filter(missing_since__isnull=False).count() == 2


@pytest.mark.django_db
def test_account_that_outlives_the_employment_keeps_nobody_here() -> None:
    feed([boss(), worker("w1", end_date=day(-1), contract_status="active")])
    feed([account("x1", "w1")], now=LATER)
    feed([boss(), worker("w1", end_date=day(-1), contract_status="ended")], now=LATER)
    assert (person("w1").status, person("w1").end_date) == ("ended", day(-1))


@pytest.mark.django_db
def test_closed_account_of_an_employee_ends_nobody() -> None:
    feed([boss(), worker("w1", job_title="Engineer")])
    feed([account("x1", "w1", deactivated=True, job_title="Gone")], now=LATER)
    assert (person("w1").status, person("w1").job_title) == ("active", "Engineer")


@pytest.mark.django_db
def test_outsider_who_is_hired_is_added_to_the_staff_once() -> None:
    feed([account("x1", "vera")])
    feed([worker("w7", "vera", start_date=day(5), contract_status="upcoming")], now=LATER)
    assert person("vera").status == "hired"
    assert LifecycleEvent.objects.filter(kind="person.added").count() == 1


@pytest.mark.django_db
def test_provider_fills_what_remote_leaves_blank_and_policy_decides_the_rest() -> None:
    feed([boss(), worker("w1", job_title="Engineer", country="FRA", contract_type="full_time")])
    user = account("x1", "w1", job_title="Developer", language="fr", preferred_name="Wu")
    feed([user], now=LATER)
    found = person("w1")
    assert (found.job_title, found.preferred_name, found.language) == ("Engineer", "Wu", "fr")
    for name in ("job_title", "team", "full_name", "manager"):
        FieldPolicy.objects.create(field=name, sources=["idp"])
    for name in ("country", "contract_type", "legal_entity"):
        FieldPolicy.objects.create(field=name, sources=["remote"])
    people_resolve_all(now=LATER, correlation="test")
    found = person("w1")
    assert (found.job_title, found.country, found.contract_type) == (
        "Developer",
        "FRA",
        "full_time",
    )
    expected = {
        "job_title": "idp", "full_name": "idp", "country": "remote", "contract_type": "remote",
        "legal_entity": "remote", "team": "remote", "preferred_name": "idp",
    }  # fmt: skip
    assert {name: found.value_sources[name] for name in expected} == expected


@contextlib.contextmanager
def provider(scim: AwfulScim, **config: str) -> Iterator[Connection]:
    """A tested connection to a running server that also brings people."""
    with serving(scim) as server:
        row = Connection.objects.create(
            key="idp",
            connector="scim",
            name="Okta",
            config={"base_url": server.url + BASE, "people": "yes", **config},
            created_at=clock.now(),
        )
        row.set_secrets({"bearer_token": "good"})
        row.save()
        assert connection_test(row).problems == ()
        yield row


@pytest.fixture
def loopback(settings: Any) -> None:
    """The door lets tests reach servers of this machine."""
    settings.OUTBOUND_ALLOW_PRIVATE = ["127.0.0.0/8"]


@pytest.mark.django_db
@pytest.mark.usefixtures("loopback")
def test_provider_is_set_up_synced_by_schedule_and_guarded_like_every_source() -> None:
    remote_connection()
    feed([boss(), worker("w1")])
    scim = AwfulScim(page_size=3)
    for name in ("boss", "w1", *(f"guest{number}" for number in range(8))):
        scim.add_user(f"{name}@acme.test", displayName=name.title())
    with provider(scim) as row:
        row.refresh_from_db()
        assert (row.status, row.finished_at) == ("ready", None)
        assert brings_people(row)
        assert [info.key for info in people_sources()] == ["remote", "idp"]
        report = setup_finish(row, actor=None, now=clock.now())
        assert (report.status, report.created) == ("applied", 8)
        assert Person.objects.filter(status="external").count() == 8
        assert person("w1").source_records.count() == 2
        SyncRun.objects.all().update(started_at=NOW - timedelta(days=400))
        Connection.objects.filter(key="remote").update(status="disconnected")
        assert sync_connections() == 1
        for number in range(6):
            scim.users.pop(f"u{number + 3}")
        report = run_sync(row, trigger="manual")
        assert report.status == "held"
        assert "missing from the feed" in report.held_reason


@pytest.mark.django_db
@pytest.mark.usefixtures("loopback")
def test_user_with_another_address_is_found_by_the_account_that_is_known() -> None:
    feed([boss(), worker("w1")])
    scim = AwfulScim()
    number = scim.add_user("wu@other.test", displayName="Wu")
    with provider(scim) as row:
        Account.objects.create(
            connection=row, person=person("w1"), external_id=number, changed_at=NOW
        )
        setup_finish(row, actor=None, now=clock.now())
    assert Person.objects.count() == 2
    assert set(person("w1").source_records.values_list("source", flat=True)) == {"idp", "remote"}
    assert person("w1").work_email == "w1@acme.test"


@pytest.mark.django_db
@pytest.mark.usefixtures("loopback")
def test_provider_is_reviewed_and_finished_in_the_browser(client: Any) -> None:
    client.force_login(User.objects.create_superuser("owner"))
    feed([boss(), worker("w1")])
    scim = AwfulScim()
    for name in ("boss", "w1", "vera"):
        scim.add_user(f"{name}@acme.test", displayName=name.title())
    with provider(scim) as row:
        at = {"key": row.key}
        assert client.post(reverse("connection-read", kwargs=at)).status_code == 302
        review_one(row.pk)
        page = client.get(reverse("connection-review", kwargs=at))
        assert page.status_code == 200
        assert page.context["stage"] == "review"
        assert "Vera" in page.content.decode()
        client.post(
            reverse("connection-finish", kwargs=at),
            {"fingerprint": page.context["review"].review["fingerprint"]},
        )
        finish_one(row.pk)
        row.refresh_from_db()
        assert row.finished_at is not None
        assert person("vera").status == "external"
