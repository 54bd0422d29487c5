"""People resolved while their feed arrives are those resolved when it is complete."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from people.applying import plan_apply
from people.loading import directory_load, policy_load
from people.models import Person
from people.plan import Plan
from people.reconcile import reconcile
from people.records import WorkerRecord
from people.settling import Foresight
from people.staging import StagedRecords, digests_of
from people.tests.build import NOW, boss, feed, worker
from people.tests.test_properties import feeds

pytestmark = pytest.mark.django_db


def _looked_at(records: list[WorkerRecord], foresight: Foresight | None) -> StagedRecords:
    staged = StagedRecords(look=foresight.look if foresight else None)
    for record in records:
        staged.add(record)
    return staged


def _foresight() -> Foresight:
    directory = directory_load()
    return Foresight(
        known=directory.records,
        entity_names=directory.entity_names,
        policy=policy_load(),
        now=NOW,
    )


def _plan(staged: StagedRecords, foresight: Foresight | None) -> Plan:
    return reconcile(
        staged,
        directory=directory_load(fed=digests_of(staged)),
        policy=policy_load(),
        now=NOW,
        baseline=True,
        foresight=foresight,
    )


def _same(one: Plan, other: Plan) -> None:
    assert list(one.people) == list(other.people)
    assert list(one.records) == list(other.records)
    assert (one.aliases, one.conflicts, one.skipped, one.unchanged) == (
        other.aliases,
        other.conflicts,
        other.skipped,
        other.unchanged,
    )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(feeds(), feeds())
def test_plan_is_the_same_with_and_without_a_look_ahead(
    known: list[WorkerRecord], fed: list[WorkerRecord]
) -> None:
    Person.objects.all().delete()
    feed(known)
    foresight = _foresight()
    _same(_plan(_looked_at(fed, foresight), foresight), _plan(_looked_at(fed, None), None))


def test_newcomers_with_one_record_are_taken_as_they_were_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foresight = _foresight()
    staged = _looked_at([boss(), worker("ann"), worker("ben")], foresight)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("resolved again")

    monkeypatch.setattr("people.reconcile.resolve", never)
    plan = _plan(staged, foresight)
    assert [person.values["full_name"] for person in plan.people] == ["Ann", "Ben", "Boss"]
    assert plan.people[0].values["manager"] == "boss@acme.test"
    plan_apply(plan, now=NOW, correlation="test")
    assert Person.objects.get(work_email="ann@acme.test").manager is not None


def test_record_that_came_twice_counts_as_it_came_last() -> None:
    foresight = _foresight()
    staged = _looked_at([worker("ann", job_title="Old"), worker("ann", job_title="New")], foresight)
    (person,) = _plan(staged, foresight).people
    assert person.values["job_title"] == "New"


def test_a_look_under_other_conditions_is_not_used() -> None:
    foresight = _foresight()
    directory, policy = directory_load(), policy_load()
    assert foresight.serves(directory=directory, policy=policy, now=NOW)
    later = NOW + timedelta(seconds=1)
    assert not foresight.serves(directory=directory, policy=policy, now=later)
    elsewhere = replace(policy, workspace_timezone="Asia/Tokyo")
    assert not foresight.serves(directory=directory, policy=elsewhere, now=NOW)
    renamed = replace(directory, entity_names={"ent-1": "Acme Renamed"})
    assert not foresight.serves(directory=renamed, policy=policy, now=NOW)
