"""An offboarding that was a mistake, taken back at a real identity provider."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from siit_remote.tests.e2e.conftest import Acme

pytestmark = pytest.mark.peer
LEAVE = """
format: siit.workflow/1
key: close-accounts
name: Close accounts
trigger: {type: person.end_date, params: {at: "09:00"}}
conditions: {combinator: and, rules: [{field: person.team, operator: is, value: Engineering}]}
steps:
  - {key: apps, action: apps.revoke, params: {apps: all}}
  - {key: account, action: idp.suspend_account, params: {connection: idp}}
"""


def test_a_suspended_account_is_active_again_after_an_undo(acme: Acme, tomorrow: date) -> None:
    site = acme.site
    site.json("import_workflows", site.document("leave.yaml", LEAVE), "--publish")
    person = acme.hire(
        "amelie", country="FRA", kind="payroll", start_date=tomorrow, department="Engineering"
    )
    site.json("sync_remote")
    acme.run(datetime.combine(tomorrow + timedelta(days=1), time(12), tzinfo=UTC))
    last = tomorrow + timedelta(days=5)
    acme.remote.terminate(person["id"], last)
    assert site.json("sync_remote")["status"] == "applied"
    evening = datetime.combine(last + timedelta(days=1), time(12), tzinfo=UTC)
    acme.run(evening)
    account = acme.accounts()["amelie@acme.test"]
    assert account["active"] is False
    assert account["id"] not in acme.scim.members(acme.tenant, "github-users")
    (run,) = site.json("list_runs", "--workflow", "close-accounts")
    assert run["status"] == "done"

    at = ("--at", (evening + timedelta(hours=1)).isoformat())
    shown = site.json("undo_run", str(run["id"]), *at)
    assert len(shown["takes_back"]) == 2
    assert shown["undone_by"] is None
    assert acme.accounts()["amelie@acme.test"]["active"] is False

    reason = ("--reason", "The end date was a mistake")
    first = site.json("undo_run", str(run["id"]), *reason, *at)
    second = site.json("undo_run", str(run["id"]), *reason, *at)
    assert first["undone_by"] == second["undone_by"]
    acme.run(evening + timedelta(hours=1))
    account = acme.accounts()["amelie@acme.test"]
    assert account["active"] is True
    assert account["id"] in acme.scim.members(acme.tenant, "github-users")
    (undo,) = [
        item
        for item in site.json("list_runs", "--person", "amelie@acme.test")
        if item["id"] == first["undone_by"]
    ]
    assert undo["status"] == "done"
