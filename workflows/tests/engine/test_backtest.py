"""A backtest finds what the engine really did, over changes, newcomers and late dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.models import Person, PersonChange
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import small_company
from siit_remote.tests.share import share
from workflows.engine.backtest import backtest, would_have_run
from workflows.engine.service import run_due
from workflows.engine.world import planned_draft, planned_version
from workflows.models import Run, Workflow
from workflows.tests.engine.conftest import DUE, END, T0
from workflows.tests.engine.simulation import (
    T0 as BEGIN,
)
from workflows.tests.engine.simulation import (
    Company,
    company_make,
    limits_lift,
    something_happens,
)
from workflows.tests.engine.test_what_is_shown_happens import _empty

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def month_agrees(company: Company, *, steps: int) -> int:
    """Live for a month, with a pass right before and right after whatever happens."""
    limits_lift()
    now = BEGIN
    run_due(now=now)
    for _ in range(steps):
        now += timedelta(hours=company.dice.randint(1, 40))
        run_due(now=now - SECOND)
        for _ in range(company.dice.randint(1, 3)):
            something_happens(company, at=now)
        run_due(now=now)
    total = 0
    for workflow in Workflow.objects.select_related("live_version__workflow"):
        assert workflow.live_version is not None
        if workflow.key in company.relative:
            continue  # its answer depends on the day of the pass
        found = would_have_run(planned_version(workflow.live_version), since=BEGIN, now=now)
        ran = Run.objects.filter(workflow=workflow).exclude(status__in=["held", "superseded"])
        ran = ran.exclude(status="cancelled", started_at=None)
        assert {(item.person_id, item.anchor) for item in found} == set(
            ran.values_list("person_id", "anchor")
        ), workflow.key
        total += len(found)
    return total


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_backtest_is_what_the_engine_did(seed: int) -> None:
    month_agrees(company_make(seed, people=14, workflows=8), steps=12)


@pytest.mark.slow
@settings(
    max_examples=share(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(10, 10**9))
def test_backtest_is_what_the_engine_did_for_many(seed: int) -> None:
    _empty()
    month_agrees(company_make(seed, people=60, workflows=10), steps=10)


def test_difference_is_by_name_and_leaves_out_what_was_before_going_live(
    person_make: Any, workflow_make: Any
) -> None:
    for name, kind in (("ana", "contractor"), ("bob", "eor_employee")):
        person_make(name, end_date=END, worker_type=kind)
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    workflow = workflow_make(conditions={"combinator": "and", "rules": [rule]})
    run_due(now=DUE)
    rule = {"field": "person.worker_type", "operator": "is", "value": "eor_employee"}
    workflow.draft = {**workflow.draft, "conditions": {"combinator": "and", "rules": [rule]}}
    workflow.save()
    now = DUE + timedelta(days=5)
    # Changed since: the backtest must not see it.
    PersonChange.objects.create(
        person=Person.objects.get(work_email="bob@acme.test"), field="worker_type",
        before="eor_employee", after="contractor", source="remote", at=now - SECOND,
    )  # fmt: skip
    Person.objects.filter(work_email="bob@acme.test").update(worker_type="contractor")
    found = backtest(workflow, planned_draft(workflow, now=now), now=now)
    assert [item.person for item in found.only_would] == ["Bob"]
    assert [item.person for item in found.only_ran] == ["Ana"]
    assert found.both == 0
    assert found.compared_since == T0
    Workflow.objects.update(live_since=None)
    workflow.refresh_from_db()
    fresh = backtest(workflow, planned_draft(workflow, now=now), now=now)
    assert (len(fresh.would), fresh.only_would) == (1, ())


def test_backtest_page_is_a_part_for_htmx_and_whole_without(workflow_make: Any) -> None:
    company = small_company()
    workflow_make("leaving")
    now = clock.now()
    person = company.people["report"]
    person.end_date = date(now.year, now.month, now.day) - timedelta(days=9)
    person.known_at = {"end_date": (now - timedelta(days=30)).isoformat()}
    person.created_at = now - timedelta(days=60)
    person.save()
    client = Client()
    client.force_login(company.users["hr"])
    whole = client.get("/workflows/leaving/backtest/").content.decode()
    part = client.get("/workflows/leaving/backtest/", headers={"HX-Request": "true"})
    assert "<h1>Backtest</h1>" in whole
    assert "<h1>" not in part.content.decode()
    assert "Report Example" in part.content.decode()
