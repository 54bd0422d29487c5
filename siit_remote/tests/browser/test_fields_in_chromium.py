"""An HR admin decides which source is right, sees whom it concerns, and saves exactly that."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from integrations.models import Connection
from people.models import FieldPolicy, Person
from people.records import WorkerRecord
from people.tests.build import feed, worker
from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company

pytestmark = pytest.mark.browser


@pytest.fixture
def two_sources(company: Company) -> None:
    """Everybody is known to Remote and to Okta, which disagree on one title."""
    Connection.objects.create(
        key="idp", connector="scim", name="Okta", status="ready", config={"people": "yes"},
        created_at=clock.now(),
    )  # fmt: skip
    people = {"wanda": ("Engineer", "Developer"), "yuri": ("Clerk", "Clerk")}
    feed([worker(f"r-{name}", name, job_title=title) for name, (title, _) in people.items()])
    feed(
        [
            WorkerRecord(
                source="idp",
                external_id=f"i-{name}",
                account=True,
                work_email=f"{name}@acme.test",
                full_name=name.title(),
                job_title=title,
            )
            for name, (_, title) in people.items()
        ],
        now=clock.now(),
    )


@pytest.mark.usefixtures("two_sources")
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_source_of_truth_is_changed_with_a_preview(width: int, theme: str, visitor: Any) -> None:
    guest = visitor("hr", width=width, theme=theme)
    page = guest.open("/settings/fields/")
    assert faults(page) == []
    expect(page.get_by_role("link", name="1 person")).to_be_visible()
    page.get_by_label("Source of truth: Job title").select_option(label="Okta first")
    page.get_by_role("button", name="Preview changes").click()
    page.wait_for_url("**/preview/*/")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 person would change")
    expect(page.get_by_text("Developer")).to_be_visible()
    assert faults(page) == []
    assert not FieldPolicy.objects.exists()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/settings/fields/")
    expect(page.get_by_text("Saved. 1 person changed.")).to_be_visible()
    person = Person.objects.get(work_email="wanda@acme.test")
    assert (person.job_title, person.value_sources["job_title"]) == ("Developer", "idp")
    assert guest.violations == []


@pytest.mark.usefixtures("two_sources")
def test_it_all_works_without_script_by_keyboard(
    browser: Any, live_server: Any, visitor: Any
) -> None:
    guest = visitor("hr")
    context = browser.new_context(
        java_script_enabled=False, storage_state=guest.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/settings/fields/job_title/")
    page.get_by_label("First").select_option(label="Okta")
    page.get_by_label("HR admin").check()
    page.get_by_role("button", name="Preview changes").press("Enter")
    page.wait_for_url("**/preview/*/")
    page.get_by_role("button", name="Save").press("Enter")
    page.wait_for_url("**/settings/fields/")
    assert FieldPolicy.objects.get().visible_to == ["HR admin"]
    context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_value_is_set_by_hand_and_taken_back(width: int, visitor: Any, company: Company) -> None:
    guest = visitor("hr", width=width)
    pk = company.people["report"].pk
    page = guest.open(f"/people/{pk}/override/")
    page.get_by_label("Field").select_option(label="End date")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/override/end_date/")
    assert faults(page) == []
    page.get_by_label("End date").fill("2027-03-31")
    page.get_by_label("Reason").fill("Agreed on the phone")
    page.get_by_role("button", name="Set by hand").click()
    page.wait_for_url("**/override/")
    expect(page.get_by_text("31 Mar 2027")).to_be_visible()
    assert faults(page) == []
    with page.expect_navigation():
        page.get_by_role("button", name="Take back End date").click()
    expect(page.get_by_text("31 Mar 2027")).not_to_be_visible()
    assert Person.objects.get(pk=pk).end_date is None


def test_own_field_is_made_on_a_phone(visitor: Any, company: Company) -> None:
    guest = visitor("hr", width=390)
    page = guest.open("/settings/fields/custom/new/")
    page.get_by_label("Name").fill("Badge number")
    page.get_by_label("Kind of value").select_option(label="Number")
    page.get_by_role("button", name="Make the field").click()
    page.wait_for_url("**/settings/fields/custom/")
    expect(page.get_by_text("custom.badge_number")).to_be_visible()
    assert faults(page) == []
