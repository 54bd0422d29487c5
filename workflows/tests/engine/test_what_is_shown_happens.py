"""What is shown is what happens: over generated companies, workflows and uneven clocks.

A seed makes everything. One that ever failed is kept in ``KEPT`` and runs in every gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.models import Person
from siit_remote.bench.stopwatch import written_table
from siit_remote.tests.share import share
from workflows.engine.forecast import coming
from workflows.engine.outlook import preview
from workflows.engine.planner import Judgement, PlannedWorkflow
from workflows.engine.reach import load_ahead
from workflows.engine.service import run_due
from workflows.engine.standing import HELD, MATCHED, standings
from workflows.engine.starting import due_now
from workflows.engine.world import load_happenings, load_world, planned_version
from workflows.models import Hold, Run, Workflow
from workflows.tests.engine.simulation import (
    T0,
    Company,
    company_make,
    limits_lift,
    something_happens,
)

pytestmark = pytest.mark.django_db
KEPT = (1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3)))
FOUND = (4477301,)
"""Large months in which preview and pass once differed."""
Key = tuple[str, int, str]


def _planned(company: Company) -> list[PlannedWorkflow]:
    rows = Workflow.objects.select_related("live_version__workflow").order_by("pk")
    return [planned_version(row.live_version) for row in rows if row.live_version]


def _foretold(company: Company, *, now: datetime, until: datetime) -> dict[Key, Any]:
    """What the forecast made at ``now`` says will start up to ``until``."""
    days = (until - now).days + 2
    planned = _planned(company)
    found = coming(planned, load_ahead(planned, now=now, days=days), now=now, days=days)
    whole = coming(planned, load_world(happenings=load_happenings()), now=now, days=days)
    # Whom it does not load has nothing to come, and what it does not read decides nothing.
    assert [_same(judged) for judged in found] == [_same(judged) for judged in whole]
    return {
        (judged.workflow.key, judged.person.id, judged.occurrence.anchor): judged
        for judged in found
        if judged.occurrence.due_at <= until
    }


def _same(judged: Judgement) -> tuple[Any, ...]:
    return judged.key, judged.occurrence, judged.verdict, judged.reason, judged.late


def _on_its_day(judged: Any, until: datetime) -> bool:
    """Whether today is still the day it was due on, where the person is."""
    zone = ZoneInfo(judged.occurrence.timezone)
    return bool(until.astimezone(zone).date() == judged.occurrence.due_at.astimezone(zone).date())


def _started(since: set[int]) -> dict[Key, Run]:
    runs = Run.objects.exclude(pk__in=since).select_related("workflow")
    return {(run.workflow.key, run.person_id, run.anchor): run for run in runs}


def forecast_month(company: Company, *, steps: int) -> int:
    """Advance the clock in uneven steps; what the last forecast said must start, and nothing else.

    Things happen only between a pass and the next forecast. Returns how many runs there were.
    """
    limits_lift()
    now, seen = T0, 0
    run_due(now=now)
    for _ in range(steps):
        until = now + timedelta(minutes=company.dice.choice([1, 47, 300, 1_440, 2_600]))
        foretold = _foretold(company, now=now, until=until)
        before = set(Run.objects.values_list("pk", flat=True))
        run_due(now=until)
        started = _started(before)
        for key in foretold.keys() ^ started.keys():
            judged = foretold.get(key)
            # Where the answer depends on today, a pass on another day may differ.
            late = judged is None or not _on_its_day(judged, until)
            assert key[0] in company.relative and late, (key, judged, started.get(key))
        seen += len(started)
        now = until
        for _ in range(company.dice.randint(0, 3)):
            something_happens(company, at=now)
        # What has happened starts its own runs at once; they are no part of a forecast.
        run_due(now=now)
    return seen


def preview_month(company: Company, *, steps: int) -> int:
    """At each uneven step, what a preview says would be written is what the pass then writes."""
    now, seen = T0, 0
    for _ in range(steps):
        now += timedelta(minutes=company.dice.choice([1, 47, 600, 4_000, 9_000]))
        for _ in range(company.dice.randint(0, 4)):
            something_happens(company, at=now - timedelta(seconds=company.dice.randint(1, 50)))
        shown = dict(_shown(company, now=now))
        before = set(Run.objects.values_list("pk", flat=True))
        run_due(now=now)
        written = {
            key: (run.status == Run.Status.HELD, _late_word(run), run.late)
            for key, run in _started(before).items()
        }
        assert written == shown
        seen += len(written)
    return seen


def _late_word(run: Run) -> str:
    """The reason it was written with; a run that has gone on has another by now."""
    return run.reason if run.status in (Run.Status.HELD, Run.Status.CANCELLED) else ""


def _shown(company: Company, *, now: datetime) -> Iterator[tuple[Key, tuple[bool, str, bool]]]:
    world = load_world(happenings=load_happenings())
    for workflow in Workflow.objects.select_related("live_version__workflow").order_by("pk"):
        assert workflow.live_version is not None
        planned = planned_version(workflow.live_version)
        due = due_now(workflow, planned, now=now)
        _groups_agree(planned, world, due, now=now)
        for item in due:
            key = (workflow.key, item.judgement.person.id, item.judgement.occurrence.anchor)
            ended = item.status in (Run.Status.HELD, Run.Status.CANCELLED)
            reason = item.reason if ended else ""
            yield key, (item.status == Run.Status.HELD, reason, item.judgement.late)


def _groups_agree(planned: PlannedWorkflow, world: Any, due: list[Any], *, now: datetime) -> None:
    """The page's groups hold everybody for whom something would start or be held now."""
    groups = {item.person.id: item for item in standings(planned, world, now=now)}
    for item in due:
        if item.status == Run.Status.CANCELLED:
            continue
        standing = groups[item.judgement.person.id]
        assert standing.group in (MATCHED, HELD), (planned.key, item, standing)
        assert standing.judged is not None
        assert standing.judged.occurrence.due_at <= now


@pytest.mark.parametrize("seed", KEPT)
def test_forecast_is_what_then_starts(seed: int) -> None:
    company = company_make(seed, people=14, workflows=6)
    forecast_month(company, steps=14)


@pytest.mark.parametrize("seed", KEPT)
def test_preview_is_what_the_pass_then_writes(seed: int) -> None:
    company = company_make(seed, people=14, workflows=6)
    preview_month(company, steps=10)


def test_the_generated_months_do_start_runs() -> None:
    """A property over nothing would always hold."""
    assert forecast_month(company_make(4, people=20, workflows=8), steps=14) > 5


def test_preview_writes_nothing_and_calls_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write and every outbound call is counted: there must be none."""
    company = company_make(5, people=14, workflows=6)
    limits_lift()
    writes: list[str] = []
    calls: list[Any] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if written_table(sql):
            writes.append(sql)
        return execute(sql, params, many, context)

    monkeypatch.setattr("socket.socket.connect", lambda *args: calls.append(args))
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: calls.append(args))
    now = T0 + timedelta(days=9)
    with connection.execute_wrapper(count):
        for workflow in Workflow.objects.select_related("live_version__workflow"):
            assert workflow.live_version is not None
            planned = planned_version(workflow.live_version)
            preview(planned, now=now)
            due_now(workflow, planned, now=now)
            coming([planned], load_world(happenings=load_happenings()), now=now, days=90)
    assert (writes, calls) == ([], [])
    assert Person.objects.count() == len(company.people)


_MANY = settings(
    max_examples=share(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.slow
@_MANY
@given(st.integers(10, 10**9))
def test_forecast_is_what_then_starts_for_many(seed: int) -> None:
    _empty()
    forecast_month(company_make(seed, people=200, workflows=10), steps=8)


@pytest.mark.slow
@_MANY
@given(st.integers(10, 10**9))
def test_preview_is_what_the_pass_then_writes_for_many(seed: int) -> None:
    _empty()
    preview_month(company_make(seed, people=200, workflows=10), steps=6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", FOUND)
def test_preview_is_what_the_pass_then_writes_where_they_once_differed(seed: int) -> None:
    """Who matched on the day it was due, but not on the later day of the pass."""
    preview_month(company_make(seed, people=200, workflows=10), steps=6)


def _empty() -> None:
    """Examples of one test share its transaction."""
    Hold.objects.all().delete()
    Run.objects.all().delete()
    Workflow.objects.update(live_version=None)
    for row in Workflow.objects.all():
        row.versions.all().delete()
        row.delete()
    Person.objects.all().delete()
