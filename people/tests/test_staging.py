"""Feeds put down record by record say what the same records say in memory."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from people import packing
from people.loading import directory_load
from people.models import LifecycleEvent, Person, PersonAlias, PersonChange, SourceRecord
from people.packing import MadeWhenAsked, Packed
from people.plan import Directory, Policy
from people.reconcile import reconcile
from people.records import WorkerRecord
from people.staging import StagedRecords, digests_of
from people.tests.build import NOW, boss, feed, picture, worker
from people.tests.test_properties import feeds
from siit_remote.lib.spool import Shelf, Spool


def test_spool_gives_back_what_was_put_down_in_any_order() -> None:
    spool = Spool(in_memory=10)
    pieces = [bytes([number]) * number for number in range(40)]
    for number, piece in enumerate(pieces):
        assert spool.append(piece) == number
        assert spool.read(number // 2) == pieces[number // 2]
    for number in random.Random(3).sample(range(40), 40):
        assert spool.read(number) == pieces[number]
    with pytest.raises(IndexError):
        spool.read(40)


def test_shelf_gives_copies() -> None:
    shelf: Shelf[dict[str, list[int]]] = Shelf()
    number = shelf.put({"a": [1]})
    shelf.get(number)["a"].append(2)
    assert shelf.get(number) == {"a": [1]}


def test_staged_record_is_the_record_with_its_digest() -> None:
    record = worker("w1", custom={"level": 3}, notes=("Łukasz’ note",), end_date=None)
    staged = StagedRecords([record])
    assert list(staged) == [record]
    assert staged[0].digest() == record.digest()
    assert digests_of(staged) == digests_of((record,))


def test_later_page_replaces_a_staged_record() -> None:
    staged = StagedRecords([worker("w1"), worker("w2")])
    staged.add(worker("w1", job_title="Fresher"))
    assert [record.external_id for record in staged] == ["w1", "w2"]
    assert staged[0].job_title == "Fresher"
    assert staged[-1].external_id == "w2"
    with pytest.raises(IndexError):
        staged[2]


@settings(max_examples=50, deadline=None)
@given(feeds())
def test_same_id_twice_is_the_same_record_in_any_order(records: list[WorkerRecord]) -> None:
    there = {one.digest() for one in StagedRecords(records)}
    assert there == {one.digest() for one in StagedRecords(reversed(records))}


@settings(max_examples=50, deadline=None)
@given(feeds())
def test_staged_feed_means_what_the_feed_means(records: list[WorkerRecord]) -> None:
    plans = [
        reconcile(one, directory=Directory(), policy=Policy(), now=NOW)
        for one in (tuple(records), StagedRecords(records))
    ]
    assert plans[0] == plans[1]


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=feeds(), second=feeds())
def test_large_plan_writes_what_a_small_one_writes(
    first: list[WorkerRecord], second: list[WorkerRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = []
    for kept in (500, 0):
        monkeypatch.setattr(packing, "KEPT", kept)
        for model in (LifecycleEvent, PersonChange, PersonAlias, SourceRecord, Person):
            model._default_manager.all().delete()
        feed(first)
        feed(second, now=NOW + timedelta(hours=1))
        pictures.append(_without_keys(picture()))
    assert pictures[0] == pictures[1]


def _without_keys(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Primary keys count on; who is meant is said by address."""
    emails = {row["id"]: row["work_email"] for row in found["Person"]}
    emails[None] = ""
    plain = {}
    for model, rows in found.items():
        plain[model] = [
            {
                name: emails[value] if name in ("person_id", "manager_id") else value
                for name, value in row.items()
                if name not in ("id", "key", "team_id", "legal_entity_id")
            }
            for row in rows
        ]
    return plain


@pytest.mark.django_db
def test_plan_of_many_is_made_when_asked_and_applied_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packing, "KEPT", 2)
    plan = feed([boss(), *(worker(f"w{number}") for number in range(20))])
    assert isinstance(plan.people, MadeWhenAsked)
    assert isinstance(plan.created, MadeWhenAsked)
    assert len(plan.created) == Person.objects.count() == 21
    found = Person.objects.get(work_email="boss@acme.test")
    assert found.reports.count() == 20


@pytest.mark.django_db
def test_loaded_people_lie_on_the_shelf_and_say_everything() -> None:
    feed([boss(), worker("w1")])
    directory = directory_load()
    for known in directory.people.values():
        row = Person.objects.get(pk=known.id)
        assert isinstance(known.values, Packed)
        assert known.values["work_email"] == row.work_email
        assert known.values["status"] == row.status
        assert known.values["manager"] == row.manager_id
        assert known.values["country"] == row.country
        assert set(known.values) >= {"team", "custom", "start_date"}
    stored = directory.records["remote", "w1"]
    assert stored.values["full_name"] == "W1"
