"""Starting a live workflow for chosen people from the browser."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from people.models import Person
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Run, Workflow

pytestmark = pytest.mark.django_db
URL = "/workflows/offboarding/start/"


@pytest.fixture
def company() -> Company:
    made = small_company()
    # The company's document is for contractors in France or Spain.
    Person.objects.filter(pk=made.people["report"].pk).update(worker_type="contractor")
    return made


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


def _started() -> set[str]:
    rows = Run.objects.filter(trigger="manual").values_list("person__work_email", flat=True)
    return set(rows)


def test_first_it_is_shown_who_matches_and_nothing_starts(hr: Client) -> None:
    assert URL in hr.get(reverse("workflow", args=["offboarding"])).content.decode()
    answer = hr.post(URL, {"people": "report@acme.test\nManager Example", "do": "look"})
    judged = {row.person.work_email: row for row in answer.context["judged"]}
    assert judged["report@acme.test"].matched
    assert not judged["manager@acme.test"].matched
    assert "Worker type is Direct Employee" in answer.content.decode()
    assert _started() == set()


def test_then_exactly_those_who_match_start(hr: Client) -> None:
    answer = hr.post(
        URL, {"people": "report@acme.test\nmanager@acme.test", "do": "start"}, follow=True
    )
    assert "1 run of Offboarding began" in answer.content.decode()
    assert _started() == {"report@acme.test"}
    assert Run.objects.get(trigger="manual").started_by == "hr"


def test_a_line_that_names_nobody_stops_everything(hr: Client) -> None:
    answer = hr.post(URL, {"people": "report@acme.test\nZed", "do": "start"})
    assert answer.status_code == 422
    assert "<li>Zed</li>" in answer.content.decode()
    assert _started() == set()


def test_what_is_not_live_is_not_started(hr: Client) -> None:
    Workflow.objects.update(status="paused")
    answer = hr.post(URL, {"people": "report@acme.test", "do": "start"}, follow=True)
    assert "Only a live workflow can be started" in answer.content.decode()
    assert _started() == set()
