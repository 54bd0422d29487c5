"""A backtest finds what the engine really did, over changes, newcomers and late dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.models import Person, PersonChange, Workspace
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
from workflows.timing import moment_of

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


def _limited(workflow_make: Any, **limits: Any) -> Workflow:
    trigger = {"type": "person.probation_end", "params": {"at": "09:00"}}
    made: Workflow = workflow_make(trigger=trigger, **limits)
    return made


def _ledger(workflow: Workflow) -> dict[tuple[int, str], str]:
    """Person and anchor → why the engine held it before anything began, else blank."""
    rows = Run.objects.filter(workflow=workflow).select_related("hold")
    return {(run.person_id, run.anchor): run.hold.reason if run.hold else "" for run in rows}


def _foretold(workflow: Workflow, *, now: Any) -> dict[tuple[int, str], str]:
    found = backtest(workflow, planned_version(workflow.live_version), now=now)
    return {row.slot: row.held for row in (*found.would, *found.held)}


@pytest.mark.slow
@settings(
    max_examples=share(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    days=st.lists(st.integers(1, 25), min_size=1, max_size=25),
    people=st.integers(1, 5),
    percent=st.integers(4, 100),
    floor=st.integers(1, 5),
    hold_days=st.integers(1, 9),
)
def test_backtest_holds_what_the_engine_held_with_the_same_words(
    person_make: Any, workflow_make: Any, days: list[int], people: int, percent: int, floor: int,
    hold_days: int,
) -> None:  # fmt: skip
    _empty()
    _holds_alike(
        person_make, workflow_make, days=days, people=people, percent=percent, floor=floor,
        hold_days=hold_days,
    )  # fmt: skip


def test_backtest_holds_a_crowd_and_a_slow_leak_as_the_engine_did(
    person_make: Any, workflow_make: Any
) -> None:
    days = [1, 1, 1, 1, 3, 4, 5, 5, 6, 7, 12]
    reasons = _holds_alike(
        person_make, workflow_make, days=days, people=3, percent=100, floor=3, hold_days=7
    )
    assert any("24 hours" in why for why in reasons)
    assert any("7 days" in why for why in reasons)
    assert "" in reasons


def _holds_alike(
    person_make: Any, workflow_make: Any, *, days: list[int], people: int, percent: int,
    floor: int, hold_days: int,
) -> set[str]:  # fmt: skip
    Workspace.objects.update_or_create(
        pk=1,
        defaults={
            "workflow_limit_people": people, "workflow_limit_percent": percent,
            "limit_floor": floor, "hold_days": hold_days,
        },
    )  # fmt: skip
    for number, day in enumerate(days):
        person_make(f"p{number}", probation_end_date=T0.date() + timedelta(days=day))
    workflow = _limited(workflow_make)
    other = _limited(lambda **document: workflow_make("other", **document))
    now = T0
    # Every day, as the schedule looks every minute: a list ends when its time is over.
    for day in range(min(days), max(days) + 1):
        now = moment_of(T0.date(), offset_days=day, at="09:00", timezone="Europe/Paris") or now
        run_due(now=now)
    now += timedelta(minutes=5)
    for one in (workflow, other):
        assert _foretold(one, now=now) == _ledger(one)
    return set(_ledger(workflow).values())


def test_late_dates_are_held_or_passed_over_as_the_workflow_says(
    person_make: Any, workflow_make: Any
) -> None:
    person_make("ana", end_date=END)
    now = DUE + timedelta(days=2)
    for policy, where in (("ask", "held"), ("skip", "skipped"), ("run", "would")):
        late = {"policy": policy, "within_days": 3}
        workflow = workflow_make(
            policy, trigger={"type": "person.end_date", "params": {"at": "09:00", "late": late}}
        )
        Person.objects.update(known_at={"end_date": (DUE + timedelta(days=1)).isoformat()})
        PersonChange.objects.all().delete()
        PersonChange.objects.create(
            person=Person.objects.get(), field="end_date", before=None, after=END.isoformat(),
            source="remote", at=DUE + timedelta(days=1),
        )  # fmt: skip
        found = backtest(workflow, planned_version(workflow.live_version), now=now)
        names = {kind: [row.person for row in getattr(found, kind)]
                 for kind in ("would", "held", "skipped")}  # fmt: skip
        assert names == {"would": [], "held": [], "skipped": [], where: ["Ana"]}
    held = backtest(
        Workflow.objects.get(key="ask"),
        planned_version(Workflow.objects.get(key="ask").live_version),
        now=now,
    ).held
    assert held[0].held == "Its date became known after its own moment."


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
    Workspace.objects.update(workflow_limit_people=0)
    held = client.get("/workflows/leaving/backtest/").content.decode()
    assert "It would have started <strong>0</strong> runs" in held
    assert "Held until somebody decides (1)" in held
    assert "1 person within 24 hours; the limit is 0." in held
