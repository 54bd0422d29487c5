"""Why, why not, and as it was then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from people.history import sources_as_of
from people.models import Person, PersonChange
from siit_remote.lib import clock
from workflows.engine.refusals import KEPT, refusals_forget
from workflows.engine.service import run_due
from workflows.engine.then import world_then
from workflows.engine.why import why
from workflows.engine.world import load_world
from workflows.models import Refusal, Run, Workflow
from workflows.services import workflow_act
from workflows.tests.engine.conftest import DUE, END, T0

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
CONTRACTORS = {
    "combinator": "and",
    "rules": [{"field": "person.worker_type", "operator": "is", "value": "contractor"}],
}
HOUR = timedelta(hours=1)


def _change(person: Person, field: str, before: Any, after: Any, at: datetime) -> None:
    """Change a value as a sync does: the person, the history."""
    PersonChange.objects.create(
        person=person, field=field, before=before, after=after, source="remote", at=at
    )
    setattr(person, field, date.fromisoformat(after) if field.endswith("_date") else after)
    if field.endswith("_date"):
        person.known_at[field] = at.isoformat()
    person.save()


def test_why_tells_each_outcome_in_a_sentence(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END)
    bob = person_make("bob", end_date=END, worker_type="eor_employee")
    eve = person_make("eve")
    workflow = workflow_make(conditions=CONTRACTORS)

    def headline(person: Person, now: datetime) -> tuple[str, str]:
        found = why(workflow, person, at=now, now=now)
        return found.result, found.headline

    assert headline(ana, T0) == (
        "will_run",
        "It will run on 24 Nov 2026 at 09:00 (Europe/Paris).",
    )
    assert headline(ana, DUE)[0] == "due"
    assert headline(bob, T0) == (
        "not_matched",
        "It does not run: Worker type is EOR Employee, wanted Contractor",
    )
    assert headline(eve, T0) == (
        "never",
        "It does not run: Nothing sets it off: the date is missing, far off or long past.",
    )
    run_due(now=DUE)
    workflow.refresh_from_db()
    assert headline(ana, DUE + HOUR) == ("ran", "It started; the run is done.")


def test_why_climbs_the_whole_ladder_in_the_order_of_the_engine(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END, protected=True)
    workflow = workflow_make(steps=[{"key": "one", "action": "test.destroy"}])
    found = why(workflow, ana, at=DUE, now=DUE)
    assert [rung.check for rung in found.rungs] == [
        "workflow is live",
        "trigger is known",
        "the person is known",
        "there is a moment",
        "the moment lies after going live and after the first import",
        "the person is still here then",
        "the moment is not too long ago",
        "conditions",
        "the limits leave room",
        "the person is not protected",
        "it has not run yet",
    ]
    passed = {rung.check: rung.passed for rung in found.rungs}
    assert passed.pop("the person is not protected") is False
    assert set(passed.values()) == {True}


def test_why_of_the_past_reads_the_directory_as_it_was(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END, worker_type="eor_employee")
    workflow = workflow_make(conditions=CONTRACTORS)
    run_due(now=DUE)
    later = DUE + timedelta(days=3)
    _change(ana, "worker_type", "eor_employee", "contractor", later)
    _change(ana, "end_date", END.isoformat(), "2027-03-31", later)
    now = later + timedelta(days=1)
    then = why(workflow, ana, at=DUE + HOUR, now=now)
    assert then.result == "not_matched"
    assert then.headline.endswith("Worker type is EOR Employee, wanted Contractor")
    assert then.judged is not None and then.judged.occurrence.anchor == "2026-11-24"
    assert [row.verdict for row in then.refusals] == ["not_matched"]
    assert why(workflow, ana, at=now, now=now).result == "will_run"


def test_why_before_somebody_came_says_so(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END)
    workflow = workflow_make()
    found = why(workflow, ana, at=T0 - timedelta(days=2), now=DUE)
    assert found.result == "unknown_person"
    assert "they came on 1 Nov 2026" in found.headline


def test_why_knows_that_the_workflow_was_paused_then(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    workflow = workflow_make()
    for act, at in (("pause", DUE - HOUR), ("resume", DUE + 2 * HOUR)):
        with clock.fixed(at):
            workflow_act(workflow, act, reason="", now=at, actor=None)
    workflow = Workflow.objects.get(pk=workflow.pk)
    found = why(workflow, ana, at=DUE + HOUR, now=DUE + 3 * HOUR)
    assert found.result == "never"
    assert found.headline.startswith("It did not run: It was paused")
    assert why(workflow, ana, at=DUE - 2 * HOUR, now=DUE + 3 * HOUR).rungs[0].passed is True


def test_why_leaves_hidden_values_out_of_every_word(person_make: Make, workflow_make: Make) -> None:
    ana = person_make("ana", end_date=END, date_of_birth=date(1990, 5, 17))
    rule = {"field": "person.date_of_birth", "operator": "before", "value": "1980-01-01"}
    workflow = workflow_make(conditions={"combinator": "and", "rules": [rule]})
    shown = why(workflow, ana, at=DUE, now=DUE)
    assert "17 May 1990" in shown.headline
    veiled = why(workflow, ana, at=DUE, now=DUE, hidden={"date_of_birth"})
    assert veiled.veiled
    assert "1990" not in repr((veiled.headline, veiled.rungs, veiled.trace))


def test_refusals_are_written_when_the_verdict_changes_and_not_before(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END, worker_type="")
    workflow_make(conditions=CONTRACTORS)
    run_due(now=DUE - HOUR)
    assert not Refusal.objects.exists()
    for minutes in range(3):
        run_due(now=DUE + timedelta(minutes=minutes))
    assert list(Refusal.objects.values_list("verdict", "reason")) == [
        ("cannot_tell", "Worker type is missing")
    ]
    Person.objects.filter(pk=ana.pk).update(worker_type="eor_employee")
    run_due(now=DUE + HOUR)
    Person.objects.filter(pk=ana.pk).update(worker_type="contractor")
    run_due(now=DUE + 2 * HOUR)
    assert [row.verdict for row in Refusal.objects.order_by("pk")] == [
        "cannot_tell",
        "not_matched",
    ]
    assert Run.objects.count() == 1


def test_a_run_that_was_made_is_never_noted_as_refused(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(conditions=CONTRACTORS)
    run_due(now=DUE)
    Person.objects.filter(pk=ana.pk).update(worker_type="eor_employee")
    run_due(now=DUE + HOUR)
    assert not Refusal.objects.exists()


def test_refusals_are_forgotten_after_a_year(person_make: Make, workflow_make: Make) -> None:
    person_make("ana", end_date=END, worker_type="eor_employee")
    workflow_make(conditions=CONTRACTORS)
    run_due(now=DUE)
    assert refusals_forget(now=DUE + timedelta(days=365)) == 0
    assert refusals_forget(now=DUE + KEPT + HOUR) == 1
    assert not Refusal.objects.exists()


def test_world_then_undoes_each_later_change_and_nothing_earlier(person_make: Make) -> None:
    ana = person_make("ana", end_date=END, country="FRA")
    days = [T0 + timedelta(days=count) for count in range(4)]
    _change(ana, "end_date", END.isoformat(), "2026-12-01", days[1])
    _change(ana, "country", "FRA", "ESP", days[2])
    _change(ana, "end_date", "2026-12-01", "2026-12-24", days[3])
    world = load_world()
    seen = [world_then(world, at=at).people[ana.pk] for at in days]
    ends = [person.facts["person.end_date"] for person in seen]
    assert ends == [END, date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 24)]
    assert [person.country for person in seen] == ["FRA", "FRA", "ESP", "ESP"]
    assert [person.known_at["end_date"] for person in seen] == [T0, days[1], days[1], days[3]]
    present = {"end_date": "hris"}
    told = sources_as_of(ana.pk, moment=days[1], present=present)
    assert told == {"end_date": "remote"}
    assert world_then(world, at=T0 - HOUR).people == {}


def test_why_of_an_unreadable_moment_has_no_occurrence_at_the_end_of_time(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=date.max)
    found = why(workflow_make(), ana, at=datetime(2030, 1, 1, tzinfo=UTC), now=T0)
    assert found.result == "never"
