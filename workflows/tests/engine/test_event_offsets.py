"""Some days after something happened; never before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from people.models import LifecycleEvent, Person
from workflows.designer.cards import card_read
from workflows.designer.posted import Posted
from workflows.document import parse_document, validate_document
from workflows.engine.forecast import forecast
from workflows.engine.service import run_due
from workflows.engine.world import planned_version
from workflows.models import Run
from workflows.nodes import TRIGGERS
from workflows.services import workflow_act
from workflows.tests.engine.nodes import EffectAction
from workflows.vocabulary import VOCABULARY

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
AT = datetime(2026, 11, 10, 21, 30, tzinfo=UTC)
"""22:30 in Paris on 10 November."""


def _happened(person: Person, kind: str, field: str = "") -> None:
    LifecycleEvent.objects.create(
        person=person, kind=kind, field=field, before="FRA", after="ESP", at=AT,
        key=f"{kind}{person.pk}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "params", "field"),
    [("person.changed", {"field": "country"}, "country"), ("person.added", {}, "")],
)
def test_it_runs_so_many_days_after_at_the_local_time_once(
    person_make: Make, workflow_make: Make, kind: str, params: dict[str, Any], field: str
) -> None:
    ana = person_make("ana")
    timing = {"direction": "after", "days": 3, "at": "09:00"}
    workflow_make(trigger={"type": kind, "params": {**params, **timing}})
    _happened(ana, kind, field)
    due = datetime(2026, 11, 13, 8, 0, tzinfo=UTC)
    for moment in (AT, AT + timedelta(days=1), due - timedelta(minutes=1)):
        run_due(now=moment)
    assert not Run.objects.exists()
    assert not LifecycleEvent.objects.filter(consumed_at__isnull=True).exists()
    for minutes in (0, 1, 60):
        run_due(now=due + timedelta(minutes=minutes))
    run = Run.objects.get()
    assert (run.due_at, run.status) == (due, Run.Status.DONE)
    assert len(EffectAction.effects) == 1


def test_without_days_it_runs_at_once(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana")
    workflow_make(trigger={"type": "person.changed", "params": {"field": "country"}})
    _happened(ana, "person.changed", "country")
    assert run_due(now=AT).started == 1


@pytest.mark.parametrize("others", [0, 1])
def test_what_happens_in_a_short_pause_is_found_after_it(
    others: int, person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana")
    trigger = {"type": "person.changed", "params": {"field": "country"}}
    workflow = workflow_make(trigger=trigger)
    for number in range(others):
        workflow_make(key=f"other-{number}", trigger={"type": "person.end_date"})
    minute = timedelta(minutes=1)
    run_due(now=AT - 3 * minute)
    run_due(now=AT - 2 * minute)
    workflow_act(workflow, "pause", reason="A look.", now=AT - 2 * minute, actor=None)
    _happened(ana, "person.changed", "country")
    assert run_due(now=AT + minute).started == 0
    workflow_act(workflow, "resume", reason="Fine.", now=AT + minute, actor=None)
    assert run_due(now=AT + 2 * minute).started == 1
    assert run_due(now=AT + 3 * minute).started == 0


@pytest.mark.parametrize("kind", ["person.changed", "person.added"])
def test_days_before_are_refused_with_words(kind: str) -> None:
    def problems(direction: str) -> list[str]:
        params: dict[str, Any] = {"direction": direction, "days": 3}
        if kind == "person.changed":
            params["field"] = "country"
        document = parse_document(
            {
                "format": "siit.workflow/1", "key": "w", "name": "W",
                "trigger": {"type": kind, "params": params},
                "steps": [{"key": "end", "action": "flow.stop"}],
            }
        )  # fmt: skip
        found = validate_document(document, VOCABULARY)
        return [problem.message for problem in found if problem.level == "error"]

    assert problems("after") == []
    assert problems("before") == [
        "Nobody knows of it before it happens: say after, or the same day."
    ]


def test_the_sentence_says_how_long_after() -> None:
    trigger = TRIGGERS.get("person.changed")
    assert trigger is not None
    params = {"field": "team", "to": "Sales"}
    assert trigger.sentence(params) == "when the team changes to Sales"
    later = trigger.sentence({**params, "direction": "after", "days": 3, "at": "08:00"})
    assert later == "3 days after the team changes to Sales at 08:00 in the person's time zone"


def test_what_is_due_days_after_is_forecast_and_then_happens(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana")
    timing = {"direction": "after", "days": 3, "at": "09:00"}
    workflow = workflow_make(
        trigger={"type": "person.changed", "params": {"field": "country", **timing}}
    )
    _happened(ana, "person.changed", "country")
    run_due(now=AT)
    planned = planned_version(workflow.live_version)
    (row,) = forecast([planned], now=AT + timedelta(hours=1), days=30)
    assert (row["person"], row["due_at"]) == ("ana@acme.test", "2026-11-13T08:00:00Z")
    run_due(now=datetime(2026, 11, 13, 8, 0, tzinfo=UTC))
    assert Run.objects.get().due_at == datetime(2026, 11, 13, 8, 0, tzinfo=UTC)
    assert forecast([planned], now=AT + timedelta(days=3), days=30) == []


def test_the_editor_keeps_the_limit_of_the_week() -> None:
    data: dict[str, Any] = {
        "format": "siit.workflow/1", "key": "w", "name": "W",
        "limits": {"hold_above": {"people": 5}, "hold_above_week": {"people": 9}},
    }  # fmt: skip
    sent = {"card": ["about"], "about.name": ["W"], "limits.people": ["7"]}
    card_read(data, Posted(sent))
    assert data["limits"]["hold_above_week"] == {"people": 9}
    assert data["limits"]["hold_above"]["people"] == 7
