"""An HR admin connects Remote in Chromium, against the simulated Remote over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django_q.models import OrmQ
from playwright.sync_api import expect

from integrations.models import Connection, SyncRun
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.tests.worker import work
from people.models import Person
from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company

pytestmark = pytest.mark.browser
TOKEN = "ra_test_journey"
SIZES = [(1440, "light"), (390, "dark")]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    company = build_company(40, 1, clock.now().date(), "acme.example")
    with Simulator(company, token=TOKEN) as running:
        yield running


@pytest.fixture
def empty(company: Company) -> Company:
    """Nothing is connected yet."""
    Connection.objects.all().delete()
    OrmQ.objects.all().delete()
    return company


def _token(page: Any, simulator: Simulator, token: str) -> None:
    page.get_by_label("API token").fill(token)
    page.get_by_label("Address of the API").fill(simulator.base_url)
    with page.expect_navigation():
        page.get_by_role("button", name="Authorize").click()


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_connecting_changing_the_mapping_and_releasing_a_held_sync(
    width: int, theme: str, visitor: Any, empty: Company, simulator: Simulator
) -> None:
    guest = visitor("hr", width=width, theme=theme)
    problems: list[str] = []

    def look(page: Any) -> None:
        problems.extend(faults(page))

    page = guest.open("/settings/integrations/")
    page.get_by_label("Search integrations").press_sequentially("remote")
    page.get_by_role("heading", name="Slack").wait_for(state="detached")
    look(page)
    page.get_by_role("link", name="Connect Remote").click()
    look(page)

    # A wrong token first: what it says, and what to do.
    _token(page, simulator, "ra_test_wrong")
    expect(page.get_by_text("Unauthorized", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="What to do")).to_be_visible()
    look(page)
    _token(page, simulator, TOKEN)
    expect(page.get_by_text("Waiting for the background worker")).to_be_visible()
    look(page)

    # The page follows the worker by itself.
    work(only="integrations")
    page.get_by_role("button", name="Finish setup").first.wait_for()
    expect(page.get_by_text("Authorized: Acme")).to_be_visible()
    look(page)
    page.get_by_label("Add an employment type").fill("Partner")
    page.get_by_role("button", name="Update the review").click()
    page.get_by_label("Employment type of Other").select_option(label="Partner")
    with page.expect_navigation():
        page.get_by_role("button", name="Update the review").click()
    before = Person.objects.count()

    # Left and resumed: another window finds the review where it stood.
    page = guest.open("/settings/integrations/")
    page.get_by_role("link", name="Continue setup").click()
    # At the end of the review as well: the same form, sent once.
    page.get_by_role("button", name="Finish setup").last.click()
    page.get_by_role("heading", name="Importing").wait_for()
    assert Person.objects.count() == before
    work(only="integrations")
    page.get_by_text("The set-up is finished").wait_for()
    look(page)
    assert Person.objects.filter(worker_type="other", employment_type="partner").exists()
    connection = Connection.objects.get()
    base = f"/settings/integrations/{connection.key}/"

    # The mapping again: preview, then everybody.
    page = guest.open(f"{base}mapping/")
    look(page)
    page.get_by_label("Employment type of Other").select_option(label="Contractor")
    page.get_by_role("button", name="Preview who changes").click()
    page.get_by_text("would change").wait_for()
    look(page)
    page.get_by_role("button", name="Apply to everybody").click()
    page.get_by_text("The mapping is saved").wait_for()
    assert not Person.objects.filter(employment_type="partner").exists()

    # Too many leave at once: held, looked at, released with a reason.
    leaving = list(Person.objects.filter(status="active", remote_id__gt="")[:9])
    for person in leaving:
        simulator.archive(person.remote_id)
    page = guest.open(base)
    page.get_by_role("button", name="Sync now").click()
    page.get_by_text("A sync is asked for").wait_for()
    look(page)
    work(only="integrations.tasks.sync_one")
    page.get_by_role("link", name="See whom it would change").click()
    for person in leaving:
        expect(page.locator("#held").get_by_text(person.work_email)).to_be_visible()
    look(page)
    page.get_by_label("Why is it right").fill("The team moved to the new company.")
    page.get_by_role("button", name="Apply to exactly these people").click()
    page.get_by_text("The held sync is applied").wait_for()
    look(page)
    assert connection.syncs.first().status == SyncRun.Status.APPLIED
    assert not Person.objects.filter(
        pk__in=[person.pk for person in leaving], status="active"
    ).exists()
    # Two of the list are read again, and the page tells of each what came of it.
    page = guest.open("/admin/people/person/?q=acme.example")
    boxes = page.locator("tbody td.action-checkbox input")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.locator("#changelist .actions select").select_option(label="Sync again from their source")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("heading", name="Selected people are read again soon").wait_for()
    look(page)
    work(only="integrations.tasks.reread_one")
    page.get_by_text("As it was.").first.wait_for()
    expect(page.get_by_text("As it was.")).to_have_count(2)
    look(page)
    assert problems == []
    # The refused token is the one answer that is not a success.
    assert guest.violations == []


def test_the_wizard_goes_without_script(
    browser: Any, live_server: Any, visitor: Any, empty: Company, simulator: Simulator
) -> None:
    guest = visitor("hr")
    context = browser.new_context(
        java_script_enabled=False, storage_state=guest.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/settings/integrations/connect/remote/")
    _token(page, simulator, TOKEN)
    work(only="integrations")
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Finish setup").first.click()
    work(only="integrations")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("The set-up is finished")).to_be_visible()
    page.goto(f"{live_server.url}/settings/integrations/?q=slack")
    expect(page.get_by_role("heading", name="Slack")).to_be_visible()
    expect(page.get_by_role("heading", name="Mail")).to_have_count(0)
    context.close()
