"""The list of 20,000 people and one person's page, as HR and a manager use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from people.folding import search_text
from people.models import LegalEntity, Person, PersonChange, Team
from siit_remote.lib import clock
from siit_remote.tests.browser.kept import Kept
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company

pytestmark = pytest.mark.browser
MANY = 20_000
LIST = "/admin/people/person/"


@pytest.fixture
def crowd(company: Company, kept: Kept) -> Company:
    """Twenty thousand made-up people beside the small company."""
    return kept.put("crowd", lambda: _crowd(company))


def _crowd(company: Company) -> Company:
    now = clock.now()
    teams = [Team.objects.create(name=f"Team {number}") for number in range(12)]
    entity = LegalEntity.objects.get(name="Acme SAS")
    rows = []
    for number in range(MANY):
        name = f"{('Ána', 'Bo', 'Carla')[number % 3]} {('Lopez', 'Berg')[number % 2]} {number:05}"
        email = f"p{number}@acme.test"
        rows.append(
            Person(
                work_email=email,
                full_name=name,
                search_text=search_text([name, email]),
                country=("FRA", "DEU", "JPN")[number % 3],
                worker_type=("contractor", "eor_employee")[number % 2],
                status=("active", "active", "offboarding", "hired", "ended")[number % 5],
                team=teams[number % 12],
                legal_entity=entity,
                manager=company.people["manager"] if number < 40 else None,
                problems=["no_manager"] if number % 10 == 0 else [],
                start_date=now.date() - timedelta(days=number % 900),
                created_at=now,
                updated_at=now,
            )
        )
    Person.objects.bulk_create(rows, batch_size=1_000)
    PersonChange.objects.create(
        person=Person.objects.get(work_email="p1@acme.test"), field="job_title", before="",
        after="Engineer", source="remote", at=now,
    )  # fmt: skip
    return company


@pytest.mark.parametrize("width", [1440, 390])
def test_hr_finds_somebody_among_twenty_thousand(width: int, visitor: Any, crowd: Company) -> None:
    guest = visitor("hr", width=width)
    page = guest.open("/people/")
    found = faults(page)
    expect(page.locator(".tabs").get_by_text("Current staff")).to_be_visible()
    page.get_by_role("searchbox").fill("lopez ana 00006")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=lopez**")
    expect(page.get_by_text("1 person", exact=False).first).to_be_visible()
    found += faults(page)
    guest.open(f"{LIST}?tab=all")
    page.locator("summary", has_text="Worker type").click()
    page.locator("details[open] a", has_text="Contractor").click()
    page.wait_for_url("**type=contractor**")
    page.locator(".more-filters > summary").click()
    page.locator("summary", has_text="Start date").click()
    page.locator("#filter-start_from").fill("2024-01-01")
    page.locator("details[open] form button", has_text="Apply").locator("visible=true").click()
    page.wait_for_url("**start_from=2024-01-01**")
    found += faults(page)
    page.locator("summary", has_text="Save view").click()
    page.locator("#view-name").fill("Contractors since 2024")
    page.get_by_role("button", name="Save as a tab").click()
    page.wait_for_url("**view=**")
    expect(page.locator(".tabs [aria-current=page]")).to_contain_text("Contractors since")
    found += faults(page)
    person = Person.objects.get(work_email="p1@acme.test")
    for query in ("", "?tab=timeline", "?tab=workflows", "?tab=sources", "?as_of=2020-01-01"):
        found += faults(guest.open(f"/people/{person.pk}/{query}"))
    found += faults(guest.open("/people/problems/"))
    found += faults(guest.open(f"/people/{person.pk}/merge/?q=bo+berg+00007"))
    assert found == []
    assert guest.violations == []


@pytest.mark.parametrize("width", [1440, 390])
def test_several_people_are_protected_from_the_list(
    width: int, visitor: Any, crowd: Company
) -> None:
    guest = visitor("hr", width=width)
    page = guest.open(f"{LIST}?tab=all&q=berg+ana")
    boxes = page.locator("tbody td.action-checkbox input")
    boxes.nth(0).check()
    boxes.nth(2).check()
    expect(page.get_by_text("2 of 25 selected")).to_be_visible()
    found = faults(page)
    page.mouse.wheel(0, 900)
    action = page.locator("#changelist .actions select")
    expect(action).to_be_visible()
    size = action.bounding_box()
    assert size is not None
    assert size["height"] >= (40 if width < 500 else 30)
    action.select_option(label="Protect from automation…")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("heading", name="Protect from automation").wait_for()
    found += faults(page)
    page.get_by_label("Reason").fill("They run the works council.")
    page.get_by_role("button", name="Protect from automation · 2 people").click()
    page.get_by_text("2 people changed.").wait_for()
    found += faults(page)
    page.locator("#action-toggle").check()
    expect(page.get_by_text("25 of 25 selected")).to_be_visible()
    assert Person.objects.filter(protected=True, full_name__contains="Berg").count() == 2
    assert found == []
    assert guest.violations == []


@pytest.mark.parametrize("width", [1440, 390])
def test_manager_sees_own_tree_only(width: int, visitor: Any, crowd: Company) -> None:
    guest = visitor("manager", width=width)
    page = guest.open("/people/")
    found = faults(page)
    page.get_by_role("searchbox").fill("p7@acme.test")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**q=p7**")
    expect(page.locator(".person-name")).to_have_count(1)
    page.locator(".person-name").click()
    page.wait_for_url("**/people/*/")
    expect(page.get_by_role("link", name="Timeline")).to_have_count(0)
    found += faults(page)
    assert found == []
    assert guest.violations == []
