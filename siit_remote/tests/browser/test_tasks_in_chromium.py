"""A task from the list to its proof, on a phone and on a desk; nothing inaccessible on the way."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from people.models import Role
from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults, spills
from siit_remote.tests.people_with_roles import Company
from workflows.models import Task
from workflows.tasks_by_hand import task_open

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(company: Company) -> Company:
    """IT has two tasks, one of them overdue."""
    role = Role.objects.create(name="it", lead=company.people["owner"])
    role.members.add(company.people["it"])
    for number, title in enumerate(("Grant Figma: Report Example", "Collect the old phone")):
        task = task_open(
            key=f"desk-{number}",
            title=title,
            body="No connection is set for it.\nWorkflow: Offboarding.",
            role="it",
            subject=company.people["report"],
            checklist=["Invite", "Tell them"] if not number else [],
            now=clock.now(),
        )
        if number:
            Task.objects.filter(pk=task.pk).update(due_on=clock.now().date() - timedelta(days=9))
    return company


@pytest.mark.parametrize("width", [390, 1440])
def test_it_takes_a_task_ticks_its_points_and_says_what_was_done(
    width: int, visitor: Any, desk: Company
) -> None:
    guest = visitor("it", width=width)
    page = guest.open("/tasks/")
    expect(page).to_have_title(re.compile(r"^\(2\) Tasks"))
    page.get_by_role("link", name="Grant Figma: Report Example").click()
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("Yours: Grant Figma").wait_for()
    for point in ("Invite", "Tell them"):
        page.get_by_role("checkbox", name=point).click()
        page.locator(f'[aria-checked="true"]:has-text("{point}")').wait_for()
    page.get_by_label("What did you do?").fill("Invited to the team Design, ticket 4711.")
    assert not spills(page)
    page.get_by_role("button", name="Mark as done").click()
    page.get_by_text("Done: Grant Figma").wait_for()
    found = Task.objects.get(key="desk-0")
    assert (found.status, found.done_by) == ("done", desk.people["it"])
    assert guest.violations == []


def test_several_are_handed_over_at_once(visitor: Any, desk: Company) -> None:
    page = visitor("it").open("/tasks/?show=role")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_text("Do something with those ticked").click()
    page.get_by_label("What was done, or why").fill("On leave")
    page.get_by_label("Hand over to").fill("hr@acme.test")
    page.get_by_role("button", name="Hand over").click()
    page.get_by_text("2 handed over.").wait_for()
    assert Task.objects.filter(assignee=desk.people["hr"]).count() == 2


@pytest.mark.parametrize("width", [390, 1440])
def test_list_and_task_are_accessible(width: int, visitor: Any, desk: Company) -> None:
    guest = visitor("it", width=width)
    task = Task.objects.get(key="desk-0")
    for path in ("/tasks/?show=role", "/tasks/?show=overdue", f"/tasks/{task.pk}/"):
        page = guest.open(path)
        for summary in page.locator("main details.more > summary").all():
            summary.click()
        assert faults(page, themes=["dark"]) == []
    assert guest.violations == []
