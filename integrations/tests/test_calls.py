"""The page of a connection's calls, and what it says the connection can do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from integrations.abilities import abilities_of
from integrations.circuits import OPENS_AFTER, CircuitGate
from integrations.errors import TransientError
from integrations.models import Connection, Delivery
from people.models import Person
from siit_remote.lib import clock
from siit_remote.roles import HR_ADMIN, IT_STAFF, roles_set_up, user_roles_set
from siit_remote.tests.people_with_roles import small_company

pytestmark = pytest.mark.django_db
PAGE = "/settings/integrations/idp/calls/"


@pytest.fixture
def connection() -> Connection:
    row = Connection.objects.create(
        key="idp",
        connector="scim",
        name="Okta",
        status="ready",
        config={"base_url": "https://idp.example.com/scim/v2"},
        capabilities={"filter": True, "patch": False},
        created_at=clock.now(),
    )
    row.set_secrets({"bearer_token": "t0ken-canary"})
    row.save()
    return row


def it_client(role: str = IT_STAFF) -> Client:
    roles_set_up()
    user = User.objects.create_user("it", "it@acme.test", "x")
    user_roles_set(user, roles=[role])
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def call(connection: Connection, **values: Any) -> Delivery:
    fields = {
        "operation": "PATCH /Users/{id}",
        "target": "idp.example.com/scim/v2/Users/{id}",
        "purpose": "Suspend the account",
        "started_at": clock.now(),
        "milliseconds": 120,
        "outcome": "ok",
        "status_code": 200,
        "request_id": "req-1",
        **values,
    }
    return Delivery.objects.create(connection=connection, **fields)


def person() -> Person:
    now = clock.now()
    return Person.objects.create(
        work_email="ana@acme.test", full_name="Ana Lopez", created_at=now, updated_at=now
    )


def test_page_tells_what_for_how_and_how_it_ended(connection: Connection) -> None:
    company = small_company()
    run = company.objects["run"]
    call(connection, run_id=run.pk, person=person(), attempt=3)
    client = Client()
    client.force_login(company.users["it"])
    text = client.get(PAGE).content.decode()
    for words in (
        "Suspend the account",
        f"/runs/{run.pk}/",
        "Ana Lopez",
        "Try 3",
        "PATCH /Users/{id}",
        "120 ms",
        "req-1",
    ):
        assert words in text
    assert "t0ken-canary" not in text


def test_page_shows_runs_and_people_only_to_who_may_see_them(connection: Connection) -> None:
    call(connection, run_id=7, person=person())
    user = User.objects.create_user("log", "log@acme.test", "x")
    roles_set_up()
    from_hr = {"integrations.view_delivery", "integrations.view_connection"}
    user.user_permissions.set(_permissions(from_hr))
    client = Client()
    client.force_login(user)
    text = client.get(PAGE).content.decode()
    assert "Suspend the account" in text
    assert "Ana Lopez" not in text
    assert "/runs/7/" not in text


def _permissions(names: set[str]) -> Any:
    return Permission.objects.filter(codename__in={name.partition(".")[2] for name in names})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("unauthorized", "Enter a valid credential"),
        ("transient", "tried again by itself"),
        ("uncertain", "settle the step"),
        ("permanent", "The same again changes nothing"),
        ("something-new", "Open the run"),
    ],
)
def test_every_error_says_what_to_do(connection: Connection, code: str, words: str) -> None:
    call(connection, outcome="failed", error_code=code, error="It went wrong.")
    text = it_client().get(PAGE).content.decode()
    assert words in text
    assert "It went wrong." in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"a", "b", "c"}),
        ("?outcome=failed", {"b", "c"}),
        ("?kind=rate_limited", {"b"}),
        ("?q=REQ-A", {"a"}),
        ("?q=suspend", {"a", "b"}),
        ("?hours=24", {"a", "b"}),
        ("?outcome=nonsense&hours=x&page=zzz", {"a", "b", "c"}),
    ],
)
def test_calls_are_found_by_filters(connection: Connection, query: str, shown: set[str]) -> None:
    call(connection, request_id="req-a")
    call(connection, request_id="req-b", outcome="failed", error_code="rate_limited")
    call(
        connection,
        request_id="req-c",
        purpose="",
        outcome="failed",
        started_at=clock.now() - timedelta(days=3),
    )
    text = it_client().get(PAGE + query).content.decode()
    assert {name for name in "abc" if f"req-{name}" in text} == shown


def test_calls_are_paged(connection: Connection) -> None:
    for number in range(60):
        call(connection, request_id=f"req-{number:03}")
    client = it_client()
    assert "req-009" not in client.get(PAGE).content.decode()
    assert "req-009" in client.get(f"{PAGE}?page=2").content.decode()


def test_empty_page_says_what_to_do(connection: Connection) -> None:
    assert "Test the connection" in it_client().get(PAGE).content.decode()


def test_overview_says_what_the_connection_can_and_cannot_do(connection: Connection) -> None:
    text = it_client(HR_ADMIN).get("/settings/integrations/idp/").content.decode()
    assert "Can find accounts by work email" in text
    assert "Cannot end sessions" in text


def test_abilities_of_mail_say_what_a_mail_server_never_tells(connection: Connection) -> None:
    row = Connection.objects.create(
        key="mail",
        connector="smtp",
        name="Mail",
        config={"host": "mail.example.com", "from_email": "siit@example.com"},
        created_at=clock.now(),
    )
    assert [(one.words, one.can) for one in abilities_of(row)] == [
        ("send mail, as text and as HTML", True),
        ("say at once when the mail server refuses an address", True),
        ("hear of bounces that come later", False),
    ]


def test_abilities_of_a_connection_that_cannot_be_read_are_none(connection: Connection) -> None:
    Connection.objects.update(status="disconnected")
    connection.refresh_from_db()
    assert abilities_of(connection) == ()


def test_open_circuit_is_shown_at_the_connection_and_above_every_page(
    connection: Connection,
) -> None:
    gate = CircuitGate(connection_id=connection.pk, key="idp")
    with clock.fixed(clock.now() - timedelta(minutes=11)):
        for _ in range(OPENS_AFTER):
            gate.leave("idp.example.com", status=None, error=TransientError("No answer."))
    client = it_client()
    for address in ("/settings/integrations/idp/", PAGE):
        assert "does not answer" in client.get(address).content.decode()
    assert "Okta has not answered since" in client.get("/runs/").content.decode()


def test_refused_credential_is_told_above_every_page(connection: Connection) -> None:
    Connection.objects.update(
        status="needs_attention",
        last_error="The token was refused.",
        last_error_code="unauthorized",
    )
    text = it_client().get("/runs/").content.decode()
    assert "Okta needs attention, and its work is held" in text
