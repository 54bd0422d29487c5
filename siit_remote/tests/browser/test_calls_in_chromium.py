"""The page of a connection's calls, as IT reads it when something went wrong."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from integrations.circuits import OPENS_AFTER, CircuitGate
from integrations.errors import TransientError
from integrations.models import Connection, Delivery
from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company

pytestmark = pytest.mark.browser
TROUBLE = (
    ("ok", 200, "", ""),
    ("failed", 503, "transient", "The target answered 503."),
    ("failed", 429, "rate_limited", ""),
    ("uncertain", None, "uncertain", "idp.example.com did not answer in time."),
    ("failed", 404, "permanent", ""),
)


@pytest.fixture
def connection(company: Company) -> Connection:
    row = Connection.objects.create(
        key="idp",
        connector="scim",
        name="Company directory",
        status="ready",
        config={"base_url": "https://idp.example.com/scim/v2"},
        account={"name": "idp.example.com"},
        created_at=clock.now(),
    )
    row.set_secrets({"bearer_token": "x"})
    row.save()
    for number in range(12):
        outcome, status, code, error = TROUBLE[number % len(TROUBLE)]
        Delivery.objects.create(
            connection=row,
            operation=("PATCH /Users/{id}", "GET /Users", "POST /Users")[number % 3],
            target="idp.example.com/scim/v2/Users",
            purpose=("Suspend the account", "Create the account", "")[number % 3],
            run_id=company.objects["run"].pk if number % 3 < 2 else None,
            person=company.people["report"] if number % 3 < 2 else None,
            attempt=1 + number % 2,
            started_at=clock.now() - timedelta(minutes=number),
            milliseconds=80 + 37 * number,
            outcome=outcome,
            status_code=status,
            error_code=code,
            error=error,
            request_id=f"7f0c6f8a-1111-4222-8333-{number:012}",
        )
    gate = CircuitGate(connection_id=row.pk, key="idp")
    for _ in range(OPENS_AFTER):
        gate.leave("idp.example.com", status=None, error=TransientError("It did not answer."))
    return row


def _shot(page: Any, name: str) -> None:
    folder = os.environ.get("SIIT_SHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_calls_are_filtered_read_and_followed_to_the_run(
    width: int, theme: str, visitor: Any, connection: Connection
) -> None:
    guest = visitor("it", width=width, theme=theme)
    page = guest.open("/settings/integrations/idp/")
    _shot(page, f"connection-{width}-{theme}")
    assert faults(page) == []
    expect(page.get_by_text("does not answer").first).to_be_visible()
    page.get_by_role("link", name="Calls", exact=True).click()
    expect(page.get_by_label("Kind of error")).to_be_visible()
    _shot(page, f"calls-{width}-{theme}")
    assert faults(page) == []
    page.get_by_label("Kind of error").select_option("uncertain")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile("kind=uncertain"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("settle the step")
    page.get_by_role("link", name="Clear every filter").click()
    expect(rows).to_have_count(12)
    page.locator("a.row-title").first.click()
    page.wait_for_url("**/runs/*/")
    assert guest.violations == []
