"""Whatever Remote does on whichever page: people stay as they were or become what is true.

A fault of the source, at any place and for any number of attempts, never makes anybody a leaver,
never loses a change for good, and the next sound sync is complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.connectors.remote import paging
from integrations.connectors.remote.session import RETRIES
from integrations.tests.remote_company import (
    BULK,
    LISTS,
    Picture,
    Synced,
    company,
    endings,
    people,
    undone,
)
from people.tests.build import TODAY

pytestmark = pytest.mark.django_db
PAGES = 4
TIMES = (1, RETRIES, RETRIES + 1, None)
"""Passing at once, at the last attempt, one attempt too many, for good."""
PASSING: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 408},
    {"kind": "ratelimit", "seconds": 7.0},
    {"kind": "html"},
    {"kind": "garbage"},
    {"kind": "reset"},
    {"kind": "truncate"},
)
FINAL: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 302},
    {"kind": "status", "status": 422},
)
CONTRADICTING: tuple[dict[str, Any], ...] = (
    {"kind": "empty"},
    {"kind": "short", "rows": 1},
    {"kind": "short", "rows": 6},
    {"kind": "short", "rows": 10},
    {"kind": "repeat_cursor"},
    {"kind": "wrong_total", "rows": 3},
    {"kind": "duplicate_row"},
)
FAULTS = PASSING + FINAL + CONTRADICTING
PLACES = (*((BULK, page) for page in range(1, PAGES + 1)), *((path, 1) for path in LISTS))


class Story:
    """A company that was synced once; since then one left, one will leave, one came, one rose."""

    def __init__(
        self,
        synced: Synced,
        before: Picture,
        truth: Picture,
        true_endings: set[tuple[str, str, str]],
    ) -> None:
        self.synced, self.before, self.truth = synced, before, truth
        self.true_endings = true_endings
        self.true_leavers = {email for email, _, _ in true_endings}


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setattr(paging, "PAGE_SIZE", 10)
    with company() as simulator:
        synced = Synced(simulator)
        assert synced.first().status == "applied"
        before = people()
        managers = {row["manager__work_email"] for row in before.values()}
        quiet = [
            key
            for key, row in before.items()
            if row["status"] == "active" and not row["problems"] and row["end_date"] is None
            if row["work_email"] not in managers and row["worker_type"] == "eor_employee"
        ]
        leaver, later, riser = quiet[:3]
        simulator.terminate(leaver, TODAY - timedelta(days=1))
        simulator.archive(leaver)
        simulator.terminate(later, TODAY + timedelta(days=40))
        simulator.update(riser, job_title="Head of Everything")
        simulator.hire(full_name="Nora New", work_email="nora.new@acme.test", country="FRA")
        with undone():
            assert synced.again().status == "applied"
            truth, true_endings = people(), endings()
        assert truth != before
        assert {email for email, _, _ in true_endings} == {
            before[leaver]["work_email"],
            before[later]["work_email"],
        }
        yield Story(synced, before, truth, true_endings)


def same(row: dict[str, Any], told: dict[str, Any], *, but: set[str]) -> bool:
    """Whether both say the same, apart from the columns ``but``."""
    return all(value == told.get(name) for name, value in row.items() if name not in but)


def judge(story: Story, place: tuple[str, int], fault: dict[str, Any], times: int | None) -> str:
    """Let one fault happen during one sync; returns how that sync went."""
    path, page = place
    simulator = story.synced.simulator
    started = story.synced.now
    with undone():
        simulator.fault(path, page=page, times=times, **fault)
        try:
            report = story.synced.again()
        finally:
            simulator.clear_faults()
        found = people()
        assert {email for email, _, _ in endings()} <= story.true_leavers, "a leaver who is none"
        if report.status == "applied":
            # Who leaves and when comes from lists of their own. Nobody can tell one that is empty
            # for once from the truth: the day of a new leaver is then deduced until the next sync,
            # and a leaving without a day is a data problem. Days that were known stay.
            unsaid = fault["kind"] == "empty" and path in LISTS
            left_out = {"problems"} if unsaid else set()
            for key, row in found.items():
                if not (unsaid and row["work_email"] in story.true_leavers):
                    told = [story.before.get(key, {}), story.truth.get(key, {})]
                    assert any(same(row, values, but=left_out) for values in told), key
            assert unsaid or endings() <= story.true_endings
            assert found.keys() >= story.before.keys()
        else:
            assert report.status in ("failed", "held")
            assert found == story.before
            assert not endings()
            assert report.error or report.held_reason
        story.synced.row.refresh_from_db()
        story.synced.row.status = "ready"
        story.synced.row.save(update_fields=["status"])
        assert story.synced.again().status == "applied"
        assert people() == story.truth
        assert endings() >= story.true_endings
        assert {email for email, _, _ in endings()} == story.true_leavers
    story.synced.now = started
    story.synced.row.refresh_from_db()
    return report.status


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(place=st.sampled_from(PLACES), fault=st.sampled_from(FAULTS), times=st.sampled_from(TIMES))
def test_s3_no_fault_at_any_place_makes_a_leaver(
    story: Story, place: tuple[str, int], fault: dict[str, Any], times: int | None
) -> None:
    judge(story, place, fault, times)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0]} page {place[1]}")
def test_s3_every_fault_at_every_place_at_every_attempt(
    story: Story, place: tuple[str, int]
) -> None:
    outcomes = [
        judge(story, place, fault, times)
        for fault, times in product(FAULTS, (*range(1, RETRIES + 2), None))
    ]
    assert len(outcomes) == len(FAULTS) * (RETRIES + 2)
    assert {"applied", "failed"} <= set(outcomes)


SOME = (PLACES[0], PLACES[2], PLACES[PAGES - 1], PLACES[PAGES])


@pytest.mark.parametrize("place", SOME, ids=lambda place: f"{place[0]} page {place[1]}")
def test_fault_that_passes_in_time_costs_nothing(story: Story, place: tuple[str, int]) -> None:
    for fault in ({"kind": "ratelimit", "seconds": 7.0}, {"kind": "truncate"}):
        assert judge(story, place, fault, RETRIES) == "applied"


@pytest.mark.parametrize("place", SOME, ids=lambda place: f"{place[0]} page {place[1]}")
def test_fault_that_stays_applies_nothing(story: Story, place: tuple[str, int]) -> None:
    assert judge(story, place, {"kind": "status", "status": 500}, None) == "failed"
    assert judge(story, place, {"kind": "status", "status": 401}, 1) == "failed"
