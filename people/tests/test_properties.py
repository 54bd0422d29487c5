"""What holds for every feed."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.loading import directory_load, policy_load
from people.managers import on_circles
from people.plan import Directory, Plan, Policy
from people.reconcile import reconcile
from people.records import WorkerRecord
from people.tests.build import NOW, day, feed, picture, worker

EMAILS = ["", "a@acme.test", "b@acme.test", "c@acme.test", "no address"]
DATES = [None, *(day(offset) for offset in (-400, -1, 0, 1, 30)), date.max, date.min]


@st.composite
def feeds(draw: st.DrawFn) -> list[WorkerRecord]:
    count = draw(st.integers(1, 6))
    return [
        worker(
            f"w{number}",
            draw(st.sampled_from(["Ana Lopez", "Tom Berg"])),
            work_email=draw(st.sampled_from(EMAILS)),
            contract_status=draw(st.sampled_from(["active", "upcoming", "ended", ""])),
            start_date=draw(st.sampled_from(DATES)),
            end_date=draw(st.sampled_from(DATES)),
            country=draw(st.sampled_from(["FRA", "USA", "", "XXX"])),
            manager_email=draw(st.sampled_from(EMAILS)),
            manager_external_id=draw(st.sampled_from(["", "w0", "w1", "w9"])),
            never_started=draw(st.booleans()),
            offboarding=draw(st.booleans()),
        )
        for number in range(count)
    ]


@settings(max_examples=50, deadline=None)
@given(feeds(), st.randoms(use_true_random=False))
def test_order_of_records_does_not_matter(records: list[WorkerRecord], rng: random.Random) -> None:
    shuffled = list(records)
    rng.shuffle(shuffled)
    plans = [
        reconcile(tuple(order), directory=Directory(), policy=Policy(), now=NOW)
        for order in (records, shuffled)
    ]
    assert plans[0] == plans[1]


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(feeds(), feeds())
def test_same_feed_twice_writes_nothing(
    first: list[WorkerRecord], second: list[WorkerRecord]
) -> None:
    feed(first)
    feed(second, now=NOW + timedelta(hours=1))
    before = picture()
    assert feed(second, now=NOW + timedelta(hours=2)).is_empty
    assert picture() == before


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(feeds(), feeds())
def test_resolving_again_is_stable(first: list[WorkerRecord], second: list[WorkerRecord]) -> None:
    feed(first)
    plan = feed(second, now=NOW + timedelta(hours=1))
    again = _everyone()
    assert [(one.ref, one.changes) for one in again.people] == []
    assert not again.records
    assert plan is not None


def _everyone() -> Plan:
    return reconcile(
        (),
        directory=directory_load(),
        policy=policy_load(),
        now=NOW + timedelta(hours=1),
        everyone=True,
    )


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.integers(0, 49), st.one_of(st.none(), st.integers(0, 49)), max_size=50))
def test_circles_are_found_in_any_graph(manager: dict[int, int | None]) -> None:
    expected = set()
    for start in manager:
        at, steps = manager.get(start), 0
        while at is not None and at != start and steps <= len(manager):
            at, steps = manager.get(at), steps + 1
        if at == start:
            expected.add(start)
    assert on_circles(manager) == expected
