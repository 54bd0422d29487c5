"""A restored backup: said on every page, compared, and let go on by HR."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company
from workflows.models import RecoveryHold, Run, StepRun
from workflows.recovery import GOES_ON

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_hr_compares_and_lets_it_go_on(
    width: int, theme: str, visitor: Any, company: Company
) -> None:
    now = clock.now()
    made = now - timedelta(hours=21)
    run = Run.objects.get(key="run-key")
    Run.objects.filter(pk=run.pk).update(status=Run.Status.WAITING, reason=f"Back. {GOES_ON}")
    StepRun.objects.filter(run=run).update(
        status=StepRun.Status.DONE, finished_at=made - timedelta(minutes=4)
    )
    hr = visitor("hr", width=width, theme=theme)
    found = faults(hr.open("/held/recovery/"))
    RecoveryHold.objects.create(
        found_by_witness=True, stands_at=made, worked_until=now, opened_at=now
    )
    page = hr.open("/runs/")
    page.get_by_role("link", name="Compare and let it go on").click()
    expect(page.get_by_role("heading", name="2. What waits now")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now Remote")).to_be_visible()
    found += faults(page)
    page.get_by_label("Why?").fill("Compared with Remote and Okta.")
    page.get_by_role("button", name="I have compared: let it go on").click()
    expect(page.get_by_text("It goes on: what waited is taken up")).to_be_visible()
    expect(page.get_by_role("cell", name="Compared with Remote and Okta.")).to_be_visible()
    found += faults(page)
    assert RecoveryHold.objects.filter(closed_at=None).count() == 0
    assert found == []
