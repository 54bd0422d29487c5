"""A restored backup is said on every page, mailed once, told by doctor, and ended by a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from siit_remote import tasks
from siit_remote.audit.models import AuditEntry
from siit_remote.diagnosis import check_recovery
from siit_remote.restored import restored_report
from siit_remote.tests.people_with_roles import Company
from workflows.models import Installation, RecoveryHold, Run, StepRun
from workflows.recovery import (
    GOES_ON,
    installation,
    recovery_begin,
    recovery_open,
    recovery_seal,
)
from workflows.witness import witness_path

MADE = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
NOW = MADE + timedelta(days=1)


@pytest.fixture
def hold(company: Company) -> RecoveryHold:
    """Noticed by itself, a day behind."""
    return RecoveryHold.objects.create(
        found_by_witness=True, stands_at=MADE, worked_until=NOW, opened_at=NOW
    )


def _client(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


@pytest.mark.parametrize(
    ("who", "action"),
    [("owner", "Compare and let it go on"), ("hr", "Compare and let it go on"), ("it", "See what")],
)
def test_every_page_says_so_to_those_concerned(
    company: Company, hold: RecoveryHold, who: str, action: str
) -> None:
    page = _client(company, who).get("/runs/").content.decode()
    assert "was put back to 10 Mar 2026, 09:00 UTC" in page
    assert action in page
    assert 'href="/held/recovery/"' in page


def test_home_says_it_once_and_leads_to_what_to_compare(
    company: Company, hold: RecoveryHold
) -> None:
    page = _client(company, "hr").get("/").content.decode()
    assert page.count("was put back to 10 Mar 2026") == 1
    assert 'href="/held/recovery/"' in page


def test_others_are_not_bothered(company: Company, hold: RecoveryHold) -> None:
    for who in ("manager", "employee"):
        assert b"put back" not in _client(company, who).get("/tasks/").content


def test_page_shows_what_waits_and_what_was_done_right_before(
    company: Company, hold: RecoveryHold
) -> None:
    run = Run.objects.get(key="run-key")
    Run.objects.filter(pk=run.pk).update(status=Run.Status.WAITING, reason=f"Back. {GOES_ON}")
    for name, at in (("last_thing", MADE), ("later", NOW), ("long_ago", MADE - timedelta(days=2))):
        StepRun.objects.create(
            run=run, key=name, action="message", position=9, status="done",
            idempotency_key=name, created_at=at, finished_at=at,
        )  # fmt: skip
    page = _client(company, "hr").get("/held/recovery/").content.decode()
    waits = page[page.index("2. What waits now") : page.index("3. What was done last")]
    assert f'href="/runs/{run.pk}/"' in waits
    done = page[page.index("3. What was done last") :]
    assert "Last thing" in done
    assert "Later" not in done
    assert "Long ago" not in done
    assert "1 day" in page.replace("\xa0", " ")
    assert 'action="/settings/integrations/remote/sync/"' in page


def test_hr_lets_it_go_on_with_a_reason_and_it_is_written_down(
    company: Company, hold: RecoveryHold
) -> None:
    client = _client(company, "hr")
    data = {"seal": recovery_seal(hold), "reason": ""}
    assert client.post("/held/recovery/end/", data).status_code == 422
    stale = {"seal": "0:never", "reason": "Compared"}
    client.post("/held/recovery/end/", stale)
    assert recovery_open() == hold
    assert client.post("/held/recovery/end/", data | {"reason": "Compared"}).status_code == 302
    assert recovery_open() is None
    entry = AuditEntry.objects.get(action="recovery.ended")
    assert (entry.actor, entry.detail["reason"]) == (company.users["hr"], "Compared")
    assert "Compared" in client.get("/held/recovery/").content.decode()


def test_it_staff_look_but_do_not_decide(company: Company, hold: RecoveryHold) -> None:
    client = _client(company, "it")
    page = client.get("/held/recovery/").content.decode()
    assert "An owner or HR admin lets it go on." in page
    assert "/held/recovery/end/" not in page


def test_owner_holds_by_hand_what_nothing_has_noticed(company: Company) -> None:
    client = _client(company, "owner")
    data = {"reason": "Restored on another machine", "stands_at": "2026-03-10T09:00"}
    client.post("/held/recovery/begin/", data)
    hold = RecoveryHold.objects.get()
    assert (hold.stands_at, hold.opened_by) == (MADE, company.users["owner"])
    client.post("/held/recovery/begin/", data)
    assert RecoveryHold.objects.count() == 1
    assert "Restored on another machine" in client.get("/held/recovery/").content.decode()


def test_those_who_may_end_it_are_mailed_once(company: Company, hold: RecoveryHold) -> None:
    assert restored_report() == 2
    assert tasks.watch_outages()["restored"] == 0
    assert {message.to[0] for message in mail.outbox} == {"owner@acme.test", "hr@acme.test"}
    assert "/held/recovery/" in mail.outbox[0].body


@pytest.mark.django_db
def test_doctor_says_whether_a_restore_would_be_noticed(tmp_path: Path, settings: Any) -> None:
    assert "No witness is kept" in check_recovery(NOW).detail
    settings.WITNESS_FOLDER = str(tmp_path)
    found = check_recovery(NOW)
    assert found.ok
    assert "No witness lies on this machine" in found.detail
    assert not Installation.objects.exists()
    path = witness_path(installation().identity)
    assert path is not None
    path.write_text(json.dumps({"position": 1, "seen_at": NOW.isoformat()}), encoding="utf-8")
    assert "the witness is of 11 Mar 09:00 UTC" in check_recovery(NOW).detail
    path.write_text("?", encoding="utf-8")
    assert "makes no sense" in check_recovery(NOW).detail
    assert path.exists()
    recovery_begin(reason="Restored", now=NOW, actor=None)
    found = check_recovery(NOW)
    assert not found.ok
    assert "Held by hand since 11 Mar 2026, 09:00 UTC" in found.detail


def test_command_holds_and_lets_go_on_by_the_same_rules(company: Company) -> None:
    def run(*arguments: str) -> dict[str, Any]:
        said = StringIO()
        call_command("recovery_hold", "--json", *arguments, stdout=said)
        found: dict[str, Any] = json.loads(said.getvalue())
        return found

    because = ("--reason", "Restored on host b")
    with pytest.raises(CommandError, match="an owner or HR admin has"):
        run("--begin", "--as", "it@acme.test", *because)
    with pytest.raises(CommandError, match="Say why"):
        run("--begin", "--as", "hr@acme.test")
    assert run()["held"] is False
    shown = run("--begin", "--as", "hr@acme.test", "--made", "2026-03-10T09:00Z", *because)
    assert shown["held"]
    assert "made 10 Mar 2026, 09:00 UTC" in shown["why"]
    with pytest.raises(CommandError, match="held already"):
        run("--begin", "--as", "hr@acme.test", *because)
    assert run("--end", "--as", "owner@acme.test", *because)["held"] is False
    with pytest.raises(CommandError, match="Nothing is held"):
        run("--end", "--as", "owner@acme.test", *because)


@pytest.mark.django_db
def test_minute_beat_moves_the_count_on(tmp_path: Path, settings: Any) -> None:
    settings.WITNESS_FOLDER = str(tmp_path)
    tasks.heartbeat()
    tasks.heartbeat()
    assert Installation.objects.get().position == 2
