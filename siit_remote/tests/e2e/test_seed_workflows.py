"""The three workflows of the product's page, from Remote's API to the effect at the other end."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from email.message import Message

import pytest
import requests

from siit_remote.tests.e2e.conftest import Acme

pytestmark = pytest.mark.peer


def evening(day: date) -> datetime:
    """Late enough for every zone's working day to have ended."""
    return datetime.combine(day + timedelta(days=1), time(12), tzinfo=UTC)


WHERE_TO = "Where should we send your equipment?"


def answer_where_to(acme: Acme, mail: Message) -> None:
    """What the worker does: open the link of the mail, fill in the form, send it."""
    found = re.search(r"/equipment/address/\S+/", str(mail.get_payload(decode=True), "utf-8"))
    assert found is not None
    with acme.site.web() as base, requests.Session() as browser:
        page = browser.get(f"{base}{found[0]}", timeout=30)
        assert page.status_code == 200
        assert "Amelie" not in page.text
        fields = {
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
            "name": "Amelie Example",
            "line1": "1 rue de la Paix",
            "postcode": "69001",
            "city": "Lyon",
            "country": "FRA",
        }
        thanks = browser.post(f"{base}{found[0]}", fields, timeout=30)
        assert thanks.status_code == 200
        assert "Lyon" not in thanks.text
        assert browser.get(f"{base}{found[0]}", timeout=30).status_code == 404


def test_day_one_creates_one_account_ships_to_employees_and_welcomes(
    acme: Acme, tomorrow: date
) -> None:
    acme.hire(
        "amelie", country="FRA", kind="payroll", start_date=tomorrow, department="Engineering"
    )
    acme.hire("oscar", country="GBR", kind="standard", start_date=tomorrow, department="Design")
    report = acme.site.json("sync_remote")
    assert report["status"] == "applied"
    assert report["created"] == 2
    for _ in range(3):
        acme.run(evening(tomorrow))
    accounts = acme.accounts()
    assert accounts["amelie@acme.test"]["active"] is True
    assert accounts["oscar@acme.test"]["active"] is True
    members = acme.scim.members(acme.tenant, "github-users")
    assert accounts["amelie@acme.test"]["id"] in members
    assert accounts["oscar@acme.test"]["id"] not in members
    assert acme.sink.calls == []
    told = [str(item["Subject"]) for item in acme.inbox.to("amelie@acme.test")]
    assert told == ["Bienvenue Amelie Example"]
    # Remote knows her personal email: what is private goes there.
    (asked,) = acme.inbox.to("amelie@personal.example")
    assert asked["Subject"] == WHERE_TO
    answer_where_to(acme, asked)
    for _ in range(2):
        acme.site.plain("shell", "-c", "import siit_remote.tasks as t; t.watch_shipments()")
    (order,) = [call["payload"] for call in acme.sink.calls]
    assert order["person"]["work_email"] == "amelie@acme.test"
    assert order["address"]["city"] == "Lyon"
    assert acme.sink.refused == []
    assert [str(item["Subject"]) for item in acme.inbox.to("oscar@acme.test")] == [
        "Welcome Oscar Example"
    ]
    runs = acme.site.json("list_runs", "--person", "amelie@acme.test")
    assert [run["status"] for run in runs] == ["done"]


def test_contractor_offboarding_touches_no_employee(acme: Acme, tomorrow: date) -> None:
    gone = acme.hire(
        "carlos",
        country="ESP",
        kind="cor",
        start_date=tomorrow,
        department="Engineering",
        manager="manager@acme.test",
    )
    stays = acme.hire(
        "emma",
        country="ESP",
        kind="payroll",
        start_date=tomorrow,
        department="Engineering",
        manager="manager@acme.test",
    )
    acme.site.json("sync_remote")
    acme.run(evening(tomorrow))
    last = tomorrow + timedelta(days=5)
    acme.remote.terminate(gone["id"], last)
    acme.remote.terminate(stays["id"], last)
    assert acme.site.json("sync_remote")["status"] == "applied"
    acme.run(evening(last))
    accounts = acme.accounts()
    members = acme.scim.members(acme.tenant, "github-users")
    assert accounts["carlos@acme.test"]["id"] not in members
    assert accounts["emma@acme.test"]["id"] in members
    told = [str(item["Subject"]) for item in acme.inbox.to("manager@acme.test")]
    assert told.count("Carlos Example has left") == 1
    assert not any("Emma" in subject for subject in told)
    runs = acme.site.json("list_runs", "--workflow", "contractor-offboarding")
    assert "emma@acme.test" not in {run["person"] for run in runs}


@pytest.mark.parametrize(
    ("requester", "approver"),
    [
        ("french-employee@acme.test", "french-hr-lead@acme.test"),
        ("employee@acme.test", "manager@acme.test"),
    ],
)
def test_entity_decides_who_approves(acme: Acme, requester: str, approver: str) -> None:
    site = acme.site
    site.json(
        "submit_request",
        "--service",
        "application-access",
        "--requester",
        requester,
        "--set",
        "reason=work",
    )
    site.json("run_due")
    pending = site.json("list_approvals", "--status", "pending")
    assert [item["approver"] for item in pending] == [approver]
    own = site.plain(
        "decide_approval", str(pending[0]["id"]), "--as", requester, "--approve", check=False
    )
    assert own.returncode == 1
    assert "Traceback" not in own.stderr
    site.json("decide_approval", str(pending[0]["id"]), "--as", approver, "--approve")
    site.json("run_due")
    runs = site.json("list_runs", "--workflow", "access-request")
    assert [run["status"] for run in runs] == ["done"]
    statuses = {step["key"]: step["status"] for step in runs[0]["steps"]}
    assert statuses["resolved"] == "done"
