"""What a moved date does: before the plan, while it waits, half done, done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from people.models import LifecycleEvent, Person, PersonChange
from workflows.engine.service import run_due
from workflows.models import Approval, Run, StepRun, Task
from workflows.nodes import Reversal, Wait
from workflows.plan_history import plan_history
from workflows.tests.engine.conftest import DUE, END
from workflows.tests.engine.nodes import EffectAction

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
DAY = timedelta(days=1)
EARLIER, LATER = END - 5 * DAY, END + 10 * DAY
REVERSAL = Reversal(by="test.effect", words="Do it again.", days=30)


@pytest.fixture
def reversible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Effects of the test can be taken back."""
    monkeypatch.setattr(EffectAction, "reversible", REVERSAL)


def _move(person: Person, to: date | None, *, at: Any, source: str = "remote") -> None:
    """Change the end date as a sync would: value, when it became known, history, outbox."""
    person.refresh_from_db()
    before = person.end_date.isoformat() if person.end_date else None
    after = to.isoformat() if to else None
    Person.objects.filter(pk=person.pk).update(
        end_date=to, known_at={"end_date": at.isoformat()} if to else {}
    )
    PersonChange.objects.create(
        person=person, field="end_date", before=before, after=after, source=source, at=at
    )
    LifecycleEvent.objects.create(
        person=person, kind="person.changed", field="end_date", before=before, after=after,
        at=at, key=f"{person.pk}:{after}:{at.isoformat()}",
    )  # fmt: skip


def _steps(policy: str | None, *, begun: bool) -> list[dict[str, Any]]:
    wait: dict[str, Any] = {"key": "pause", "wait": {"for": {"days": 2}}}
    if policy:
        wait["on_date_change"] = policy
    first = [{"key": "one", "action": "test.effect"}] if begun else []
    return [*first, wait, {"key": "two", "action": "test.effect"}]


@pytest.mark.parametrize(
    ("to", "fires_at"), [(EARLIER, DUE - 5 * DAY), (LATER, DUE + 10 * DAY), (None, None)]
)
def test_before_the_plan_only_the_new_date_counts(
    person_make: Make, workflow_make: Make, to: date | None, fires_at: Any
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make()
    _move(ana, to, at=DUE - 8 * DAY)
    run_due(now=DUE - 7 * DAY)
    for days in range(-6, 12):
        run_due(now=DUE + days * DAY)
    assert [run.due_at for run in Run.objects.all()] == ([fires_at] if fires_at else [])
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("policy", "to", "status", "runs", "effects"),
    [
        (None, EARLIER, "superseded", 2, 0),
        (None, LATER, "superseded", 2, 1),
        (None, None, "cancelled", 1, 0),
        ("replan", LATER, "superseded", 2, 1),
        ("replan", None, "cancelled", 1, 0),
        ("keep", LATER, "done", 1, 1),
        ("keep", None, "done", 1, 1),
        ("ask", LATER, "held", 1, 0),
        ("ask", None, "held", 1, 0),
        ("cancel", LATER, "cancelled", 1, 0),
        ("cancel", None, "cancelled", 1, 0),
    ],
)
def test_planned_and_nothing_done_yet(
    person_make: Make,
    workflow_make: Make,
    policy: str | None,
    to: date | None,
    status: str,
    runs: int,
    effects: int,
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(steps=_steps(policy, begun=False))
    run_due(now=DUE)
    _move(ana, to, at=DUE + DAY)
    for days in range(1, 15):
        run_due(now=DUE + days * DAY)
    first = Run.objects.get(anchor=END.isoformat())
    assert first.status == status
    assert first.moved_to == (to.isoformat() if to else "removed")
    assert Run.objects.count() == runs
    assert len(EffectAction.effects) == effects
    if runs == 2:
        assert first.successor == Run.objects.get(anchor=to.isoformat() if to else "")
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("policy", "to", "status", "runs", "asked"),
    [
        (None, LATER, "done", 1, True),
        (None, None, "cancelled", 1, True),
        ("keep", LATER, "done", 1, False),
        ("replan", LATER, "held", 1, True),
        ("replan", EARLIER, "held", 1, True),
        ("ask", LATER, "held", 1, True),
        ("cancel", LATER, "cancelled", 1, True),
        ("cancel", None, "cancelled", 1, True),
    ],
)
def test_in_flight_after_an_irreversible_step_people_get_a_task(
    person_make: Make,
    workflow_make: Make,
    policy: str | None,
    to: date | None,
    status: str,
    runs: int,
    asked: bool,
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(steps=_steps(policy, begun=True))
    run_due(now=DUE)
    _move(ana, to, at=DUE + DAY)
    for days in range(1, 15):
        run_due(now=DUE + days * DAY)
    assert Run.objects.get(anchor=END.isoformat()).status == status
    assert Run.objects.count() == runs
    assert len(EffectAction.effects) == (2 if status == "done" else 1)
    tasks = list(Task.objects.all())
    assert len(tasks) == asked
    if asked:
        assert tasks[0].role is not None
        assert tasks[0].role.name == "hr"
        assert "Made it." in tasks[0].body
        assert tasks[0].subject == ana


def test_in_flight_after_a_reversible_step_it_is_planned_again(
    person_make: Make, workflow_make: Make, reversible: None
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(steps=_steps("replan", begun=True))
    run_due(now=DUE)
    _move(ana, LATER, at=DUE + DAY)
    for days in range(1, 15):
        run_due(now=DUE + days * DAY)
    assert sorted(run.status for run in Run.objects.all()) == ["done", "superseded"]
    assert not Task.objects.exists()


@pytest.mark.parametrize("to", [EARLIER, LATER, None])
def test_waiting_for_an_approval_the_question_is_withdrawn(
    person_make: Make, workflow_make: Make, to: date | None
) -> None:
    ana, boss = person_make("ana", end_date=END), person_make("boss")
    workflow_make(steps=[{"key": "ask", "action": "test.effect"}])
    EffectAction.script = lambda ctx, params: Wait(reason="asked")
    run_due(now=DUE)
    step = StepRun.objects.get()
    approval = Approval.objects.create(
        step=step, subject=ana, approver=boss, title="May it?", asked_at=DUE
    )
    _move(ana, to, at=DUE + DAY)
    run_due(now=DUE + DAY)
    approval.refresh_from_db()
    step.refresh_from_db()
    assert approval.status == Approval.Status.CANCELLED
    assert step.status == StepRun.Status.CANCELLED
    assert Run.objects.get(anchor=END.isoformat()).status in ("superseded", "cancelled")


@pytest.mark.parametrize(
    ("to", "destructive", "runs"),
    [(LATER, False, 1), (EARLIER, False, 1), (None, False, 1), (LATER, True, 2), (None, True, 1)],
)
def test_done_the_new_date_is_asked_about(
    person_make: Make, workflow_make: Make, to: date | None, destructive: bool, runs: int
) -> None:
    """What gave something is not given twice; what closes access runs for the new date too."""
    ana = person_make("ana", end_date=END)
    action = "test.destroy" if destructive else "test.effect"
    workflow_make(steps=[{"key": "one", "action": action}])
    run_due(now=DUE)
    _move(ana, to, at=DUE + DAY)
    for days in range(1, 15):
        run_due(now=DUE + days * DAY)
    assert Run.objects.count() == runs
    task = Task.objects.get()
    assert "after the run had ended" in task.body
    assert ("planned again" in task.body) is (runs == 2)


def test_done_long_ago_a_second_hiring_runs_again(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make()
    run_due(now=DUE)
    _move(ana, END + 200 * DAY, at=DUE + 100 * DAY)
    run_due(now=DUE + 100 * DAY)
    run_due(now=DUE + 200 * DAY)
    assert Run.objects.count() == 2
    assert not Task.objects.exists()


@pytest.mark.parametrize(("late_by", "status"), [(2, "done"), (5, "held")])
def test_entered_late_it_runs_or_is_asked(
    person_make: Make, workflow_make: Make, late_by: int, status: str
) -> None:
    ana = person_make("ana")
    workflow_make()
    _move(ana, END, at=DUE + late_by * DAY)
    run_due(now=DUE + late_by * DAY + timedelta(hours=2))
    run = Run.objects.get()
    assert (run.status, run.late) == (status, True)


def test_a_date_that_moves_away_and_back_is_planned_again(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(steps=_steps(None, begun=False))
    run_due(now=DUE)
    _move(ana, LATER, at=DUE + DAY)
    run_due(now=DUE + DAY)
    _move(ana, END, at=DUE + DAY + timedelta(hours=1))
    for hours in range(26, 24 * 5):
        run_due(now=DUE + timedelta(hours=hours))
    assert [run.status for run in Run.objects.order_by("pk")] == ["superseded", "done"]
    assert len(EffectAction.effects) == 1
    run_due(now=DUE + 12 * DAY)
    assert Run.objects.count() == 2


def test_the_old_plan_stays_visible_with_who_changed_it_and_when(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(steps=_steps(None, begun=False))
    run_due(now=DUE)
    assert plan_history(Run.objects.get()) == ()
    moved_at = DUE + DAY
    _move(ana, LATER, at=moved_at)
    run_due(now=moved_at)
    first = Run.objects.get()
    shown = [(item.date, item.struck, item.changed_by) for item in plan_history(first)]
    assert shown == [("2026-11-24", True, "remote"), ("2026-12-04", False, "")]
    run_due(now=DUE + 10 * DAY)
    second = Run.objects.latest("pk")
    for run in (first, second):
        run.refresh_from_db()
        plan = plan_history(run)
        assert [(item.date, item.struck) for item in plan] == [
            ("2026-11-24", True),
            ("2026-12-04", False),
        ]
        assert plan[0].changed_at == moved_at
        assert [item.run for item in plan] == [first, second]
