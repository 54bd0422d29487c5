"""Schedules: ours are exact, others are left alone, unreadable rows are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.models import Schedule

from siit_remote.schedules import SCHEDULES, schedule_problem, schedules_missing, schedules_set_up

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
NAMES = sorted(planned.name for planned in SCHEDULES)


def test_every_schedule_names_a_callable() -> None:
    assert all(callable(import_string(planned.func)) for planned in SCHEDULES)


@pytest.mark.django_db
def test_setup_twice_changes_nothing_the_second_time() -> None:
    assert sorted(schedules_set_up(now=NOW).created) == NAMES
    before = list(Schedule.objects.order_by("pk").values())
    report = schedules_set_up(now=NOW)
    assert sorted(report.unchanged) == NAMES
    assert list(Schedule.objects.order_by("pk").values()) == before
    assert schedules_missing() == []


@pytest.mark.django_db
def test_setup_mends_removes_and_leaves_others() -> None:
    schedules_set_up(now=NOW)
    Schedule.objects.filter(name=NAMES[0]).update(args="oops(", minutes=99)
    Schedule.objects.create(name=NAMES[1], func="os.system")
    Schedule.objects.create(name="siit: gone", func="siit_remote.tasks.gone")
    Schedule.objects.create(name="theirs", func="their.task")
    report = schedules_set_up(now=NOW)
    assert report.updated == [NAMES[0]]
    assert report.removed == ["siit: gone"]
    assert sorted(Schedule.objects.values_list("name", flat=True)) == sorted([*NAMES, "theirs"])
    assert not Schedule.objects.filter(func="os.system").exists()


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"func": "siit_remote.tasks.heartbeat"}, ""),
        ({"func": "siit_remote.tasks.nothing"}, "no function"),
        ({"func": "siit_remote.tasks.heartbeat", "args": "oops("}, "arguments"),
        ({"func": "siit_remote.tasks.heartbeat", "kwargs": "a=="}, "keyword arguments"),
        ({"func": "siit_remote.tasks.heartbeat", "next_run": None}, "next run"),
    ],
)
def test_unreadable_row_is_named(values: dict[str, object], problem: str) -> None:
    found = schedule_problem(Schedule(**values))
    assert bool(found) == bool(problem)
    assert problem in found


@pytest.mark.django_db
def test_command_prints_one_document() -> None:
    out = StringIO()
    call_command("setup_schedules", json=True, stdout=out)
    assert sorted(json.loads(out.getvalue())["created"]) == NAMES
