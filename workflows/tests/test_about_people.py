"""What the engine tells on a person's page."""

from __future__ import annotations

import pytest
from django.test import Client

from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.about_people import RUNS, answers_for
from workflows.models import Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return small_company()


def test_runs_stand_on_the_timeline_for_who_may_see_them(company: Company) -> None:
    person = company.people["report"]
    rows = RUNS.rows(person, company.users["it"], 10)
    assert [(row.title, row.chip) for row in rows] == [("Offboarding", ("held", "Held"))]
    assert RUNS.rows(person, company.users["manager"], 10) == []
    client = Client()
    client.force_login(company.users["it"])
    html = client.get(f"/people/{person.pk}/?tab=timeline&kind=runs").content.decode()
    assert "Offboarding" in html


def test_unreadable_workflow_is_told_not_raised(company: Company) -> None:
    answers = answers_for(company.people["report"], now=clock.now())
    assert [answer.workflow.key for answer in answers] == ["offboarding"]
    assert answers[0].why
    Workflow.objects.update(status=Workflow.Status.ARCHIVED)
    assert answers_for(company.people["report"], now=clock.now()) == []


def test_workflow_on_request_waits_and_is_not_said_never_to_run(company: Company) -> None:
    row = Workflow.objects.get(key="offboarding")
    document = {
        "format": "siit.workflow/1",
        "key": "laptop",
        "name": "Laptop",
        "trigger": {"type": "request.submitted", "params": {"service": "laptop"}},
        "conditions": {
            "combinator": "and",
            "rules": [{"field": "request.service", "operator": "is", "value": "laptop"}],
        },
        "steps": [{"key": "tell", "action": "task.create", "params": {"title": "T", "role": "it"}}],
    }
    now = clock.now()
    made = Workflow.objects.create(
        key="laptop", name="Laptop", status="live", draft=document, draft_saved_at=now,
        created_at=now, live_since=now,
    )  # fmt: skip
    made.live_version = WorkflowVersion.objects.create(
        workflow=made, number=1, document=document, digest="l", published_at=now
    )
    made.save()
    answers = {one.workflow.key: one for one in answers_for(company.people["report"], now=now)}
    assert (answers["laptop"].result, answers["laptop"].words) == ("waits", "When it happens")
    assert answers["laptop"].why == "Starts when a request for “laptop” is submitted."
    assert answers[row.key].result != "waits"
