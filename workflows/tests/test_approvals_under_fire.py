"""Many at once, scanners, and a fortnight: one outcome each, nothing by accident."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client

from people.models import Person, Role
from siit_remote.audit.models import AuditEntry
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.approvals import DecisionRefusedError, approval_decide
from workflows.models import Approval, Delegation, Request, StepRun
from workflows.nodes import Lane
from workflows.tests.asking_kit import HR, T0, Pursue, asked, person_make

RACES = 1_000


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_racing_decisions_each_question_has_one_outcome(
    tmp_path: Path, pursue: Pursue
) -> None:
    """Approver and stand-in answer each question at the same moment, one yes and one no."""
    pursue()
    row = Approval.objects.select_related("step").get()
    boss, other = row.approver, person_make("other")
    Delegation.objects.create(
        approver=boss, delegate=other, starts_on=T0.date(), created_at=T0, kind="permanent"
    )
    questions = [row.pk, *_more(row, RACES - 1)]
    act = _thread_safe(tmp_path)
    barrier = threading.Barrier(2)
    said: dict[int, list[str]] = {pk: [] for pk in questions}

    def answer(by: Person, approve: bool) -> None:
        for pk in questions:
            barrier.wait(timeout=120)
            try:
                approval_decide(pk, by=by, approve=approve, comment="Race.", now=T0)
                said[pk].append("decided")
            except DecisionRefusedError as error:
                said[pk].append(str(error))

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(act, answer, boss, True), pool.submit(act, answer, other, False)]
        for job in jobs:
            job.result()
    outcomes = [sorted(words) for words in said.values()]
    assert all(len(words) == 2 for words in outcomes)
    assert all(words.count("decided") == 1 for words in outcomes)
    assert all("Already " in words[0] for words in outcomes)
    counted = act(_decided_entries)
    assert counted == RACES


def _decided_entries() -> int:
    return AuditEntry.objects.filter(action="approval.decided").count()


def _more(row: Approval, count: int) -> list[int]:
    """Further questions, each in a step of its own in the same run."""
    made = []
    for number in range(count):
        step = StepRun.objects.create(
            run=row.step.run, key=f"ask-{number}", action="approval.request", position=number + 1,
            idempotency_key=f"race-{number}", created_at=T0,
        )  # fmt: skip
        made.append(
            Approval.objects.create(
                step=step, subject=row.subject, approver=row.approver, title=row.title,
                asked_at=T0, due_at=T0 + timedelta(days=5),
            ).pk
        )  # fmt: skip
    return made


def _thread_safe(tmp_path: Path) -> Callable[..., Any]:
    """Run something in a thread of its own; a database in memory is copied to a file first."""
    path = str(tmp_path / "race.sqlite3")
    in_memory = connection.vendor == "sqlite"
    if in_memory:
        with sqlite3.connect(path) as copy:
            connection.ensure_connection()
            connection.connection.backup(copy)
            # As a database that was migrated is: turning one over is nothing to be raced for.
            copy.execute("PRAGMA journal_mode=WAL")

    def act(work: Callable[..., Any], *arguments: Any) -> Any:
        def inside() -> Any:
            own = connections["default"]
            if in_memory:
                own.settings_dict = {**own.settings_dict, "NAME": path}
            try:
                return work(*arguments)
            finally:
                own.close()

        if threading.current_thread() is not threading.main_thread():
            return inside()
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(inside).result()

    return act


METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


def _addresses(pk: int) -> list[str]:
    return [
        f"/approvals/{pk}/",
        f"/approvals/{pk}/?decision=approve",
        f"/approvals/{pk}/decide/",
        f"/approvals/{pk}/decide/?decision=approve&comment=x",
        f"/approvals/{pk}/ask/",
        f"/approvals/{pk}/move/",
        "/approvals/",
        "/approvals/approve/",
        "/approvals/approvals.csv",
        "/approvals/stuck/",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["", "manager", "employee"])
def test_scanners_change_nothing_and_learn_nothing(company: Company, who: str) -> None:
    """Every method on every address, with and without somebody's cookies."""
    _scan(company, who, 80)


@pytest.mark.slow
def test_ten_thousand_hits_of_scanners_change_nothing(company: Company) -> None:
    for who in ("", "manager", "employee"):
        _scan(company, who, 3_334)


def _scan(company: Company, who: str, wanted: int) -> None:
    row = company.objects["approval"]
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if who:
        client.force_login(company.users[who])
    before = (list(Approval.objects.values()), list(Request.objects.values()))
    entries = AuditEntry.objects.count()
    data = {"decision": "approve", "comment": "x", "approval": row.pk, "question": "x"}
    hits = 0
    while hits < wanted:
        for url in _addresses(row.pk):
            for method in METHODS:
                call = getattr(client, method)
                answer = call(url, data) if method in ("get", "post") else call(url)
                hits += 1
                body = answer.content.decode(errors="replace")
                assert answer.status_code < 500, (method, url)
                if method in ("put", "patch", "delete", "trace", "post"):
                    assert answer.status_code in (302, 403, 404, 405), (method, url)
                if who != "manager":
                    assert row.title not in body, (method, url)
                    assert "Report Example" not in body, (method, url)
    assert (list(Approval.objects.values()), list(Request.objects.values())) == before
    assert AuditEntry.objects.count() == entries
    assert mail.outbox == []


def test_a_form_that_a_scanner_submits_without_the_session_is_refused(company: Company) -> None:
    """It has read the page, token and all, and posts it from elsewhere."""
    row = company.objects["approval"]
    reader = Client(enforce_csrf_checks=True)
    reader.force_login(company.users["manager"])
    html = reader.get(f"/approvals/{row.pk}/").content.decode()
    token = html.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    scanner = Client(enforce_csrf_checks=True)
    scanner.cookies["csrftoken"] = reader.cookies["csrftoken"].value
    form = {"decision": "approve", "csrfmiddlewaretoken": token}
    answer = scanner.post(f"/approvals/{row.pk}/decide/", form)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")
    row.refresh_from_db()
    assert row.status == "pending"


def _hour(day: int, hour: int) -> datetime:
    return datetime(2026, 12, 21, hour, tzinfo=UTC) + timedelta(days=day)


@pytest.mark.django_db
def test_a_fortnight_of_silence_over_two_countries_holidays(pursue: Pursue, ana: Person) -> None:
    """From 21 Dec 2026: Boss in France, Chief in Great Britain, then HR; nobody ever answers.

    France keeps 25 Dec and 1 Jan; Great Britain keeps 25 and 28 Dec (for Boxing Day on a
    Saturday) and 1 Jan.
    """
    Person.objects.filter(full_name="Boss").update(country="FRA", timezone="Europe/Paris")
    Person.objects.filter(full_name="Chief").update(country="GBR", timezone="Europe/London")
    Role.objects.create(name="hr").members.add(person_make("eve", country="FRA"))
    params: dict[str, Any] = {
        "due": {"working_days": 3},
        "remind_every": {"working_days": 1},
        "on_no_response": "escalate",
    }
    seen: list[tuple[str, str]] = []
    mails: list[tuple[str, str]] = []
    outcome: Any = None
    for day in range(18):
        for hour in (8, 19):
            if isinstance(outcome, Lane):
                break
            mail.outbox.clear()
            outcome = pursue(at=_hour(day, hour), fallback=HR, **params)
            when = f"{_hour(day, hour):%-d %b}"
            mails += [(when, f"{m.to[0].split('@')[0]}: {m.subject[:8]}") for m in mail.outbox]
            for name in asked():
                if name not in [known for _, known in seen]:
                    seen.append((when, name))
    assert seen == [("21 Dec", "Boss"), ("24 Dec", "Chief"), ("31 Dec", "Eve")]
    assert isinstance(outcome, Lane)
    assert outcome.lanes == ("expired",)
    assert mails == [
        ("21 Dec", "boss: New lapt"),
        ("22 Dec", "boss: Reminder"),
        ("23 Dec", "boss: Reminder"),
        ("24 Dec", "chief: New lapt"),
        ("29 Dec", "chief: Reminder"),
        ("30 Dec", "chief: Reminder"),
        ("31 Dec", "eve: New lapt"),
        ("4 Jan", "eve: Reminder"),
        ("5 Jan", "eve: Reminder"),
        ("6 Jan", "ana: Your req"),
    ]
    assert not Approval.objects.filter(status="approved").exists()
