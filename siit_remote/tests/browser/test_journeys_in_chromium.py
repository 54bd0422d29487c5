"""What people see over days: a laptop on its way, a date that moves, a mistake, a silent source."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect
from standardwebhooks.webhooks import Webhook

from integrations.models import Bundle, Connection, SyncRun
from integrations.services import connection_save, connection_test
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.tests.servers import Answer, serving
from integrations.tests.worker import work
from people.tests.build import feed, worker
from siit_remote.lib import clock
from siit_remote.tests.browser.leaving import goes_live, left_yesterday
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.e2e.peers import ScimServer, scim_server
from siit_remote.tests.people_with_roles import Company
from workflows.engine.service import run_due
from workflows.models import Run, Shipment, Task

pytestmark = pytest.mark.browser
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DAY = timedelta(days=1)


def look(page: Page) -> list[str]:
    """Faults of a page on a desk and on a phone, in both themes."""
    found = faults(page, themes=["dark"])
    page.set_viewport_size({"width": 390, "height": 844})
    found += faults(page, themes=["light"])
    page.set_viewport_size({"width": 1440, "height": 900})
    shots = os.environ.get("SIIT_SHOTS")
    if shots:
        _shoot(page, Path(shots))
    return found


def _shoot(page: Page, folder: Path) -> None:
    """Pictures for who wants to look as well."""
    name = re.sub(r"\W+", "-", page.url.split("/", 3)[-1]).strip("-")
    for width, theme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("name => { document.documentElement.dataset.theme = name; }", theme)
        page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.fixture(scope="module")
def peer() -> Iterator[ScimServer]:
    with scim_server() as running:
        yield running


def _report(base: str, row: Shipment, state: str, **more: str) -> None:
    """The shipping partner tells where it is, signed by the standard's own library."""
    sent, name = datetime.now(UTC), f"msg_{state}"
    raw = json.dumps({"shipment": row.pk, "state": state, **more})
    answer = requests.post(
        f"{base}/hooks/equipment/shipping/",
        data=raw,
        headers={
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(sent.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(name, sent, raw),
        },
        timeout=30,
    )
    assert answer.status_code == 202, answer.text


def test_equipment_is_followed_from_the_partner_to_its_return_on_leaving(
    visitor: Any, company: Company
) -> None:
    row, guest = Shipment.objects.get(), visitor("it")
    with serving(lambda asked: Answer(202, {})) as partner:
        connection = connection_save(
            key="shipping", connector="http", name="Fleet", config={"base_url": partner.url},
            secrets={"signing_secret": SECRET},
        )  # fmt: skip
        Connection.objects.filter(pk=connection.pk).update(status="ready")
        Bundle.objects.update(connection=connection)
        Shipment.objects.update(connection=connection, state="ordered", wants_address=False)
        page = guest.open(f"/equipment/{row.pk}/")
        _report(guest.base, row, "shipped", tracking="DHL 4711", message="Left Lyon.")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Shipped")
        expect(page.get_by_text("DHL 4711")).to_be_visible()
        expect(page.get_by_text("Left Lyon.")).to_be_visible()
        _report(guest.base, row, "delivered")
        goes_live("leaving", on="end_date", steps=[{"key": "back", "action": "equipment.collect"}])
        left_yesterday(row.person)
        run_due(now=clock.now())
        run = Run.objects.get(workflow__key="leaving")
        assert run.status == "done", run.reason
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Asked back")
        _report(guest.base, row, "returned", message="All of it.")
        assert len(partner.calls("POST")) == 1
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Returned")
    history = page.locator("section", has_text="What happened")
    expect(history.locator("li .chip")).to_have_text(
        ["Shipped", "Delivered", "Asked back", "Returned"]
    )
    assert look(page) == []
    page = guest.open(f"/people/{row.person_id}/?tab=timeline&kind=equipment")
    expect(page.get_by_text("All of it.")).to_be_visible()
    assert guest.violations == []


def test_a_start_date_that_moves_is_planned_anew_and_both_dates_are_seen(
    visitor: Any, company: Company
) -> None:
    now = clock.now()
    first, then = now.date() + 5 * DAY, now.date() + 6 * DAY
    goes_live(
        "joining", on="start_date", direction="before", days=6, at="00:00", timezone="UTC",
        steps=[
            {"key": "pause", "wait": {"for": {"days": 2}}},
            {"key": "stop", "action": "flow.stop", "params": {"reason": "Welcomed."}},
        ],
    )  # fmt: skip
    feed([worker("r-1", "wanda", start_date=first, contract_status="hired")], now=now - 2 * DAY)
    run_due(now=now)
    run = Run.objects.get(workflow__key="joining")
    feed([worker("r-1", "wanda", start_date=then, contract_status="hired")], now=now)
    for later in (timedelta(minutes=5), DAY):
        run_due(now=now + later)
    run.refresh_from_db()
    assert run.status == "superseded", run.reason
    guest = visitor("hr")
    page = guest.open(f"/runs/{run.pk}/")
    dates = [f"{date:%-d %b %Y}" for date in (first, then)]
    moved = page.get_by_text("after this run was decided")
    expect(moved).to_have_text(
        f"The date moved from {dates[0]} to {dates[1]} after this run was decided."
    )
    plan = page.locator(".plan-history")
    expect(plan.locator("s")).to_have_text(dates[:1])
    expect(plan.locator("strong")).to_have_text(dates[1:])
    assert look(page) == []
    plan.get_by_role("link", name=f"Run {run.successor_id}").click()
    page.wait_for_url(f"**/runs/{run.successor_id}/")
    expect(page.get_by_text("Wanda").first).to_be_visible()
    assert guest.violations == []


def test_a_mistaken_offboarding_is_undone_at_the_provider_whose_pages_say_what_happened(
    visitor: Any, company: Company, peer: ScimServer
) -> None:
    person, tenant = company.people["report"], "mistaken"
    headers = {"Authorization": f"Bearer {peer.token}"}
    made = requests.post(
        f"{peer.base_url(tenant)}/Users",
        headers=headers,
        json={
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": person.work_email,
            "active": True,
        },
        timeout=10,
    )
    assert made.status_code == 201
    connection = connection_save(
        key="idp", connector="scim", name="Directory", config={"base_url": peer.base_url(tenant)},
        secrets={"bearer_token": peer.token},
    )  # fmt: skip
    assert not connection_test(connection).problems
    SyncRun.objects.update(status="applied", finished_at=clock.now())
    steps = [
        {"key": "close", "action": "idp.suspend_account", "params": {"connection": "idp"}},
    ]
    goes_live("leaving", on="end_date", steps=steps)
    left_yesterday(person)
    run_due(now=clock.now())
    run = Run.objects.get(workflow__key="leaving")
    assert (run.status, peer.resources(tenant)[0]["active"]) == ("done", False), run.reason

    guest = visitor("hr")
    page = guest.open(f"/runs/{run.pk}/")
    page.get_by_role("link", name="Undo").first.click()
    expect(page.get_by_role("heading", name="Taken back by itself")).to_be_visible()
    page.get_by_label("Why?").fill("The end date was a mistake.")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("It is being taken back")).to_be_visible()
    run_due(now=clock.now())
    assert peer.resources(tenant)[0]["active"] is True
    page.reload()
    expect(page.locator(".page-head .chip").first).to_have_text("Done")
    problems = look(page)
    page = guest.open(f"/runs/{run.pk}/undo/")
    expect(page.get_by_text("It was undone already")).to_be_visible()

    # The connection's pages: how it is, its calls, a test, and a token that is refused.
    page = guest.open("/settings/integrations/idp/")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("Connected", exact=True).first).to_be_visible()
    problems += look(page)
    page.get_by_role("link", name="Calls", exact=True).click()
    expect(page.locator("tbody tr", has_text="PATCH")).to_have_count(2)
    problems += look(page)
    connection.set_secrets({"bearer_token": "revoked"})
    connection.save()
    page = guest.open("/settings/integrations/idp/")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("Replace the credential")).to_be_visible()
    problems += look(page)
    assert problems == []
    assert guest.violations == []


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(build_company(12, 1, clock.now().date(), "acme.example"), token="t") as running:
        yield running


def test_while_the_source_is_silent_nothing_is_taken_and_a_fresh_sync_lets_it_go_on(
    visitor: Any, company: Company, simulator: Simulator
) -> None:
    person, now = company.people["report"], clock.now()
    connection = Connection.objects.get(key="remote")
    connection.config = {"base_url": simulator.base_url}
    connection.set_secrets({"api_token": "t"})
    connection.save()
    SyncRun.objects.all().delete()
    SyncRun.objects.create(
        connection=connection, status="applied", started_at=now - DAY, finished_at=now - DAY
    )
    goes_live("leaving", on="end_date", steps=[{"key": "all", "action": "apps.revoke"}])
    left_yesterday(person)
    run_due(now=now)
    run = Run.objects.get(workflow__key="leaving")
    guest = visitor("hr")
    page = guest.open("/")
    expect(page.get_by_text("Remote has not synced for too long")).to_be_visible()
    for path in ("/people/", "/workflows/", "/tasks/", "/requests/"):
        page = guest.open(path)
        expect(page.get_by_text("People from Remote may be out of date").first).to_be_visible()
    page = guest.open(f"/runs/{run.pk}/")
    expect(page.get_by_text("Until then nothing is taken from anybody").first).to_be_visible()
    assert run.status == "waiting"
    assert look(page) == []

    page.get_by_role("link", name="See why").click()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("A sync is asked for")).to_be_visible()
    work(only="integrations.tasks.sync_one")
    expect(page.locator("#live")).to_have_count(0)
    run_due(now=clock.now() + timedelta(minutes=6))
    page = guest.open(f"/runs/{run.pk}/")
    # GitHub is given by hand here: taking it has begun, and a person is asked to.
    expect(page.get_by_text("1 access still open: GitHub").first).to_be_visible()
    for banner in ("Until then nothing is taken", "People from Remote may be out of date"):
        expect(page.get_by_text(banner)).to_have_count(0)
    assert Task.objects.filter(step__run=run, subject=person).exists()
    assert guest.violations == []
