"""Webhooks from Remote: only genuine calls, each once, and never more than a hint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.hints import BODY_LIMIT, hints_drain
from integrations.models import Connection, SyncRun, WebhookReceipt, WebhookSubscription
from integrations.services import connection_save, connection_test
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.simulator.webhooks import sign
from integrations.subscriptions import webhook_rotate, webhook_subscribe
from integrations.sync import run_sync, setup_finish
from integrations.tests.worker import work
from people.models import Person, SourceRecord
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company

TOKEN = "ra_test_hooks"
BASE = "/settings/integrations/hr/"


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
    webhook_subscribe(made, actor=None, now=clock.now())
    OrmQ.objects.all().delete()
    made.refresh_from_db()
    return made


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


def subscription() -> WebhookSubscription:
    return WebhookSubscription.objects.get()


def address() -> str:
    return f"/hooks/{subscription().get_secrets()['path']}/"


def some_person() -> Person:
    found = Person.objects.filter(remote_id__gt="", status="active").order_by("pk").first()
    assert found is not None
    return found


def body_of(connection: Connection, employment: str, **more: Any) -> bytes:
    data = {
        "event_type": "employment.updated",
        "company_id": connection.account["company_id"],
        "employment_id": employment,
        **more,
    }
    return json.dumps({key: value for key, value in data.items() if value is not None}).encode()


def call(
    body: bytes,
    *,
    key: str = "",
    at: int | None = None,
    signature: str | None = None,
    timestamp: str | None = None,
    url: str = "",
) -> int:
    """Post as Remote does; returns the status."""
    ms = at if at is not None else int(clock.system_now().timestamp() * 1000)
    key = key or subscription().get_secrets()["key"]
    headers = {
        "X-Remote-Signature": sign(body, key=key, timestamp_ms=ms)
        if signature is None
        else signature,
        "X-Remote-Timestamp": str(ms) if timestamp is None else timestamp,
    }
    # A stranger without a session or a CSRF cookie.
    client = Client(enforce_csrf_checks=True)
    return client.post(
        url or address(), body, content_type="application/json", headers=headers
    ).status_code


def test_a_change_arrives_as_soon_as_the_hint_is_followed(
    connection: Connection, simulator: Simulator
) -> None:
    person = some_person()
    simulator.update(person.remote_id, job_title="Night Owl")
    simulator.clear_requests()
    assert call(body_of(connection, person.remote_id)) == 202
    assert work(only="integrations") == ["integrations.tasks.hints_one"]
    person.refresh_from_db()
    assert person.job_title == "Night Owl"
    run = connection.syncs.first()
    assert (run.trigger, run.status, run.updated) == ("webhook", "applied", 1)
    shown = [row.path for row in simulator.requests if "/v1/employments" in row.path]
    assert shown == [f"/v1/employments/{person.remote_id}"]
    assert not SourceRecord.objects.exclude(missing_since=None).exists()


def test_s22_the_same_call_counts_once(connection: Connection, simulator: Simulator) -> None:
    body, at = body_of(connection, some_person().remote_id), 0
    at = int(clock.system_now().timestamp() * 1000)
    assert [call(body, at=at) for _ in range(3)] == [202, 200, 200]
    assert WebhookReceipt.objects.count() == 1
    assert OrmQ.objects.count() == 1


def test_a_call_while_others_wait_asks_and_writes_little(connection: Connection) -> None:
    assert call(body_of(connection, "first")) == 202
    url, key = address(), subscription().get_secrets()["key"]
    with CaptureQueriesContext(database) as queries:
        assert call(body_of(connection, "second"), url=url, key=key) == 202
    kinds = [query["sql"].split()[0] for query in queries]
    # Who it is for, whether the worker has been rung, the receipt, the count.
    assert [kind for kind in kinds if kind not in ("SAVEPOINT", "RELEASE")] == [
        "SELECT", "SELECT", "INSERT", "UPDATE",
    ]  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.lists(st.integers(0, 5), min_size=1, max_size=12), poll=st.booleans())
def test_s22_calls_in_any_order_end_where_the_poll_does(
    connection: Connection, simulator: Simulator, order: list[int], poll: bool
) -> None:
    people = list(Person.objects.filter(remote_id__gt="", status="active").order_by("pk")[:6])
    for number, person in enumerate(people):
        simulator.update(person.remote_id, job_title=f"Step {number} of {len(order)} {poll}")
    for place, number in enumerate(order):
        # Late, repeated, for people whose change another call has already told of.
        at = int(clock.system_now().timestamp() * 1000) - 1000 * (len(order) - place)
        assert call(body_of(connection, people[number].remote_id), at=at) in (200, 202)
        if place % 3 == 0:
            work(only="integrations")
    work(only="integrations")
    told = {people[number].remote_id for number in order}
    for person in Person.objects.filter(remote_id__in=told):
        assert person.job_title == simulator.get(person.remote_id)["job_title"]
    run_sync(connection, trigger="schedule")
    for person in Person.objects.filter(pk__in=[one.pk for one in people]):
        assert person.job_title == simulator.get(person.remote_id)["job_title"]
    assert not SourceRecord.objects.exclude(missing_since=None).exists()


def test_a_burst_of_hints_is_one_job(connection: Connection, simulator: Simulator) -> None:
    people = list(Person.objects.filter(remote_id__gt="")[:8])
    for person in people:
        call(body_of(connection, person.remote_id))
    assert OrmQ.objects.count() == 1
    simulator.clear_requests()
    work(only="integrations")
    asked = [row.path for row in simulator.requests if "/v1/employments/" in row.path]
    assert len(asked) == len(set(asked)) == len(people)
    assert not WebhookReceipt.objects.filter(handled_at=None).exists()


def test_the_employee_may_be_named_by_slug(connection: Connection, simulator: Simulator) -> None:
    person = some_person()
    simulator.update(person.remote_id, job_title="By Slug")
    body = body_of(
        connection,
        "",
        employment_id=None,
        employment_slug=person.remote_id,
        event_type="employment.administrative_details.updated",
    )
    assert call(body) == 202
    work(only="integrations")
    person.refresh_from_db()
    assert person.job_title == "By Slug"


MINUTE = 60_000


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"signature": ""}, 401),
        ({"signature": "0" * 64}, 401),
        ({"signature": "é" * 64}, 401),
        ({"timestamp": ""}, 401),
        ({"timestamp": "-1"}, 401),
        ({"timestamp": "1e12"}, 401),
        ({"timestamp": "9" * 40}, 401),
        ({"key": "another-key"}, 401),
        ({"shift": -6 * MINUTE}, 401),
        ({"shift": 6 * MINUTE}, 401),
        ({"shift": -10 * MINUTE}, 401),
        ({"shift": -4 * MINUTE}, 202),
        ({"seconds": True}, 401),
        ({"case": "upper"}, 401),
    ],
)
def test_s23_only_fresh_genuine_calls_are_taken(
    change: dict[str, Any], status: int, connection: Connection
) -> None:
    body = body_of(connection, "someone")
    now = int(clock.system_now().timestamp() * 1000)
    at = now + change.pop("shift", 0)
    if change.pop("seconds", False):
        at = now // 1000
    if change.pop("case", ""):
        key = subscription().get_secrets()["key"]
        change["signature"] = sign(body, key=key, timestamp_ms=at).upper()
    assert call(body, at=at, **change) == status
    assert WebhookReceipt.objects.count() == (status == 202)
    assert subscription().refused == (status == 401)


def test_a_tampered_body_is_refused(connection: Connection) -> None:
    body = body_of(connection, "someone")
    key, at = subscription().get_secrets()["key"], int(clock.system_now().timestamp() * 1000)
    signature = sign(body, key=key, timestamp_ms=at)
    assert call(body + b" ", signature=signature, at=at) == 401


def test_unknown_addresses_and_other_methods_are_refused(connection: Connection) -> None:
    body = body_of(connection, "someone")
    assert call(body, url="/hooks/guessed/") == 404
    client = Client()
    assert [getattr(client, verb)(address()).status_code for verb in ("get", "put", "delete")] == [
        405,
        405,
        405,
    ]


def test_a_large_body_is_not_read(connection: Connection) -> None:
    assert call(b"x" * BODY_LIMIT) == 202
    assert call(b"x" * (BODY_LIMIT + 1)) == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'"text"',
        b"null",
        b'{"employment_id": 5}',
        b'{"employment_id": {"a": 1}}',
        b'\xff\xfe{"a": 1}',
        b'{"event_type": "\\ud800", "employment_id": "\\u0000"}',
        b"{}",
    ],
)
def test_a_genuine_call_with_an_odd_body_does_nothing(body: bytes, connection: Connection) -> None:
    assert call(body) == 202
    assert OrmQ.objects.count() == 0
    assert WebhookReceipt.objects.get().external_id == ""


def test_s23_another_companys_id_is_not_looked_at(connection: Connection) -> None:
    body = body_of(connection, "someone", company_id="another-company")
    assert call(body) == 202
    assert OrmQ.objects.count() == 0


def test_s23_an_unknown_id_costs_one_look_and_changes_nobody(
    connection: Connection, simulator: Simulator
) -> None:
    before = list(SourceRecord.objects.values_list("external_id", "digest", "missing_since"))
    syncs = connection.syncs.count()
    assert call(body_of(connection, "3f2c0f5e-0000-4000-8000-000000000000")) == 202
    work(only="integrations")
    after = list(SourceRecord.objects.values_list("external_id", "digest", "missing_since"))
    assert (after, connection.syncs.count()) == (before, syncs)
    assert not WebhookReceipt.objects.filter(handled_at=None).exists()


def test_s23_both_keys_are_valid_while_the_key_rotates(
    connection: Connection, simulator: Simulator
) -> None:
    old = subscription().get_secrets()["key"]
    assert webhook_rotate(connection, actor=None, now=clock.system_now()) == ""
    new = subscription().get_secrets()["key"]
    assert new != old
    body = body_of(connection, "someone")
    assert (call(body, key=old), call(body, key=new)) == (202, 202)
    WebhookSubscription.objects.update(old_key_until=clock.system_now() - timedelta(seconds=1))
    assert (call(body + b" ", key=old), call(body + b" ", key=new)) == (401, 202)
    assert len(simulator.webhooks.callbacks()) == 1


def test_keys_are_encrypted_and_in_no_page_nor_in_the_log(
    hr: Client, connection: Connection
) -> None:
    secrets = subscription().get_secrets()
    pages = [hr.get(f"{BASE}webhooks/"), hr.get(BASE), hr.get("/activity/")]
    stored = subscription().secrets_token + json.dumps(
        list(AuditEntry.objects.values_list("detail", flat=True))
    )
    for secret in secrets.values():
        assert secret not in stored
        assert not [page for page in pages if secret.encode() in page.content]


def test_a_leaver_too_many_is_left_to_a_full_sync_that_holds(
    connection: Connection, simulator: Simulator
) -> None:
    people = list(Person.objects.filter(status="active", remote_id__gt="")[:12])
    for person in people:
        simulator.archive(person.remote_id)
        call(body_of(connection, person.remote_id))
    OrmQ.objects.exclude(pk=OrmQ.objects.order_by("pk").first().pk).delete()
    assert work(only="integrations") == [
        "integrations.tasks.hints_one",
        "integrations.tasks.sync_one",
    ]
    assert connection.syncs.first().status == SyncRun.Status.HELD
    assert Person.objects.filter(pk__in=[one.pk for one in people], status="active").count() == 12


def test_hints_wait_for_a_running_sync_and_for_a_good_token(
    connection: Connection, simulator: Simulator
) -> None:
    person = some_person()
    running = SyncRun.objects.create(
        connection=connection, status="running", started_at=clock.now(),
        lease_holder="elsewhere/1/x", lease_until=clock.system_now() + timedelta(minutes=5),
    )  # fmt: skip
    simulator.update(person.remote_id, job_title="Later")
    call(body_of(connection, person.remote_id))
    work(only="integrations")
    assert WebhookReceipt.objects.filter(handled_at=None).count() == 1
    running.delete()
    connection.refresh_from_db()
    hints_drain(connection, now=clock.now())
    person.refresh_from_db()
    assert person.job_title == "Later"
    simulator.revoke_token()
    call(body_of(connection, person.remote_id))
    work(only="integrations")
    connection.refresh_from_db()
    assert connection.status == Connection.Status.NEEDS_ATTENTION
    simulator.clear_requests()
    hints_drain(connection, now=clock.now())
    assert simulator.requests == []


def test_what_a_full_sync_read_since_is_not_read_again(
    connection: Connection, simulator: Simulator
) -> None:
    call(body_of(connection, some_person().remote_id))
    run_sync(connection, trigger="manual", now=clock.now() + timedelta(minutes=1))
    simulator.clear_requests()
    hints_drain(connection, now=clock.now() + timedelta(minutes=2))
    assert simulator.requests == []
    assert not WebhookReceipt.objects.filter(handled_at=None).exists()


def test_subscription_is_made_rotated_and_removed_from_the_page(
    hr: Client, connection: Connection, simulator: Simulator
) -> None:
    page = hr.get(f"{BASE}webhooks/").content.decode()
    assert "Rotate key" in page
    hr.post(f"{BASE}webhooks/remove/")
    assert simulator.webhooks.callbacks() == []
    assert not WebhookSubscription.objects.exists()
    hr.post(f"{BASE}webhooks/subscribe/")
    (row,) = simulator.webhooks.callbacks()
    assert "employment.hard_deleted" in row["subscribed_events"]
    assert row["url"].endswith(address())
    hr.post(f"{BASE}webhooks/rotate/")
    (rotated,) = simulator.webhooks.callbacks()
    assert (rotated["url"], rotated["id"] != row["id"]) == (row["url"], True)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"webhook.subscribed", "webhook.rotated", "webhook.removed"} <= actions


def test_newer_events_are_left_out_where_the_account_refuses_them(company: Company) -> None:
    strict = build_company(10, 1, clock.now().date(), "acme.example", strict=True)
    with Simulator(strict, token=TOKEN) as running:
        made = connection_save(
            key="hr", connector="remote", name="Remote",
            config={"base_url": running.base_url}, secrets={"api_token": TOKEN},
        )  # fmt: skip
        connection_test(made)
        webhook_subscribe(made, actor=None, now=clock.now())
        (row,) = running.webhooks.callbacks()
    assert "employment.hard_deleted" not in row["subscribed_events"]
    assert "employment.updated" in row["subscribed_events"]


def test_without_https_the_page_says_what_is_missing(
    hr: Client, connection: Connection, settings: Any
) -> None:
    hr.post(f"{BASE}webhooks/remove/")
    settings.SITE_URL = "http://siit.example.com"
    html = hr.get(f"{BASE}webhooks/").content.decode()
    assert "https addresses only" in html
    assert "webhooks/subscribe/" not in html
    answer = hr.post(f"{BASE}webhooks/subscribe/", follow=True)
    assert b"https addresses only" in answer.content
    assert not WebhookSubscription.objects.exists()
    settings.SITE_URL = "https://siit.example.com"
    assert "webhooks/subscribe/" in hr.get(f"{BASE}webhooks/").content.decode()


def test_undelivered_events_are_listed_and_sent_again(
    hr: Client, connection: Connection, simulator: Simulator
) -> None:
    # Nobody listens at the address of the tests, so that nothing is delivered.
    simulator.update(some_person().remote_id, job_title="Unheard")
    simulator.webhooks.flush()
    html = hr.get(f"{BASE}webhooks/?undelivered=1").content.decode()
    assert "employment." in html
    ids = [row["id"] for row in simulator.webhooks.events()]
    assert ids and all(event_id in html for event_id in ids)
    tried = len(simulator.webhooks.deliveries)
    hr.post(f"{BASE}webhooks/replay/", {"id": ids})
    simulator.webhooks.flush()
    assert len(simulator.webhooks.deliveries) == tried + len(ids)
    assert AuditEntry.objects.get(action="webhook.replayed").detail == {"events": len(ids)}


def test_disconnecting_ends_the_subscription_on_both_sides(
    hr: Client, connection: Connection, simulator: Simulator
) -> None:
    url = address()
    body = body_of(connection, "someone")
    hr.post(f"{BASE}disconnect/", {"records": "keep"})
    assert simulator.webhooks.callbacks() == []
    assert call(body, key="any", url=url) == 404
