"""``kill -9`` of the engine at every named point: nothing is lost, nothing happens twice."""

from __future__ import annotations

import signal
from datetime import UTC, date, datetime, time, timedelta

import pytest

from siit_remote.tests.e2e.conftest import Acme
from workflows.engine.crash import POINTS

pytestmark = pytest.mark.peer


def test_a_killed_engine_loses_nothing_and_repeats_nothing(acme: Acme, tomorrow: date) -> None:
    """One worker a point, all on one installation: each starts on a day of their own."""
    acme.ship_to_the_office()
    moments: dict[str, datetime] = {}
    for index, point in enumerate(POINTS):
        day = tomorrow + timedelta(days=40 + 3 * index)
        name = point.replace(".", "-").replace("_", "-")
        acme.hire(name, country="FRA", kind="payroll", start_date=day, department="Engineering")
        moments[point] = datetime.combine(day, time(12), tzinfo=UTC)
    assert acme.site.json("sync_remote")["status"] == "applied"
    for point, moment in moments.items():
        killed = acme.site.plain(
            "run_due", "--at", moment.isoformat(), check=False, SIIT_CRASH_AT=point
        )
        assert killed.returncode == -signal.SIGKILL, f"{point} was never reached: {killed.stderr}"
        acme.run(moment)
        acme.run(moment + timedelta(minutes=20))
    accounts = acme.accounts()
    for point in POINTS:
        email = f"{point.replace('.', '-').replace('_', '-')}@acme.test"
        assert accounts[email]["active"] is True, point
        shipped = [
            call["id"]
            for call in acme.sink.calls
            if call["payload"]["person"]["work_email"] == email
        ]
        assert len(set(shipped)) == 1, f"{point}: shipped under {len(set(shipped))} keys"
        assert len(acme.inbox.to(email)) <= 1, f"{point}: welcomed twice"
        (run,) = acme.site.json("list_runs", "--person", email)
        finished = run["status"] == "done"
        told = "may have been sent" in str(run["reason"]) and run["status"] == "done_with_errors"
        assert finished or told, f"{point}: {run['status']} {run['reason']}"
        if finished:
            assert len(acme.inbox.to(email)) == 1, f"{point}: never welcomed"


def test_engines_at_once_make_one_run_each(acme: Acme, tomorrow: date) -> None:
    acme.ship_to_the_office()
    names = [f"together{index}" for index in range(4)]
    for name in names:
        acme.hire(
            name, country="FRA", kind="payroll", start_date=tomorrow, department="Engineering"
        )
    acme.site.json("sync_remote")
    at = datetime.combine(tomorrow, time(12), tzinfo=UTC).isoformat()
    engines = [acme.site.start("run_due", "--at", at) for _ in range(3)]
    for process in engines:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    for name in names:
        (run,) = acme.site.json("list_runs", "--person", f"{name}@acme.test")
        assert run["status"] == "done", [run["reason"], run["steps"]]
        assert [step["attempts"] for step in run["steps"]] == [1] * len(run["steps"])
        assert len(acme.inbox.to(f"{name}@acme.test")) == 1
    members = acme.scim.members(acme.tenant, "github-users")
    accounts = acme.accounts()
    assert {accounts[f"{name}@acme.test"]["id"] for name in names} <= members
