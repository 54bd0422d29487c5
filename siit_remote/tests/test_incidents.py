"""Outages of the source of people: on every page for those concerned, and mailed once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from integrations.models import Connection, Incident, SyncRun
from siit_remote.lib import clock
from siit_remote.staleness import stale_report
from siit_remote.tests.people_with_roles import ROLES, Company
from workflows import mail as mail_module


@pytest.fixture
def connection(company: Company) -> Connection:
    SyncRun.objects.all().delete()
    found: Connection = company.objects["connection"]
    good(found, hours=1)
    return found


def good(connection: Connection, *, hours: float, status: str = "applied", **more: Any) -> SyncRun:
    at = clock.now() - timedelta(hours=hours)
    return connection.syncs.create(status=status, started_at=at, finished_at=at, **more)


def banner(company: Company, who: str, url: str = "/requests/") -> str:
    client = Client()
    client.force_login(company.users[who])
    html = client.get(url, follow=True).content.decode()
    return html[html.index('class="banners"') :][:700] if 'class="banners"' in html else ""


def test_no_banner_while_all_is_well(company: Company, connection: Connection) -> None:
    assert {banner(company, who) for who in ROLES} == {""}


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("revoked", "needs attention: Unauthorized"),
        ("stale", "may be out of date"),
        ("failed", "failed: Remote is down"),
        ("held", "is held: 9 people"),
    ],
)
def test_trouble_is_a_banner_on_every_page_for_those_concerned(
    trouble: str, words: str, company: Company, connection: Connection
) -> None:
    if trouble == "revoked":
        Connection.objects.update(status="needs_attention", last_error="Unauthorized: revoked.")
    elif trouble == "stale":
        past = clock.now() - timedelta(hours=9)
        SyncRun.objects.update(started_at=past, finished_at=past)
    elif trouble == "failed":
        good(connection, hours=0, status="failed", error="Remote is down.", error_code="transient")
    else:
        good(connection, hours=0, status="held", held_reason="9 people would end.")
    seen = {who: words in banner(company, who) for who in ROLES}
    assert seen == {"owner": True, "hr": True, "it": True, "manager": False, "employee": False}
    assert words in banner(company, "hr", "/admin/")


def test_looking_at_single_people_neither_hides_nor_makes_an_outage(
    company: Company, connection: Connection
) -> None:
    past = clock.now() - timedelta(hours=9)
    SyncRun.objects.update(started_at=past, finished_at=past)
    good(connection, hours=0, trigger="webhook")
    assert "may be out of date" in banner(company, "hr")
    good(connection, hours=0)
    good(connection, hours=0, status="failed", trigger="webhook", error="x")
    assert banner(company, "hr") == ""


def test_an_outage_is_mailed_once_to_those_concerned_and_the_next_one_again(
    company: Company, connection: Connection
) -> None:
    good(connection, hours=0, status="failed", error="Unauthorized.", error_code="unauthorized")
    for _ in range(3):
        stale_report(now=clock.now())
    assert sorted(message.to[0] for message in mail.outbox) == [
        "hr@acme.test",
        "it@acme.test",
        "owner@acme.test",
    ]
    assert "Unauthorized." in mail.outbox[0].body
    assert "/settings/integrations/remote/" in mail.outbox[0].body
    good(connection, hours=0)
    stale_report(now=clock.now())
    assert len(mail.outbox) == 3
    good(connection, hours=0, status="failed", error="Again.", error_code="permanent")
    stale_report(now=clock.now())
    assert len(mail.outbox) == 6
    assert Incident.objects.count() == 2


def test_a_failure_that_may_pass_is_mailed_when_it_happened_again(
    company: Company, connection: Connection
) -> None:
    good(connection, hours=0, status="failed", error="Down.", error_code="transient")
    stale_report(now=clock.now())
    assert mail.outbox == []
    good(connection, hours=0, status="failed", error="Down.", error_code="transient")
    stale_report(now=clock.now())
    assert len(mail.outbox) == 3


def test_mail_that_could_not_leave_is_tried_again(
    company: Company, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    good(connection, hours=0, status="failed", error="No.", error_code="forbidden")

    def down(*_: Any, **__: Any) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(mail_module.EmailMultiAlternatives, "send", down)
        stale_report(now=clock.now())
    assert mail.outbox == []
    stale_report(now=clock.now())
    assert len(mail.outbox) == 3
