"""The directory as of any moment is what it was at that moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from people.history import directory_as_of, listed_as_of, person_as_of
from people.models import Person
from people.overriding import person_override_set
from people.plan import FIELDS
from people.tests.build import NOW, boss, day, feed, person, worker

NAMES = ("ana", "tom", "eva")


def snapshot() -> dict[int, dict[str, Any]]:
    """What the tables hold now, told in the words of history, by other means than its own."""
    found = {}
    for row in Person.objects.select_related("team", "legal_entity"):
        values = {}
        for name in FIELDS:
            value = getattr(row, name)
            if name == "manager":
                value = row.manager_id
            elif name in ("team", "legal_entity"):
                value = value.name if value else ""
            elif hasattr(value, "isoformat"):
                value = value.isoformat()
            values[name] = value
        found[row.pk] = values
    return found


def told(moment: Any) -> dict[int, dict[str, Any]]:
    return {pk: dict(then.values) for pk, then in directory_as_of(moment).items()}


WORKERS = st.fixed_dictionaries(
    {},
    optional={
        "job_title": st.sampled_from(["Engineer", "Designer", ""]),
        "team": st.sampled_from(["Sales", "Design", ""]),
        "country": st.sampled_from(["FRA", "USA", ""]),
        "legal_entity": st.sampled_from(["Acme SAS", "Acme Inc."]),
        "worker_type": st.sampled_from(["contractor", "eor_employee"]),
        "contract_status": st.sampled_from(["active", "upcoming", "ended"]),
        "end_date": st.sampled_from([None, day(-3), day(40)]),
        "manager_email": st.sampled_from(["boss@acme.test", "ana@acme.test", ""]),
        "custom": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"])),
        "full_name": st.sampled_from(["Ana Berg", "Tom Lind", "Eva Dahl"]),
    },
)
FEEDS = st.lists(
    st.dictionaries(st.sampled_from(NAMES), WORKERS, max_size=3), min_size=1, max_size=5
)


class HistoryReplays(TestCase):
    """Hypothesis needs a test case for its transactions."""

    @hypothesis_settings(max_examples=25, deadline=None)
    @given(feeds=FEEDS, moved=st.lists(st.booleans(), min_size=5, max_size=5))
    def test_every_moment_of_a_random_history_is_told_as_it_was(
        self, feeds: list[dict[str, dict[str, Any]]], moved: list[bool]
    ) -> None:
        taken = []
        for step, workers in enumerate(feeds):
            now = NOW + timedelta(hours=step)
            address = "ana.new@acme.test" if moved[step] else "ana@acme.test"
            records = [boss()]
            for name, values in workers.items():
                email = address if name == "ana" else f"{name}@acme.test"
                records.append(worker(name, work_email=email, **values))
            feed(records, now=now, complete=False)
            taken.append((now, snapshot()))
        for now, expected in taken:
            assert told(now) == expected
            assert told(now + timedelta(minutes=30)) == expected
        assert told(NOW - timedelta(seconds=1)) == {}


@pytest.mark.django_db
def test_present_is_as_of_now_with_values_set_by_hand() -> None:
    feed([boss(), worker("ana")])
    later = NOW + timedelta(hours=1)
    person_override_set(person("ana"), field="job_title", value="Lead", reason="x", now=later)
    assert told(later) == snapshot()
    before = person_as_of(person("ana"), moment=NOW)
    assert before is not None
    assert before.values["job_title"] == ""
    assert person_as_of(person("ana"), moment=NOW - timedelta(days=1)) is None


@pytest.mark.django_db
def test_manager_of_then_is_found_by_a_former_address() -> None:
    feed([boss(), worker("ana"), worker("tom", manager_email="ana@acme.test")])
    second = NOW + timedelta(hours=1)
    feed([worker("tom", manager_email="boss@acme.test")], now=second, complete=False)
    third = NOW + timedelta(hours=2)
    feed([worker("ana", work_email="ana.b@acme.test")], now=third, complete=False)
    then = person_as_of(person("tom"), moment=NOW)
    assert then is not None
    assert then.values["manager"] == person("ana.b").pk


@pytest.mark.django_db
def test_history_of_everybody_takes_a_fixed_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    feed([boss(), *(worker(f"w{number}") for number in range(30))])
    later = NOW + timedelta(hours=1)
    moves = [worker(f"w{number}", team="Other") for number in range(30)]
    feed(moves, now=later, complete=False)
    with django_assert_max_num_queries(5):
        assert {then.values["team"] for then in directory_as_of(NOW).values()} == {"Sales"}


@pytest.mark.django_db
def test_list_of_then_is_that_of_the_directory_of_then() -> None:
    feed([boss(), worker("ana", "Ána Łopez", job_title="Pilot"), worker("tom", "Tom Berg")])
    feed([worker("new", "Zoë New")], now=NOW + timedelta(hours=1), complete=False)
    moved = worker("ana", "Bea Lopez", job_title="Boss", contract_status="ended")
    feed([moved], now=NOW + timedelta(hours=2), complete=False)
    lines = [(line.name, line.status) for line in listed_as_of(NOW)]
    assert lines == [("Boss", "active"), ("Tom Berg", "active"), ("Ána Łopez", "active")]
    assert [line.name for line in listed_as_of(NOW, text="lopez pilot")] == ["Ána Łopez"]
    assert listed_as_of(NOW, text="lopez pilot", hidden={"job_title"}) == []
    assert listed_as_of(NOW, text="bea") == []
    now = NOW + timedelta(hours=2)
    assert {line.id for line in listed_as_of(now)} == set(directory_as_of(now))


@pytest.mark.django_db
def test_list_of_then_takes_two_queries_and_keeps_short_lines(
    django_assert_num_queries: Any,
) -> None:
    feed([boss(), *(worker(f"w{number}") for number in range(30))])
    with django_assert_num_queries(2):
        assert len(listed_as_of(NOW, text="w")) == 30
