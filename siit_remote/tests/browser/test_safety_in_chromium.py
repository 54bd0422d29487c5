"""Too many at once: held before anything happens, and released by name by a second person."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company
from workflows.document.parse import parse_document
from workflows.engine.service import run_due
from workflows.models import Hold, Run, StepRun
from workflows.services import workflow_import

pytestmark = pytest.mark.browser
DOCUMENT = {
    "format": "siit.workflow/1",
    "key": "desks",
    "name": "Desks",
    "trigger": {"type": "manual"},
    "limits": {"hold_above": {"people": 2, "percent": 100}},
    "steps": [{"key": "stop", "action": "flow.stop", "params": {"reason": "Looked at."}}],
}


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_three_started_by_hand_are_held_and_two_of_them_released_by_somebody_else(
    width: int, theme: str, visitor: Any, company: Company
) -> None:
    workflow_import(parse_document(DOCUMENT), publish=True, now=clock.now())
    names = ("employee", "manager", "report")
    hr = visitor("hr", width=width, theme=theme)
    page = hr.open("/workflows/desks/start/")
    page.get_by_label("For whom").fill("\n".join(f"{name}@acme.test" for name in names))
    page.get_by_role("button", name="See who it is for").click()
    page.get_by_role("heading", name="What happens").wait_for()
    found = faults(page)
    page.get_by_role("button", name="Start now").click()
    page.wait_for_url("**/runs/**")
    run_due(now=clock.now())
    assert not StepRun.objects.filter(run__workflow__key="desks").exists()

    hold = Hold.objects.get(workflow__key="desks")
    page = hr.open(f"/held/{hold.pk}/")
    expect(page.get_by_text("3 people within 24 hours; the limit is 2.")).to_be_visible()
    expect(page.get_by_text("You started these runs; somebody else has to")).to_be_visible()
    for name in names:
        expect(page.get_by_label(f"Include {name.title()}")).to_be_visible()
    expect(page.get_by_role("button", name="Release")).to_have_count(0)
    found += faults(page)

    owner = visitor("owner", width=width, theme=theme)
    page = owner.open(f"/held/{hold.pk}/")
    page.get_by_label("Include Report").uncheck()
    page.get_by_role("button", name="Release").click()
    # Without a word of why nothing is sent.
    assert Run.objects.filter(workflow__key="desks", status="held").count() == 3
    page.get_by_label("Why is it right, or wrong?").fill("They move on Monday.")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("They move on Monday.")).to_be_visible()
    found += faults(page)
    run_due(now=clock.now())
    states = Run.objects.filter(workflow__key="desks").order_by("person__work_email")
    assert list(states.values_list("person__work_email", "status")) == [
        ("employee@acme.test", "done"),
        ("manager@acme.test", "done"),
        ("report@acme.test", "held"),
    ]
    assert found == []
    assert hr.violations + owner.violations == []
