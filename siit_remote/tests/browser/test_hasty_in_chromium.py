"""Who goes on while an answer is under way loses nothing that they typed, chose or pressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from integrations.models import Connection, SyncRun
from people.defaults import workspace_get
from siit_remote.lib import clock
from siit_remote.tests.browser.building import BUSY, PAUSE, Builder, saved_with
from siit_remote.tests.people_with_roles import Company
from workflows.models import Workflow

pytestmark = pytest.mark.browser
CONDITIONS = "#card-conditions"


class Line:
    """Holds back what the page sends, until it is let go."""

    def __init__(self, page: Page, pattern: str = "**/edit/*/") -> None:
        self.held: list[Route] = []
        self._page = page
        self._pattern = pattern
        self._open = True
        page.route(pattern, self._take)

    def _take(self, route: Route) -> None:
        if self._open or route.request.method != "POST":
            route.continue_()
        else:
            self.held.append(route)

    def hold(self, act: Any) -> None:
        """Do something whose request then waits on the line, where nothing else is under way."""
        expect(self._page.locator(BUSY)).to_have_count(0)
        self._open = False
        with self._page.expect_request(lambda sent: sent.method == "POST"):
            act()

    def let_go(self) -> None:
        """Everything that waits goes on, and what follows goes through."""
        self._open = True
        for route in self.held:
            route.continue_()
        self.held.clear()


@pytest.fixture
def build(calm: Any, company: Company) -> Iterator[Builder]:
    """A draft with two steps, and nothing under way."""
    guest = calm("hr")
    builder = Builder(guest.page)
    builder.begin(guest.base, "Hasty")
    builder.add("flow.stop")
    builder.add("apps.revoke")
    yield builder
    assert guest.violations == []


def _draft() -> dict[str, Any]:
    found: dict[str, Any] = Workflow.objects.get(key="hasty").draft
    return found


def _actions() -> list[str]:
    return [step["action"] for step in _draft()["steps"]]


def test_what_is_pressed_while_an_answer_is_under_way_is_done_in_its_turn(build: Builder) -> None:
    page, line = build.page, Line(build.page)
    line.hold(lambda: page.locator("#trigger-type").select_option("person.end_date"))
    condition = page.locator(CONDITIONS).get_by_role("button", name="Condition", exact=True)
    condition.click()
    page.locator("#step-stop-down").click()
    page.locator("#add-step").click()
    page.locator('#add-dialog [data-kind="message.send"]').click()
    line.let_go()
    expect(page.locator("#step-message")).to_be_visible()
    expect(page.locator("#only-if-conditions-row-0-field")).to_be_visible()
    expect(page.locator("#trigger-type")).to_have_value("person.end_date")
    assert _actions() == ["apps.revoke", "flow.stop", "message.send"]
    assert _draft()["trigger"]["type"] == "person.end_date"

    # Undo by its button, and by the keyboard, while a change is still on its way.
    line.hold(lambda: page.locator("#trigger-type").select_option("person.birthday"))
    page.locator("#designer-undo").click()
    page.keyboard.press("Control+z")
    line.let_go()
    expect(page.locator("#step-message")).to_have_count(0)
    expect(page.locator("#trigger-type")).to_have_value("person.end_date")
    assert _actions() == ["apps.revoke", "flow.stop"]


def test_what_is_chosen_while_its_card_is_drawn_anew_is_kept_and_asked_for(build: Builder) -> None:
    page, line = build.page, Line(build.page)
    build.press("Condition", within=CONDITIONS)
    field = page.locator("#only-if-conditions-row-0-field")
    line.hold(lambda: field.select_option("person.country"))
    field.select_option("person.worker_type")
    line.let_go()
    # The input of the second choice appears, though the first answer drew the first.
    value = page.locator("#only-if-conditions-row-0-value")
    expect(value.locator("option[value=contractor]")).to_have_count(1)
    expect(field).to_have_value("person.worker_type")

    # Somebody who types elsewhere when the answer comes goes on typing there.
    condition = page.locator(CONDITIONS).get_by_role("button", name="Condition", exact=True)
    line.hold(condition.click)
    about = page.locator("#about-about-category")
    about.click()
    page.keyboard.type("Jo")
    line.let_go()
    expect(page.locator("#only-if-conditions-row-1-field")).to_be_visible()
    expect(page.locator("#designer-said")).not_to_be_empty()
    with page.expect_response(saved_with(f"{about.get_attribute('name')}=Joy&")):
        page.keyboard.type("y")
        page.clock.fast_forward(PAUSE)
    expect(about).to_have_value("Joy")
    expect(about).to_be_focused()


def test_a_button_that_only_has_the_focus_is_not_pressed_by_what_saves_itself(
    build: Builder,
) -> None:
    page = build.page
    build.press("Do this step only for some people", within="#step-stop")
    box = page.locator("#step-stop-params-reason")
    box.fill("They left")
    page.locator("#step-stop-down").focus()
    with page.expect_response(saved_with("=They left&")) as saved:
        page.clock.fast_forward(PAUSE)
    assert saved.value.url.endswith("/edit/save/")
    expect(page.locator("#designer-saved")).to_contain_text("Saved")
    assert _actions() == ["flow.stop", "apps.revoke"]
    assert _draft()["steps"][0]["params"]["reason"] == "They left"


def test_a_link_waits_for_what_was_typed_just_before(build: Builder) -> None:
    page, line = build.page, Line(build.page)
    page.locator("#step-stop-params-reason").fill("At the last moment")
    line.hold(page.get_by_role("link", name="Test with a person").click)
    assert page.url.endswith("/edit/")
    line.let_go()
    page.wait_for_url("**/test/")
    assert _draft()["steps"][0]["params"]["reason"] == "At the last moment"


def test_the_last_of_two_choices_says_who_is_asked(visitor: Any, company: Company) -> None:
    guest = visitor("hr")
    page = guest.open("/policies/by-entity/")
    line = Line(page, "**/policy-approver/**")
    kind = page.locator('[name="baseline.type"]')
    line.hold(lambda: kind.select_option("person"))
    kind.select_option("role")
    line.let_go()
    expect(page.locator('[name="baseline.name"]')).to_be_visible()
    expect(page.locator('[name="baseline.type"]')).to_have_value("role")


def test_a_page_that_follows_a_sync_leaves_what_is_being_typed(
    visitor: Any, company: Company
) -> None:
    sync = SyncRun.objects.create(
        connection=Connection.objects.get(key="remote"), started_at=clock.now(), status="running"
    )
    guest = visitor("hr")
    page = guest.open("/settings/integrations/remote/")
    hours = page.get_by_label("Every", exact=True)
    hours.fill("12")
    SyncRun.objects.filter(pk=sync.pk).update(status="applied", finished_at=clock.now())
    expect(page.get_by_text("It is done. This page follows once")).to_be_visible()
    expect(hours).to_have_value("12")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#live")).to_have_count(0)
    assert workspace_get().sync_every_hours == 12
    assert guest.violations == []
