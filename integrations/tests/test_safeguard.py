"""The brake of a sync, and what a person does with a held one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from integrations.models import Connection, SyncRun
from integrations.safeguard import Affected, hold_reason
from integrations.sync import SyncRefusedError, held_apply, held_discard, run_sync, setup_finish
from integrations.sync_report import SyncReport
from integrations.tests.people_source import FakeSource, connection
from people.models import Person
from people.overriding import person_override_set
from people.records import WorkerRecord
from people.tests.build import NOW, boss, day, picture, worker
from siit_remote.audit.models import AuditEntry

LATER = NOW + timedelta(hours=4)
GONE = {"contract_status": "ended", "end_date": day(0)}


@pytest.mark.parametrize(
    ("count", "known", "held"),
    [
        (1, 8, False),
        (2, 8, True),
        (3, 8, True),
        (1, 2000, False),
        (5, 2000, False),
        (6, 2000, True),
        (2, 20, False),
        (3, 20, True),
        (0, 0, False),
        (1, 1, False),
        (2, 0, True),
    ],
)
def test_limits_guard_small_and_large_companies(count: int, known: int, held: bool) -> None:
    people = [Affected(person_id=n, name="", work_email="", what=()) for n in range(count)]
    reason = hold_reason(people, here=range(known), limit_people=5, limit_percent=10, now=NOW)
    assert bool(reason) is held


def team(size: int = 7) -> list[WorkerRecord]:
    return [boss(), *(worker(f"w{number}") for number in range(size))]


def synced(records: list[WorkerRecord]) -> Connection:
    target = connection()
    run_sync(target, trigger="cli", now=NOW, client=FakeSource(records))
    return target


def sync(target: Connection, records: list[WorkerRecord]) -> SyncReport:
    return run_sync(target, trigger="cli", now=LATER, client=FakeSource(records))


def changed(records: list[WorkerRecord], positions: range, **values: object) -> list[WorkerRecord]:
    return [
        replace(record, **values) if place in positions else record
        for place, record in enumerate(records)
    ]


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (GONE, f"would end ({day(0):%-d %b %Y})"),
        ({"end_date": day(0)}, f"would leave on {day(0):%-d %b %Y}"),
        ({"end_date": day(-3)}, f"would end ({day(-3):%-d %b %Y})"),
        ({"country": ""}, "would lose the country"),
        ({"manager_email": ""}, "would lose the manager"),
        ({"legal_entity": "", "legal_entity_id": ""}, "would lose the legal entity"),
        ({"start_date": None}, "would lose the start date"),
    ],
)
def test_company_of_eight_is_held_when_three_would_go(values: dict, what: str) -> None:
    target = synced(team())
    before = picture()
    report = sync(target, changed(team(), range(1, 4), **values))
    assert report.status == "held"
    assert "3 of 8" in report.held_reason
    run = SyncRun.objects.first()
    assert [person["name"] for person in run.held_people] == ["W0", "W1", "W2"]
    assert what in run.held_people[0]["what"]
    assert picture() == before
    assert AuditEntry.objects.filter(action="sync.held").count() == 1


def test_one_leaver_of_eight_is_not_held() -> None:
    target = synced(team())
    report = sync(target, changed(team(), range(1, 2), **GONE))
    assert (report.status, report.ended) == ("applied", 1)


def test_planned_leavers_whose_day_has_come_are_not_counted() -> None:
    target = synced(changed(team(), range(1, 4), end_date=day(0)))
    report = sync(target, changed(team(), range(1, 4), **GONE))
    assert (report.status, report.ended) == ("applied", 3)


def test_many_missing_from_the_feed_are_held() -> None:
    target = synced(team())
    report = sync(target, team()[:5])
    assert report.status == "held"
    assert SyncRun.objects.first().held_people[0]["what"] == ["is missing from the feed"]


def test_mass_change_that_takes_nothing_passes() -> None:
    target = synced(team())
    report = sync(target, changed(team(), range(8), legal_entity="Acme SE", team="Everyone"))
    assert (report.status, report.updated) == ("applied", 8)


def test_release_applies_exactly_the_list() -> None:
    target = synced(team())
    sync(target, changed(team(), range(1, 4), **GONE))
    run = SyncRun.objects.first()
    report = held_apply(run, actor=None, reason="Spin-off", now=LATER + timedelta(hours=1))
    assert (report.status, report.ended) == ("applied", 3)
    assert Person.objects.filter(status="ended").count() == 3
    run.refresh_from_db()
    assert (run.status, run.held_records) == ("applied", [])
    assert AuditEntry.objects.get(action="sync.released").detail["reason"] == "Spin-off"
    with pytest.raises(SyncRefusedError, match="no longer held"):
        held_apply(run, actor=None)


def test_release_is_refused_when_the_directory_changed() -> None:
    target = synced(team())
    sync(target, changed(team(), range(1, 4), **GONE))
    person = Person.objects.get(work_email="w0@acme.test")
    person_override_set(person, field="manager", value=None, reason="None", now=LATER)
    Person.objects.filter(pk=person.pk).update(full_name="Renamed")
    with pytest.raises(SyncRefusedError, match="changed since"):
        held_apply(SyncRun.objects.first(), actor=None, now=LATER)
    assert not Person.objects.filter(status="ended").exists()


def test_discarded_sync_cannot_be_released() -> None:
    target = synced(team())
    sync(target, changed(team(), range(1, 4), **GONE))
    run = SyncRun.objects.first()
    assert held_discard(run, actor=None, reason="Wrong")
    assert not held_discard(run, actor=None)
    with pytest.raises(SyncRefusedError):
        held_apply(run, actor=None)


def test_newer_sync_replaces_a_held_one() -> None:
    target = synced(team())
    sync(target, changed(team(), range(1, 4), **GONE))
    held = SyncRun.objects.first()
    assert sync(target, team()).status == "applied"
    held.refresh_from_db()
    assert (held.status, held.held_records) == ("discarded", [])


def test_person_who_lives_at_one_source_does_not_end_with_another() -> None:
    synced(team())
    second = connection(finished=False, key="hris-two")
    records = [
        replace(record, source="hris-two", manager_email="nobody@acme.test", **GONE)
        for record in team()
    ]
    report = setup_finish(second, actor=None, now=LATER, client=FakeSource(records))
    # The first source's live employments outlive what the second one calls ended.
    assert report.status == "applied"
    assert not Person.objects.filter(status="ended").exists()
