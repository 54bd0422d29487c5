"""Outages of targets: mailed once when they begin, once when they are over, to those concerned."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from integrations.circuits import OPENS_AFTER, CircuitGate
from integrations.errors import TransientError
from integrations.models import Circuit, Connection, Incident
from integrations.services import connection_mark_unauthorized
from siit_remote.lib import clock
from siit_remote.outages import CALM_FOR, outages_report
from siit_remote.staleness import SILENT_FOR, stale_report
from siit_remote.tests.people_with_roles import Company
from workflows import mail as mail_module
from workflows.models import Run

HOST = "api.target.test"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def target(company: Company) -> Connection:
    return Connection.objects.create(
        key="target", connector="http", name="Equipment", status="ready", created_at=clock.now()
    )


@pytest.fixture
def now() -> datetime:
    return clock.now()


def fail(target: Connection, *, at: datetime, times: int = OPENS_AFTER) -> None:
    gate = CircuitGate(connection_id=target.pk, key=target.key)
    with clock.fixed(at):
        for _ in range(times):
            gate.leave(HOST, status=None, error=TransientError("target broke off."))


def answer(target: Connection, *, at: datetime) -> None:
    with clock.fixed(at):
        CircuitGate(connection_id=target.pk, key=target.key).leave(HOST, status=200, error=None)


def told() -> list[tuple[str, str]]:
    found = sorted((message.subject, message.to[0]) for message in mail.outbox)
    mail.outbox.clear()
    return found


def test_silent_target_is_told_once_and_once_more_when_it_is_back(
    target: Connection, now: datetime
) -> None:
    fail(target, at=now)
    outages_report(now=now + SILENT_FOR - MINUTE)
    assert told() == []
    Run.objects.update(awaits="target")
    waiting = Run.objects.count()
    outages_report(now=now + SILENT_FOR)
    text = mail.outbox[0].body
    assert "broke off" in text
    assert f"{waiting} run" in text
    assert "/settings/integrations/target/" in text
    assert told() == [
        ("Equipment does not answer", "it@acme.test"),
        ("Equipment does not answer", "owner@acme.test"),
    ]
    for minutes in range(15, 360, 15):
        outages_report(now=now + minutes * MINUTE)
    assert told() == []
    back = now + timedelta(hours=6)
    answer(target, at=back)
    outages_report(now=back)
    assert told() == [], "it has to stay back for a while"
    for minutes in range(10, 60, 5):
        outages_report(now=back + minutes * MINUTE)
    assert told() == [
        ("Equipment answers again", "it@acme.test"),
        ("Equipment answers again", "owner@acme.test"),
    ]


def test_target_that_comes_and_goes_is_one_outage(target: Connection, now: datetime) -> None:
    fail(target, at=now)
    at = now + SILENT_FOR
    outages_report(now=at)
    assert len(told()) == 2
    for _ in range(6):
        answer(target, at=at)
        outages_report(now=at + MINUTE)
        fail(target, at=at + 2 * MINUTE)
        outages_report(now=at + 5 * MINUTE)
        at += 6 * MINUTE
    assert told() == []
    assert Incident.objects.count() == 1
    answer(target, at=at)
    outages_report(now=at)
    outages_report(now=at + CALM_FOR)
    assert len(told()) == 2
    # The next one is another.
    fail(target, at=at + timedelta(hours=3))
    outages_report(now=at + timedelta(hours=3) + SILENT_FOR)
    assert len(told()) == 2
    assert Incident.objects.count() == 2


def test_dead_credential_is_told_at_once_and_once_and_when_it_works_again(
    target: Connection, now: datetime
) -> None:
    fail(target, at=now - timedelta(hours=1))
    connection_mark_unauthorized(target, "The token was revoked.")
    for minutes in (0, 5, 600):
        outages_report(now=now + minutes * MINUTE)
    assert "The token was revoked." in mail.outbox[0].body
    assert told() == [
        ("Equipment refuses our credential", "it@acme.test"),
        ("Equipment refuses our credential", "owner@acme.test"),
    ]
    Connection.objects.filter(pk=target.pk).update(status="ready", last_error_code="")
    Circuit.objects.all().delete()
    outages_report(now=now + timedelta(days=1))
    outages_report(now=now + timedelta(days=1, minutes=5))
    assert told() == [
        ("Equipment accepts our credential again", "it@acme.test"),
        ("Equipment accepts our credential again", "owner@acme.test"),
    ]


def test_disconnecting_ends_an_outage_without_a_word(target: Connection, now: datetime) -> None:
    connection_mark_unauthorized(target, "Revoked.")
    outages_report(now=now)
    told()
    Connection.objects.filter(pk=target.pk).update(status="disconnected")
    outages_report(now=now + timedelta(hours=1))
    assert told() == []
    assert Incident.objects.get().closed_at is not None


@pytest.mark.parametrize("first", ["outages", "syncs"])
def test_refused_source_is_told_of_by_one_of_both(
    company: Company, now: datetime, first: str
) -> None:
    source: Connection = company.objects["connection"]
    source.syncs.all().delete()
    connection_mark_unauthorized(source, "Revoked.")
    if first == "outages":
        outages_report(now=now)
    source.syncs.create(
        status="failed", started_at=now, finished_at=now, error="No.", error_code="unauthorized"
    )
    stale_report(now=now)
    outages_report(now=now)
    subjects = {subject for subject, _ in told()}
    expected = "refuses our credential" if first == "outages" else "Syncs of"
    assert len(subjects) == 1
    assert expected in subjects.pop()


def test_return_is_told_although_the_beginning_could_not_be(
    target: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mail itself may be what was down."""

    def down(*_: Any, **__: Any) -> None:
        raise OSError

    fail(target, at=now)
    with monkeypatch.context() as patch:
        patch.setattr(mail_module.EmailMultiAlternatives, "send", down)
        outages_report(now=now + SILENT_FOR)
        answer(target, at=now + timedelta(hours=1))
        outages_report(now=now + timedelta(hours=1))
    assert told() == []
    outages_report(now=now + timedelta(hours=1) + CALM_FOR)
    assert {subject for subject, _ in told()} == {"Equipment answers again"}


def test_incidents_are_shown_with_their_end(
    company: Company, target: Connection, now: datetime
) -> None:
    fail(target, at=now)
    outages_report(now=now + SILENT_FOR)
    client = Client()
    client.force_login(company.users["it"])
    html = client.get("/admin/integrations/incident/").content.decode()
    assert "Does not answer" in html
