"""Several employments of one human being: people leave, contracts end."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from people.models import LifecycleEvent, Person, SourceRecord
from people.records import WorkerRecord
from people.tests.build import NOW, day, feed, person, worker

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=4)
MAIL = "ana@acme.test"


def contractor(**values: object) -> WorkerRecord:
    return worker("a-contract", "Ana", **{"worker_type": "contractor", **values})


def employee(**values: object) -> WorkerRecord:
    return worker("b-employee", "Ana", **{"start_date": day(1), **values})


ENDED = {"contract_status": "ended", "end_date": day(0)}
UPCOMING = {"contract_status": "upcoming"}


@pytest.mark.parametrize(
    ("contract", "job", "primary", "status", "end"),
    [
        (ENDED, {}, "b-employee", "hired", None),
        (ENDED, {"start_date": day(0)}, "b-employee", "active", None),
        ({"end_date": day(0)}, UPCOMING, "a-contract", "active", None),
        ({"end_date": day(0)}, {**UPCOMING, "end_date": day(90)}, "a-contract", "offboarding", 90),
        ({}, UPCOMING, "a-contract", "active", None),
        ({"end_date": day(0)}, {"start_date": day(-3)}, "b-employee", "active", None),
        ({}, {"start_date": day(-3), "end_date": day(5)}, "b-employee", "active", None),
        (ENDED, {**ENDED, "end_date": day(-4), "start_date": day(-9)}, "b-employee", "ended", -4),
        (ENDED, {**UPCOMING, "end_date": day(60)}, "b-employee", "hired", 60),
    ],
)
def test_contractor_who_continues_as_employee_does_not_leave(
    contract: dict[str, object],
    job: dict[str, object],
    primary: str,
    status: str,
    end: int | None,
) -> None:
    feed([contractor()])
    LifecycleEvent.objects.all().delete()
    feed([contractor(**contract), employee(**job)], now=LATER)
    ana = Person.objects.get()
    assert SourceRecord.objects.get(is_primary=True).external_id == primary
    assert ana.remote_id == primary
    assert ana.status == status
    assert ana.end_date == (None if end is None else day(end))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    steps = [contractor(), employee(**UPCOMING), contractor(**ENDED)]
    seen: dict[str, WorkerRecord] = {}
    for moment, position in enumerate(order):
        record = steps[position]
        if record.external_id in seen and seen[record.external_id].contract_status == "ended":
            continue
        seen[record.external_id] = record
        feed(list(seen.values()), now=NOW + timedelta(hours=moment))
        assert not Person.objects.filter(end_date__isnull=False, status="active").exists()
    seen["a-contract"] = steps[2]
    feed(list(seen.values()), now=NOW + timedelta(hours=5))
    ana = Person.objects.get()
    assert (ana.status, ana.end_date, ana.remote_id) == ("hired", None, "b-employee")


def test_both_in_one_feed_are_one_person() -> None:
    feed([employee(), contractor(**ENDED)])
    ana = Person.objects.get()
    assert ana.source_records.count() == 2
    assert (ana.worker_type, ana.employment_type) == ("eor_employee", "employee")


def test_rehire_opens_the_same_person_again() -> None:
    feed([contractor()])
    pk = person("ana").pk
    feed([contractor(contract_status="ended", end_date=day(-1))], now=LATER)
    assert person("ana").status == "ended"
    feed(
        [contractor(contract_status="ended", end_date=day(-1)), employee(**UPCOMING)],
        now=NOW + timedelta(hours=8),
    )
    ana = person("ana")
    assert (ana.pk, ana.status, ana.end_date, ana.start_date) == (pk, "hired", None, day(1))
    assert ana.known_at["start_date"] == (NOW + timedelta(hours=8)).isoformat()
    assert "end_date" not in ana.known_at


def test_transfer_keeps_the_person_and_reports_two_live_employments() -> None:
    plan = feed([contractor(), employee(start_date=day(-1), legal_entity="Acme Inc")])
    ana = person("ana")
    assert ana.legal_entity is not None and ana.legal_entity.name == "Acme Inc"
    assert "two_live_employments" in ana.problems
    assert [conflict.work_email for conflict in plan.conflicts] == [MAIL]


def test_blank_does_not_fall_through_to_an_ended_employment() -> None:
    feed([contractor(job_title="Consultant", **ENDED), employee(job_title="")])
    assert person("ana").job_title == ""


def test_case_of_the_address_does_not_matter() -> None:
    feed([contractor(**ENDED), replace(employee(), work_email="Ana@Acme.test")])
    assert Person.objects.get().work_email == "ana@acme.test"


def test_vanished_employment_gives_way_to_the_newer_one() -> None:
    feed([contractor(), employee(start_date=day(-1))])
    feed([employee(start_date=day(-1), contract_status="ended", end_date=day(0))], now=LATER)
    assert person("ana").status == "ended"


def test_vanished_employment_outlives_an_older_ended_one() -> None:
    old = contractor(contract_status="ended", end_date=day(-400), start_date=day(-800))
    feed([old, employee(start_date=day(-1))])
    feed([replace(old, job_title="x")], now=LATER)
    assert person("ana").status == "active"
