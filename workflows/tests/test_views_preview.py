"""The page that shows who a workflow runs for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from people.models import Person
from siit_remote.bench.stopwatch import written_table
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.conditions.nearness import nearness
from workflows.conditions.tree import Group, Rule
from workflows.models import Run, Workflow, WorkflowVersion

CONDITIONS = {
    "combinator": "and",
    "rules": [
        {"field": "person.worker_type", "operator": "is", "value": "contractor"},
        {"field": "person.country", "operator": "is", "value": "FRA"},
    ],
}


@pytest.fixture
def company(db: None) -> Company:
    """People who match, nearly match, are far away, and cannot be told; one workflow, live."""
    made = small_company()
    now = clock.now()
    document = {
        "format": "siit.workflow/1",
        "key": "leaving",
        "name": "Leaving",
        "trigger": {
            "type": "person.end_date",
            "params": {"direction": "same_day", "days": 0, "at": "18:00"},
        },
        "conditions": CONDITIONS,
        "steps": [{"key": "hi", "action": "task.create", "params": {"title": "Say goodbye"}}],
    }
    workflow = Workflow.objects.create(
        key="leaving", name="Leaving", status="live", draft={}, draft_saved_at=now,
        created_at=now, live_since=now - timedelta(days=1),
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=document, digest="x", published_at=now
    )
    workflow.live_version = version
    workflow.draft = {**document, "conditions": {**CONDITIONS, "combinator": "or"}}
    workflow.save()
    soon = now.date() + timedelta(days=9)
    values: dict[str, dict[str, Any]] = {
        "report": {"worker_type": "contractor"},
        "manager": {"worker_type": "direct_employee"},
        "employee": {"worker_type": "direct_employee", "country": "ESP"},
        "it": {"worker_type": ""},
    }
    for name, changes in values.items():
        changes |= {"end_date": soon, "value_sources": {"worker_type": "remote"}}
        Person.objects.filter(pk=made.people[name].pk).update(**changes)
    return made


def _page(company: Company, query: str = "", who: str = "hr") -> Any:
    client = Client()
    client.force_login(company.users[who])
    response = client.get(f"/workflows/leaving/preview/{query}")
    assert response.status_code == 200
    return response


def _names(response: Any) -> list[str]:
    return [row.person.work_email.partition("@")[0] for row in response.context["rows"]]


def test_preview_page_puts_everybody_in_one_group(company: Company) -> None:
    response = _page(company)
    assert response.context["counts"] == {
        "matched": 1,
        "held": 0,
        "not_matched": Person.objects.count() - 2,
        "cannot_tell": 1,
    }
    assert _names(response) == ["report"]
    assert _names(_page(company, "?group=cannot_tell")) == ["it"]


def test_preview_page_shows_the_nearest_misses_first_with_value_and_source(
    company: Company,
) -> None:
    response = _page(company, "?group=not_matched")
    assert _names(response)[0] == "manager"
    html = response.content.decode()
    assert "Worker type is Direct Employee, wanted Contractor" in html
    assert ">remote</span>" in html
    far = [row.shown.standing.distance for row in response.context["rows"]]
    assert far == sorted(far)


def test_preview_page_of_the_draft_is_judged_by_the_draft(company: Company) -> None:
    assert "manager" in _names(_page(company, "?version=draft"))
    assert "The draft, as if it" in _page(company, "?version=draft").content.decode()


def test_preview_page_is_searched_and_paged(company: Company) -> None:
    now = clock.now()
    Person.objects.bulk_create(
        Person(
            work_email=f"n{number}@acme.test", full_name=f"Newcomer {number}",
            worker_type="contractor", country="FRA", end_date=now.date() + timedelta(days=20),
            created_at=now, updated_at=now,
        )
        for number in range(60)
    )  # fmt: skip
    first = _page(company)
    assert (len(first.context["rows"]), first.context["page"].paginator.count) == (50, 61)
    assert len(_page(company, "?page=2").context["rows"]) == 11
    assert _names(_page(company, "?q=newcomer+59")) == ["n59"]
    assert b"Nobody found" in _page(company, "?q=zzz").content
    assert len(_page(company, "?page=nonsense&group=nonsense").context["rows"]) == 50


def test_preview_page_writes_nothing(company: Company) -> None:
    _page(company)
    before = Run.objects.count()
    writes: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if written_table(sql):
            writes.append(sql)
        return execute(sql, params, many, context)

    client = Client()
    client.force_login(company.users["hr"])
    person = company.people["report"]
    with connection.execute_wrapper(count):
        for query in ("", "?group=not_matched", "?version=draft"):
            client.get(f"/workflows/leaving/preview/{query}")
        shown = client.get(f"/workflows/leaving/preview/{person.pk}/")
    assert b"Open a task" in shown.content or b"Say goodbye" in shown.content
    assert writes == []
    assert Run.objects.count() == before


def test_preview_of_a_person_hides_private_values(company: Company) -> None:
    rule = {"field": "person.date_of_birth", "operator": "before", "value": "1980-01-01"}
    document = WorkflowVersion.objects.get(workflow__key="leaving").document
    WorkflowVersion.objects.filter(workflow__key="leaving").update(
        document={**document, "conditions": {"combinator": "and", "rules": [rule]}}
    )
    Person.objects.update(date_of_birth=date(1990, 5, 17))
    assert b"17 May 1990" in _page(company, "?group=not_matched").content
    assert b"1990" not in _page(company, "?group=not_matched", who="it").content


def test_unreadable_document_is_said_and_not_shown_as_nobody(company: Company) -> None:
    Workflow.objects.filter(key="leaving").update(live_version=None, draft={"format": "x"})
    html = _page(company).content.decode()
    assert "cannot be read yet" in html
    assert "It matches nobody" not in html


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (Group("and", False, (Rule("person.country", "is", "FRA"),)), 0),
        (Group("and", True, (Rule("person.country", "is", "FRA"),)), 1),
        (
            Group(
                "or", False, (Rule("person.country", "is", "ESP"), Rule("person.team", "is_empty"))
            ),
            0,
        ),
        (
            Group(
                "and",
                False,
                (
                    Rule("person.country", "is", "ESP"),
                    Group(
                        "or",
                        False,
                        (Rule("person.team", "is", "x"), Rule("person.manager", "is", "y")),
                    ),
                ),
            ),
            2,
        ),
        (Group(), 1),
    ],
)
def test_nearness_counts_the_rules_that_stand_between(group: Group, expected: int) -> None:
    facts = {"person.country": "FRA", "person.team": "", "person.manager": "z"}
    assert nearness(group, facts, date(2026, 1, 1)) == expected
