"""What grows is forgotten after a while; what proves a leaving, and what is still open, stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from integrations.models import Connection, Delivery, MailEvent, SyncRun
from people.models import Workspace
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.schedules import SCHEDULES
from siit_remote.tests.people_with_roles import Company, small_company
from workflows import retention
from workflows.access.evidence import evidence_of
from workflows.models import Attempt, Run, StepRun
from workflows.retention import old_forget

KEPT = timedelta(days=180)


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


@pytest.fixture
def now() -> datetime:
    return clock.now()


def _run(company: Company, name: str, *, action: str, at: datetime, **values: Any) -> Run:
    first = company.objects["run"]
    run = Run.objects.create(
        workflow=first.workflow, version=first.version, person=company.people["report"],
        trigger=values.pop("trigger", "person.start_date"), anchor=name, key=f"key-{name}",
        due_at=at, created_at=at, **{"status": "done", **values},
    )  # fmt: skip
    step = StepRun.objects.create(
        run=run, key="one", action=action, position=0, status="done", created_at=at,
        idempotency_key=f"step-{name}",
    )  # fmt: skip
    Attempt.objects.create(step=step, number=1, started_at=at, outcome="done", phase="ended")
    return run


def _call(run: Run | None, *, at: datetime, **values: Any) -> Delivery:
    key = f"step-{run.anchor}" if run is not None else ""
    return Delivery.objects.create(
        operation="POST /x", started_at=at, outcome="ok", idempotency_key=key,
        run_id=run.pk if run is not None else None, **values,
    )  # fmt: skip


def test_old_calls_go_and_what_proves_a_leaving_stays(company: Company, now: datetime) -> None:
    Delivery.objects.all().delete()
    old, young = now - KEPT - timedelta(days=1), now - KEPT + timedelta(days=1)
    welcome = _run(company, "welcome", action="message.send", at=old)
    leaving = _run(company, "leaving", action="idp.suspend_account", at=old)
    last_day = _run(company, "last-day", action="message.send", at=old, trigger="person.end_date")
    waiting = _run(company, "waiting", action="message.send", at=old, status="waiting")
    _call(welcome, at=old)
    _call(None, at=old)
    stay = [
        _call(welcome, at=young), _call(None, at=young), _call(leaving, at=old),
        _call(last_day, at=old), _call(waiting, at=old),
    ]  # fmt: skip
    before = evidence_of(company.people["report"], hidden=(), now=now)
    assert old_forget(now=now)["calls"] == 2
    assert set(Delivery.objects.all()) == set(stay)
    assert old_forget(now=now)["calls"] == 0
    after = evidence_of(company.people["report"], hidden=(), now=now)
    assert after.runs == before.runs
    assert [call.pk for run in after.runs for step in run.steps for call in step.calls] == [
        stay[2].pk,
        stay[3].pk,
    ]
    assert Attempt.objects.count() >= 4
    (entry,) = AuditEntry.objects.filter(action="calls.forgotten")
    assert entry.detail["calls"] == 2


def test_how_long_is_a_setting(company: Company, now: datetime) -> None:
    Delivery.objects.all().delete()
    _call(None, at=now - timedelta(days=40))
    assert old_forget(now=now)["calls"] == 0
    Workspace.objects.update_or_create(pk=1, defaults={"calls_kept_days": 30})
    assert old_forget(now=now)["calls"] == 1


def test_more_than_one_batch_goes_and_the_rest_the_next_day(
    company: Company, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Delivery.objects.all().delete()
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    monkeypatch.setattr(retention, "BATCHES", 2)
    for _ in range(8):
        _call(None, at=now - KEPT * 2)
    assert [old_forget(now=now)["calls"] for _ in range(3)] == [6, 2, 0]


def test_news_of_mails_single_syncs_and_dead_sessions_go(company: Company, now: datetime) -> None:
    connection: Connection = company.objects["connection"]
    SyncRun.objects.all().delete()
    for days in (1, 400):
        at = now - timedelta(days=days)
        MailEvent.objects.create(
            connection=connection, message_id="m", kind="delivered", digest=str(days),
            received_at=at,
        )  # fmt: skip
        for trigger in ("webhook", "schedule"):
            connection.syncs.create(trigger=trigger, status="applied", started_at=at)
        Session.objects.create(session_key=str(days), expire_date=now + timedelta(days=200 - days))
    found = old_forget(now=now)
    assert found == {"calls": 0, "mail_news": 1, "syncs_of_few": 1, "sessions": 1}
    assert sorted(connection.syncs.values_list("trigger", flat=True)) == [
        "schedule",
        "schedule",
        "webhook",
    ]


def test_old_run_says_that_its_calls_may_be_gone(company: Company, now: datetime) -> None:
    old = _run(company, "old", action="message.send", at=now - KEPT * 2)
    young = _run(company, "young", action="message.send", at=now)
    client = Client()
    client.force_login(company.users["it"])
    pages = [client.get(f"/runs/{run.pk}/").content.decode() for run in (old, young)]
    assert ["forgotten after 180 days" in page for page in pages] == [True, False]
    calls = client.get("/settings/integrations/remote/calls/").content.decode()
    assert "for 180 days only" in calls


def test_it_is_looked_at_daily() -> None:
    (planned,) = [one for one in SCHEDULES if one.func == "siit_remote.tasks.forget_old"]
    assert planned.minutes == 24 * 60
