"""The engine from plan to outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from people.models import Person
from siit_remote.lib import clock, lease
from workflows.engine import claim
from workflows.engine.execute import run_advance
from workflows.engine.forecast import forecast
from workflows.engine.outlook import preview
from workflows.engine.recording import LostLease
from workflows.engine.service import run_due
from workflows.engine.starting import runs_plan
from workflows.engine.world import planned_version
from workflows.models import Run, StepRun, Workflow
from workflows.nodes import Done, Failed, Lane, Retry, Stop, Uncertain, Wait
from workflows.tests.engine.conftest import DUE, END, T0
from workflows.tests.engine.nodes import EffectAction
from workflows.tests.engine.simulation import limits_lift

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def test_run_due_does_it_once_however_often_it_is_called(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    first = run_due(now=DUE)
    assert (first.started, first.finished) == (1, 1)
    for minutes in (0, 1, 60):
        assert run_due(now=DUE + timedelta(minutes=minutes)).started == 0
    assert len(EffectAction.effects) == 1
    run = Run.objects.get()
    assert run.status == Run.Status.DONE
    assert run.snapshot["person.end_date"] == "2026-11-24"
    assert not run.late


def test_run_due_starts_nothing_before_the_moment(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    assert run_due(now=DUE - timedelta(seconds=1)).started == 0
    assert run_due(now=DUE).started == 1


def test_moments_before_going_live_never_fire(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=date(2026, 10, 31))
    workflow_make()
    report = run_due(now=T0 + timedelta(hours=1))
    assert report.started == report.held == report.skipped_late == 0
    assert not Run.objects.exists()


def test_dates_of_the_first_import_never_fire(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END, baseline_at=DUE + timedelta(hours=1))
    workflow_make()
    assert run_due(now=DUE + timedelta(hours=2)).started == 0
    assert not Run.objects.exists()


def test_a_date_entered_after_its_moment_runs_late_within_the_window(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END, known=(DUE + timedelta(days=2)).isoformat())
    workflow_make()
    assert run_due(now=DUE + timedelta(days=2, hours=1)).started == 1
    assert Run.objects.get().late


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"policy": "run", "within_days": 1}, Run.Status.HELD),
        ({"policy": "skip", "within_days": 3}, Run.Status.CANCELLED),
        ({"policy": "ask", "within_days": 3}, Run.Status.HELD),
    ],
)
def test_late_policy_is_followed(
    person_make: Make, workflow_make: Make, policy: dict[str, Any], expected: str
) -> None:
    person_make("ana", end_date=END, known=(DUE + timedelta(days=2)).isoformat())
    workflow_make(trigger={"type": "test.day", "params": {"late": policy}})
    run_due(now=DUE + timedelta(days=2, hours=1))
    run = Run.objects.get()
    assert run.status == expected
    assert run.reason
    assert EffectAction.effects == []


def test_downtime_beyond_the_window_is_held_not_skipped(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    assert run_due(now=DUE + timedelta(days=5)).held == 1
    assert "person decides" in Run.objects.get().reason


def test_conditions_decide_and_leave_no_run(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END, worker_type="eor_employee")
    person_make("bob", end_date=END)
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    workflow_make(conditions={"combinator": "and", "rules": [rule]})
    assert run_due(now=DUE).started == 1
    assert Run.objects.get().person.work_email == "bob@acme.test"


def test_too_many_at_once_are_held_before_the_first_effect(
    person_make: Make, workflow_make: Make
) -> None:
    for index in range(6):
        person_make(f"p{index}", end_date=END)
    workflow_make(limits={"hold_above": {"people": 5, "percent": 100, "per_hours": 24}})
    report = run_due(now=DUE)
    assert (report.started, report.held) == (0, 6)
    assert EffectAction.effects == []
    assert "the limit is 5" in Run.objects.first().reason  # type: ignore[union-attr]


def test_a_retry_waits_and_then_goes_on(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    EffectAction.script = lambda ctx, params: Retry(reason="down")
    assert run_due(now=DUE).waiting == 1
    step = StepRun.objects.get()
    assert step.status == StepRun.Status.RETRYING
    assert step.retry_at is not None
    assert DUE < step.retry_at <= DUE + timedelta(minutes=10)
    assert run_due(now=DUE).waiting == 0
    EffectAction.script = None
    assert run_due(now=step.retry_at).finished == 1
    step.refresh_from_db()
    assert (step.status, step.attempts, step.tries.count()) == (StepRun.Status.DONE, 2, 2)


def test_a_step_is_given_up_by_age(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    EffectAction.script = lambda ctx, params: Retry(reason="down")
    for hours in range(27):
        run_due(now=DUE + timedelta(hours=hours))
    run = Run.objects.get()
    assert run.status == Run.Status.FAILED
    assert "Given up" in run.reason


@pytest.mark.parametrize(
    ("on_error", "expected"),
    [("stop", Run.Status.FAILED), ("continue", Run.Status.DONE_WITH_ERRORS)],
)
def test_on_error_is_followed(
    person_make: Make, workflow_make: Make, on_error: str, expected: str
) -> None:
    person_make("ana", end_date=END)
    workflow_make(
        steps=[
            {"key": "one", "action": "test.effect", "on_error": on_error},
            {"key": "two", "action": "test.effect"},
        ]
    )
    EffectAction.script = lambda ctx, params: (
        Failed(reason="refused") if ctx.step.key == "one" else Done(summary="Made it.")
    )
    run_due(now=DUE)
    run = Run.objects.get()
    assert run.status == expected
    assert "refused" in run.reason
    assert run.steps.count() == (1 if on_error == "stop" else 2)


def test_an_uncertain_step_holds_the_run(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    EffectAction.script = lambda ctx, params: Uncertain(reason="no answer")
    assert run_due(now=DUE).held == 1
    assert run_due(now=DUE + timedelta(days=1)).held == 0
    assert StepRun.objects.get().status == StepRun.Status.UNCERTAIN


def test_an_unknown_action_fails_with_words(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow_make(steps=[{"key": "one", "action": "no.such"}])
    run_due(now=DUE)
    assert "does not know the action no.such" in Run.objects.get().reason


def test_a_raising_action_fails_its_step_only(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow_make()

    def explode(ctx: object, params: object) -> Any:
        raise ZeroDivisionError

    EffectAction.script = explode
    assert run_due(now=DUE).failed == 1


def test_when_false_skips_with_the_reason(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    rule = {"field": "person.country", "operator": "is", "value": "FRA"}
    when = {"combinator": "and", "rules": [rule]}
    workflow_make(steps=[{"key": "one", "action": "test.effect", "when": when}])
    run_due(now=DUE)
    step = StepRun.objects.get()
    assert step.status == StepRun.Status.SKIPPED
    assert step.reason
    assert Run.objects.get().status == Run.Status.DONE


def test_a_wait_goes_on_at_its_moment(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    until = {"anchor": "person.end_date", "direction": "after", "days": 1, "at": "09:00"}
    workflow_make(
        steps=[
            {"key": "pause", "wait": {"until": until}},
            {"key": "one", "action": "test.effect"},
        ]
    )
    assert run_due(now=DUE).waiting == 1
    assert EffectAction.effects == []
    assert run_due(now=DUE + timedelta(hours=23, minutes=59)).finished == 0
    assert run_due(now=DUE + timedelta(days=1)).finished == 1
    assert len(EffectAction.effects) == 1


def test_a_branch_takes_the_first_lane_that_matches(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END, country="FRA")

    def lane(name: str, country: str) -> dict[str, Any]:
        rule = {"field": "person.country", "operator": "is", "value": country}
        return {
            "name": name,
            "when": {"combinator": "and", "rules": [rule]},
            "steps": [{"key": name, "action": "test.effect"}],
        }

    branch = {"lanes": [lane("es", "ESP"), lane("fr", "FRA"), lane("fr2", "FRA")]}
    workflow_make(steps=[{"key": "fork", "branch": branch}])
    run_due(now=DUE)
    assert list(StepRun.objects.values_list("key", flat=True)) == ["fork", "fr"]


@pytest.mark.parametrize("lane", ["approved", "rejected"])
def test_outcome_lanes_are_followed(person_make: Make, workflow_make: Make, lane: str) -> None:
    person_make("ana", end_date=END)
    workflow_make(
        steps=[
            {
                "key": "ask",
                "action": "test.effect",
                "outcomes": {"approved": [{"key": "yes", "action": "test.destroy"}]},
            },
            {"key": "after", "action": "test.destroy"},
        ]
    )
    EffectAction.script = lambda ctx, params: (
        Lane(lanes=(lane,), summary=f"It was {lane}.")
        if ctx.step.key == "ask"
        else Stop(reason="enough")
    )
    run_due(now=DUE)
    keys = list(StepRun.objects.values_list("key", flat=True))
    assert keys == (["ask", "yes"] if lane == "approved" else ["ask"])
    assert Run.objects.get().status == Run.Status.DONE
    assert Run.objects.get().reason


def test_a_moved_date_cancels_a_waiting_run_that_had_no_effect(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(
        steps=[
            {"key": "pause", "wait": {"for": {"days": 1}}},
            {"key": "one", "action": "test.effect"},
        ]
    )
    run_due(now=DUE)
    Person.objects.filter(pk=ana.pk).update(end_date=END + timedelta(days=10))
    run_due(now=DUE + timedelta(days=1))
    old = Run.objects.get(anchor=END.isoformat())
    assert old.status == Run.Status.SUPERSEDED
    assert old.moved_to == "2026-12-04"
    run_due(now=DUE + timedelta(days=10))
    run_due(now=DUE + timedelta(days=11))
    assert len(EffectAction.effects) == 1


def test_a_removed_date_stops_what_has_begun(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(
        steps=[
            {"key": "one", "action": "test.effect"},
            {"key": "pause", "wait": {"for": {"days": 1}}},
            {"key": "two", "action": "test.effect"},
        ]
    )
    run_due(now=DUE)
    Person.objects.filter(pk=ana.pk).update(end_date=None)
    run_due(now=DUE + timedelta(days=1))
    assert Run.objects.get().status == Run.Status.CANCELLED
    assert len(EffectAction.effects) == 1


def test_a_kept_run_serves_the_moved_date_too(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(
        steps=[
            {"key": "one", "action": "test.effect"},
            {"key": "pause", "wait": {"for": {"days": 1}}},
            {"key": "two", "action": "test.effect"},
        ]
    )
    run_due(now=DUE)
    Person.objects.filter(pk=ana.pk).update(end_date=END + timedelta(days=3))
    run_due(now=DUE + timedelta(days=1))
    run_due(now=DUE + timedelta(days=3))
    run_due(now=DUE + timedelta(days=5))
    assert Run.objects.count() == 1
    assert len(EffectAction.effects) == 2


def test_leaving_the_condition_mid_run_ends_it(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END)
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    workflow_make(
        conditions={"combinator": "and", "rules": [rule]},
        steps=[
            {"key": "pause", "wait": {"for": {"days": 1}}},
            {"key": "one", "action": "test.effect"},
        ],
    )
    run_due(now=DUE)
    Person.objects.filter(pk=ana.pk).update(worker_type="eor_employee")
    run_due(now=DUE + timedelta(days=1))
    run = Run.objects.get()
    assert run.status == Run.Status.CANCELLED
    assert "No longer matches" in run.reason


def test_a_paused_workflow_waits_and_resumes(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END)
    workflow = workflow_make(
        steps=[
            {"key": "pause", "wait": {"for": {"days": 1}}},
            {"key": "one", "action": "test.effect"},
        ]
    )
    run_due(now=DUE)
    Workflow.objects.filter(pk=workflow.pk).update(status=Workflow.Status.PAUSED)
    run_due(now=DUE + timedelta(days=1))
    assert EffectAction.effects == []
    assert Run.objects.get().status == Run.Status.WAITING
    Workflow.objects.filter(pk=workflow.pk).update(status=Workflow.Status.LIVE)
    Run.objects.update(wake_at=DUE + timedelta(days=2))
    assert run_due(now=DUE + timedelta(days=2)).finished == 1


def test_a_protected_person_loses_nothing(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END, protected=True)
    workflow_make(steps=[{"key": "one", "action": "test.destroy"}])
    assert run_due(now=DUE).held == 1
    assert EffectAction.effects == []


def test_a_waiting_action_is_called_again_when_woken(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    EffectAction.script = lambda ctx, params: Wait(reason="asked", until=DUE + timedelta(days=2))
    run_due(now=DUE)
    EffectAction.script = None
    assert run_due(now=DUE + timedelta(days=1)).finished == 0
    assert run_due(now=DUE + timedelta(days=2)).finished == 1
    assert StepRun.objects.get().attempts == 1


def test_preview_writes_nothing_and_names_what_then_runs(
    person_make: Make, workflow_make: Make, django_assert_num_queries: Any
) -> None:
    for name, country in (("ana", "FRA"), ("bob", ""), ("eve", "ESP")):
        person_make(name, end_date=END, country=country)
    rule = {"field": "person.country", "operator": "is", "value": "FRA"}
    workflow = workflow_make(conditions={"combinator": "and", "rules": [rule]})
    planned = planned_version(workflow.live_version)
    shown = preview(planned, now=DUE)
    assert not Run.objects.exists()
    assert [row["person"] for row in shown["matched"]] == ["ana@acme.test"]
    assert shown["matched"][0]["due_now"] is True
    assert [row["person"] for row in shown["cannot_tell"]] == ["bob@acme.test"]
    assert [row["person"] for row in shown["not_matched"]] == ["eve@acme.test"]
    run_due(now=DUE)
    assert [run.person.work_email for run in Run.objects.all()] == ["ana@acme.test"]
    assert preview(planned, now=DUE)["matched"] == []


def test_forecast_is_what_then_happens(person_make: Make, workflow_make: Make) -> None:
    for offset in (1, 5, 9, 40):
        person_make(f"p{offset}", end_date=T0.date() + timedelta(days=offset))
    planned = planned_version(workflow_make().live_version)
    coming = forecast([planned], now=T0, days=30)
    for hour in range(24 * 30):
        run_due(now=T0 + timedelta(hours=hour)) if hour % 12 == 0 else None
    ran = {(run.person.work_email, run.anchor) for run in Run.objects.all()}
    assert {(row["person"], row["anchor"]) for row in coming} == ran
    assert len(ran) == 3


def test_a_possible_effect_is_remembered_over_several_crashes(
    person_make: Make, workflow_make: Make
) -> None:
    """Dying while sending, then before sending: the third try must still know of the first."""
    person_make("ana", end_date=END)
    workflow_make()
    seen: list[tuple[bool, bool]] = []

    class Died(BaseException):
        """What a killed process leaves behind: no outcome."""

    def die(ctx: Any, params: object) -> Any:
        seen.append((ctx.interrupted, ctx.effect_begun))
        if len(seen) == 1:
            ctx.before_effect()
        if len(seen) < 3:
            raise Died
        return Done(summary="Looked first.")

    EffectAction.script = die
    for _ in range(2):
        with pytest.raises(Died):
            run_due(now=DUE)
        Run.objects.update(lease_until=None)
    run_due(now=DUE)
    assert seen == [(False, False), (True, True), (True, True)]
    assert Run.objects.get().status == Run.Status.DONE


def test_more_open_runs_than_a_page_are_all_carried_out(
    person_make: Make, workflow_make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of runs that others hold must not hide those behind it."""
    monkeypatch.setattr(claim, "_PAGE", 2)
    for index in range(40):
        person_make(f"p{index}", **({"end_date": END} if index < 7 else {}))
    workflow_make(limits={"hold_above": {"people": 99, "percent": 100}})
    runs_plan(now=DUE)
    held_by_others = Run.objects.order_by("pk")[:3]
    later = clock.system_now() + timedelta(minutes=5)
    for run in held_by_others:
        Run.objects.filter(pk=run.pk).update(
            status=Run.Status.RUNNING, lease_until=later, lease_holder=lease.holder()
        )
    assert run_due(now=DUE).finished == 4
    assert len(EffectAction.effects) == 4


def test_a_run_that_was_taken_over_has_no_effect_even_under_a_young_lease(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    runs_plan(now=DUE)
    run = claim.claim_next(now=DUE, after=set())
    assert run is not None
    Run.objects.update(fence=F("fence") + 1)
    with pytest.raises(LostLease):
        run_advance(run, now=DUE)
    assert EffectAction.effects == []
    assert not StepRun.objects.exists()


def test_a_lease_is_renewed_once_it_is_no_longer_young(
    person_make: Make, workflow_make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    runs_plan(now=DUE)
    run = claim.claim_next(now=DUE, after=set())
    assert run is not None
    first = run.lease_until
    assert claim.renew(run)
    assert Run.objects.get().lease_until == first
    later = clock.system_now() + timedelta(seconds=6)
    monkeypatch.setattr(clock, "system_now", lambda: later)
    assert claim.renew(run)
    assert Run.objects.get().lease_until == later + claim.LEASE
    Run.objects.update(fence=F("fence") + 1)
    monkeypatch.setattr(clock, "system_now", lambda: later + timedelta(minutes=1))
    assert not claim.renew(run)


def test_one_run_of_one_step_costs_few_queries(person_make: Make, workflow_make: Make) -> None:
    workflow_make()
    limits_lift()
    counts = []
    for more, names in enumerate(("ab", "cdefgh")):
        for name in names:
            person_make(name, end_date=END + timedelta(days=more))
        runs_plan(now=DUE + timedelta(days=more))
        with CaptureQueriesContext(connection) as queries:
            run_due(now=DUE + timedelta(days=more))
        counts.append(len(queries))
    assert Run.objects.filter(status=Run.Status.DONE).count() == 8
    # The first page of candidates is short; otherwise a run costs what the one before it cost.
    assert (counts[1] - counts[0]) / 4 <= 21
