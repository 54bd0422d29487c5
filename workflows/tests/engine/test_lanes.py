"""Urgent work is never behind work that can wait, and no lane keeps a worker for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from people.models import Person
from siit_remote import beats, tasks
from workflows.engine import claim
from workflows.engine.lanes import lane_of
from workflows.engine.service import run_due
from workflows.engine.starting import runs_plan
from workflows.engine.world import planned_version
from workflows.models import Run, Workflow
from workflows.nodes import ActionContext, Done, Outcome
from workflows.runs import runs_start
from workflows.tests.engine.conftest import DUE, END, T0
from workflows.tests.engine.nodes import EffectAction
from workflows.tests.engine.simulation import limits_lift

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_limits")]
Make = Callable[..., Any]
CUT_OFF = [{"key": "cut", "action": "test.destroy"}]
GREET = [
    {"key": f"greet-{number}", "action": "message.send", "params": {"to": "person", "body": "Hi"}}
    for number in range(2)
]


@pytest.fixture
def no_limits() -> None:
    limits_lift()


@pytest.mark.parametrize(
    ("steps", "lane"),
    [
        (CUT_OFF, Run.Lane.URGENT),
        ([*GREET, *CUT_OFF], Run.Lane.URGENT),
        (GREET, Run.Lane.BULK),
        ([{"key": "one", "action": "test.effect"}], Run.Lane.NORMAL),
        ([*GREET, {"key": "one", "action": "test.effect"}], Run.Lane.NORMAL),
        ([{"key": "w", "wait": {"for": {"days": 1}}}], Run.Lane.NORMAL),
    ],
)
def test_lane_follows_from_what_the_steps_do(
    workflow_make: Make, steps: list[dict[str, Any]], lane: int
) -> None:
    workflow = workflow_make(steps=steps)
    planned = workflow.live_version
    assert planned is not None
    from_document = lane_of(_document(workflow))
    assert from_document == lane


def _document(workflow: Workflow) -> Any:
    version = workflow.live_version
    assert version is not None
    return planned_version(version).document


def test_a_revoke_goes_before_everything_that_was_due_earlier(
    person_make: Make, workflow_make: Make
) -> None:
    order: list[str] = []

    def remember(ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        order.append(f"{ctx.run.workflow.key}:{ctx.person.work_email.partition('@')[0]}")
        return Done(summary="Done.")

    EffectAction.script = remember
    for number in range(30):
        person_make(f"p{number}", start_date=END - timedelta(days=1))
    person_make("leaver", end_date=END)
    workflow_make("greet", trigger={"type": "test.day", "params": {"field": "start_date"}})
    workflow_make("offboard", steps=CUT_OFF)
    assert run_due(now=DUE).finished == 31
    assert order[0] == "offboard:leaver"


class _Enough(BaseException):
    """What was to be seen has been seen; the other welcomes need not be sent."""


@pytest.mark.slow
@pytest.mark.parametrize("known", ["before", "meanwhile"])
def test_a_revoke_is_not_behind_two_thousand_welcomes(
    person_make: Make, workflow_make: Make, known: str
) -> None:
    """Counted in steps: none before it where it was known, one where it became known meanwhile."""
    order: list[str] = []
    welcomes, dismissed_at, seen = 2_000, 25, 60

    def remember(ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        order.append(ctx.run.workflow.key)
        if known == "meanwhile" and len(order) == dismissed_at:
            person_make("leaver", end_date=END)
            runs_plan(now=DUE)
        if len(order) == seen:
            raise _Enough
        return Done(summary="Done.")

    EffectAction.script = remember
    template = person_make("p", start_date=END - timedelta(days=1))
    Person.objects.bulk_create(
        Person(
            work_email=f"p{number}@acme.test", full_name=f"P {number}", timezone="Europe/Paris",
            worker_type="contractor", status="active", start_date=template.start_date,
            known_at=template.known_at, created_at=T0, updated_at=T0,
        )
        for number in range(welcomes - 1)
    )  # fmt: skip
    if known == "before":
        person_make("leaver", end_date=END)
    workflow_make(
        "greet",
        trigger={"type": "test.day", "params": {"field": "start_date"}},
        steps=[{"key": f"s{number}", "action": "test.effect"} for number in range(3)],
    )
    workflow_make("offboard", steps=CUT_OFF)
    with pytest.raises(_Enough):
        run_due(now=DUE)
    assert Run.objects.filter(workflow__key="greet").count() == welcomes
    assert order.index("offboard") == (0 if known == "before" else dismissed_at)
    assert order.count("offboard") == 1


def test_a_run_lets_urgent_work_pass_between_two_of_its_steps(
    person_make: Make, workflow_make: Make
) -> None:
    order: list[str] = []
    urgent: list[Run] = []

    def remember(ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        order.append(f"{ctx.run.workflow.key}:{ctx.step.key}")
        if len(order) == 1:
            # Somebody is dismissed while the greeting is at its first step.
            person_make("leaver", end_date=END)
            runs_plan(now=DUE)
            urgent.extend(Run.objects.filter(lane=Run.Lane.URGENT))
        return Done(summary="Done.")

    EffectAction.script = remember
    person_make("new", start_date=END)
    workflow_make(
        "greet",
        trigger={"type": "test.day", "params": {"field": "start_date"}},
        steps=[{"key": f"s{number}", "action": "test.effect"} for number in range(4)],
    )
    workflow_make("offboard", steps=CUT_OFF)
    run_due(now=DUE)
    assert len(urgent) == 1
    assert order == ["greet:s0", "offboard:cut", "greet:s1", "greet:s2", "greet:s3"]
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.DONE}


def test_a_pass_ends_after_its_time_and_rings_for_the_next(
    person_make: Make, workflow_make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        person_make(f"p{number}", end_date=END)
    workflow_make()
    rung: list[str] = []
    monkeypatch.setattr(tasks, "ring", rung.append)
    monkeypatch.setattr(tasks, "PASS_TAKES", timedelta(0))
    monkeypatch.setattr(tasks.clock, "now", lambda: DUE)
    assert tasks.run_due()["left"] is True
    assert Run.objects.filter(status=Run.Status.DONE).count() == 1
    assert rung == ["siit_remote.tasks.run_due"]
    assert not beats.busy_now()
    tasks.run_due()
    tasks.run_due()
    assert Run.objects.filter(status=Run.Status.DONE).count() == 3


def test_runs_started_by_hand_have_a_lane_too(person_make: Make, workflow_make: Make) -> None:
    person = person_make("ana")
    workflow = workflow_make(steps=CUT_OFF)
    runs_start(workflow, [person], actor=None, now=T0)
    assert Run.objects.get().lane == Run.Lane.URGENT


def test_urgent_work_is_not_outranked(person_make: Make, workflow_make: Make) -> None:
    person_make("a", end_date=END)
    person_make("b", end_date=END)
    workflow_make(steps=CUT_OFF)
    runs_plan(now=DUE)
    assert not claim.is_outranked(Run.objects.all()[0], now=DUE)
