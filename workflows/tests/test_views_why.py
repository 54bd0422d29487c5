"""The page that answers why, and for whom it answers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.document import load_document
from workflows.services import workflow_import
from workflows.views.why import moment_asked

DOCUMENT = """
format: siit.workflow/1
key: birthday
name: Birthday card
owner: hr@acme.test
trigger: {type: person.end_date, params: {direction: same_day, days: 0, at: "18:00"}}
conditions:
  combinator: and
  rules:
    - {field: person.date_of_birth, operator: before, value: 1980-01-01}
steps:
  - {key: hi, action: task.create, params: {title: Write a card, role: it}}
"""


@pytest.fixture
def company(db: None) -> Company:
    """With a workflow that looks at a private field."""
    made = small_company()
    now = clock.now()
    workflow_import(load_document(DOCUMENT), publish=True, now=now)
    person = made.people["report"]
    person.date_of_birth = date(1990, 5, 17)
    person.end_date = now.date() + timedelta(days=9)
    person.value_sources = {"date_of_birth": "remote"}
    person.save()
    return made


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _page(company: Company, who: str, query: str) -> str:
    response = _as(company, who).get(f"/workflows/birthday/why/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_why_page_shows_the_ladder_the_value_and_its_source(company: Company) -> None:
    html = _page(company, "hr", "?person=report@acme.test")
    assert "It does not run: Date of birth is 17 May 1990" in html
    assert "Workflow is live" in html
    assert ">remote</span>" in html
    assert f'value="{company.people["report"].work_email}"' in html


def test_why_page_hides_private_values_from_who_may_not_see_them(company: Company) -> None:
    html = _page(company, "it", f"?person={company.people['report'].pk}")
    assert "1990" not in html
    assert "Date of birth is hidden from your role" in html


def test_why_page_finds_people_by_part_of_a_name(company: Company) -> None:
    company.people["report"].search_text = "report example"
    company.people["report"].save()
    html = _page(company, "hr", "?person=repo")
    assert "/workflows/birthday/why/?person=report%40acme.test" in html
    assert "Nobody found" in _page(company, "hr", "?person=zzz")
    assert "About whom?" in _page(company, "hr", "")


def test_why_page_says_what_is_wrong_with_a_date(company: Company) -> None:
    html = _page(company, "hr", "?person=report@acme.test&at=soon")
    assert "Write it as 2026-05-03" in html
    assert "as it is now" in html


def test_why_page_of_an_unknown_person_is_not_found(company: Company) -> None:
    client = _as(company, "hr")
    for query in ("nobody@acme.test", "999999", "9" * 30):
        response = client.get("/workflows/birthday/why/", {"person": query})
        assert response.status_code in (200, 404)
        assert b"Every check" not in response.content


def test_moment_asked_reads_days_and_moments_in_the_zone_of_the_person() -> None:
    now = clock.now()
    today = now.date()
    assert moment_asked(today.isoformat(), "UTC", now=now) == (now, today)
    found = moment_asked("2026-05-03", "Asia/Tokyo", now=now)
    assert found is not None
    assert found[0].isoformat() == "2026-05-03T14:59:59+00:00"
    assert moment_asked("2026-05-03T18:00", "Asia/Tokyo", now=now) == (
        found[0].replace(hour=9, minute=0, second=0),
        date(2026, 5, 3),
    )
    for text in ("", "soon", "2026-13-01", "0001-01-01", "9999-12-31", "2026-05-03T99:00"):
        assert moment_asked(text, "UTC", now=now) is None
