"""When triggers fire: exactly once, by the right clock, through every oddity of calendars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.nodes import (
    TRIGGERS,
    Happening,
    Occurrence,
    PlannedPerson,
    PlanningWorld,
    Trigger,
    Window,
)
from workflows.timing import moment_of

SEEN = datetime(2024, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones() - {"Factory", "localtime"})


def person_with(
    facts: Mapping[str, Any] | None = None, *, zone: str = "UTC", pk: int = 1, **values: Any
) -> PlannedPerson:
    return PlannedPerson(
        id=pk,
        label=f"Person {pk}",
        work_email=f"p{pk}@acme.test",
        facts={f"person.{key}": value for key, value in (facts or {}).items()},
        timezone=zone,
        country=values.pop("country", ""),
        known_at=values.pop("known_at", {}),
        baseline_at=None,
        first_seen_at=values.pop("first_seen_at", SEEN),
        **values,
    )


def world_of(*people: PlannedPerson, happenings: Iterable[Happening] = ()) -> PlanningWorld:
    return PlanningWorld(
        people={person.id: person for person in people},
        happenings=tuple(happenings),
        workspace_timezone="Europe/Paris",
    )


def trigger_of(key: str) -> Trigger:
    found = TRIGGERS.get(key)
    assert found is not None
    return found


def fired(
    key: str,
    params: Mapping[str, Any],
    world: PlanningWorld,
    start: datetime,
    end: datetime,
) -> list[Occurrence]:
    window = Window(start=start, end=end)
    return list(trigger_of(key).occurrences(params, window=window, world=world))


def day_of(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_end_date_fires_at_the_local_hour() -> None:
    world = world_of(person_with({"end_date": date(2026, 3, 31)}, zone="America/Sao_Paulo"))
    found = fired("person.end_date", {"at": "18:00"}, world, day_of(2026, 3, 1), day_of(2026, 5, 1))
    assert [(item.anchor, item.due_at, item.timezone) for item in found] == [
        ("2026-03-31", datetime(2026, 3, 31, 21, 0, tzinfo=UTC), "America/Sao_Paulo")
    ]


@pytest.mark.parametrize(
    ("zone", "resolved"),
    [
        ("person", "Asia/Tokyo"),
        ("workspace", "Europe/Paris"),
        ("America/New_York", "America/New_York"),
    ],
)
def test_zone_of_the_moment_is_the_one_chosen(zone: str, resolved: str) -> None:
    world = world_of(person_with({"start_date": date(2026, 7, 1)}, zone="Asia/Tokyo"))
    params = {"at": "09:00", "timezone": zone}
    (found,) = fired("person.start_date", params, world, day_of(2026, 6, 1), day_of(2026, 8, 1))
    assert found.timezone == resolved
    local = found.due_at.astimezone(ZoneInfo(resolved))
    assert (local.date(), local.hour) == (date(2026, 7, 1), 9)


def test_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    world = world_of(person_with({"start_date": date(2026, 7, 1)}))
    due = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert len(fired("person.start_date", {}, world, due - hour, due)) == 1
    assert fired("person.start_date", {}, world, due, due + hour) == []


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2024, 1, 1), date(2032, 12, 31)),
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 15, 30, 45, 59]),
    days=st.integers(-180, 180),
)
def test_date_fires_exactly_once_in_consecutive_windows(
    zone: str, day: date, hour: int, minute: int, days: int
) -> None:
    direction = "before" if days < 0 else "after" if days else "same_day"
    params = {
        "direction": direction,
        "days": abs(days),
        "at": f"{hour:02}:{minute:02}",
    }
    world = world_of(person_with({"end_date": day}, zone=zone))
    target = day + timedelta(days=days)
    start = datetime(target.year, target.month, target.day, tzinfo=UTC) - timedelta(days=3)
    step = timedelta(hours=13)
    found = [
        item
        for index in range(12)
        for item in fired(
            "person.end_date", params, world, start + step * index, start + step * (index + 1)
        )
    ]
    assert len(found) == 1
    local = found[0].due_at.astimezone(ZoneInfo(zone))
    wanted = datetime(target.year, target.month, target.day, hour, minute)
    assert local.replace(tzinfo=None) >= wanted
    # A gap moves it by no more than the gap; Apia and Kwajalein once skipped a whole day.
    assert local.replace(tzinfo=None) - wanted <= timedelta(hours=24)
    assert found[0].anchor == day.isoformat()


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        # The clocks skip 02:00–03:00: the first instant after the gap.
        ("Europe/Paris", date(2026, 3, 29), "02:30", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        # 02:30 happens twice: the first one.
        ("Europe/Paris", date(2026, 10, 25), "02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # Midnight itself is skipped.
        ("Africa/Cairo", date(2026, 4, 24), "00:00", datetime(2026, 4, 23, 22, 0, tzinfo=UTC)),
        # Half an hour of summer time.
        (
            "Australia/Lord_Howe",
            date(2026, 10, 4),
            "02:15",
            datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        ),
    ],
)
def test_gap_and_overlap_of_the_clocks(zone: str, day: date, at: str, expected: datetime) -> None:
    assert moment_of(day, offset_days=0, at=at, timezone=zone) == expected


@pytest.mark.slow
@pytest.mark.parametrize("day", [date.max, date.min, date(9999, 12, 30), date(1, 1, 2)])
@pytest.mark.parametrize("direction", ["before", "after"])
@pytest.mark.parametrize("weekend", ["keep", "next_working_day", "previous_working_day"])
def test_dates_at_the_ends_of_the_calendar_never_raise(
    day: date, direction: str, weekend: str
) -> None:
    people = [
        person_with({"start_date": day, "date_of_birth": day}, zone="Pacific/Kiritimati", pk=1),
        person_with({"start_date": day, "date_of_birth": day}, zone="Etc/GMT+12", pk=2),
    ]
    params = {"direction": direction, "days": 180, "weekend": weekend}
    for key in ("person.start_date", "person.birthday", "person.work_anniversary"):
        world = world_of(*people)
        assert len(fired(key, params, world, day_of(2026, 1, 1), day_of(2026, 2, 1))) < 3
        fired(key, params, world, day_of(1, 1, 1), day_of(1, 2, 1))
        fired(key, params, world, day_of(9999, 11, 1), day_of(9999, 12, 31))


@pytest.mark.parametrize(
    ("rule", "day", "country", "expected"),
    [
        ("keep", date(2026, 5, 2), "FRA", date(2026, 5, 2)),
        ("previous_working_day", date(2026, 5, 2), "", date(2026, 5, 1)),
        # 1 May is a holiday in France.
        ("previous_working_day", date(2026, 5, 2), "FRA", date(2026, 4, 30)),
        ("next_working_day", date(2026, 5, 2), "FRA", date(2026, 5, 4)),
        ("next_working_day", date(2026, 12, 25), "DEU", date(2026, 12, 28)),
        ("next_working_day", date(2026, 5, 5), "FRA", date(2026, 5, 5)),
        ("next_working_day", date(2026, 5, 2), "XXX", date(2026, 5, 4)),
    ],
)
def test_weekend_rule_moves_days_off(rule: str, day: date, country: str, expected: date) -> None:
    world = world_of(person_with({"end_date": day}, country=country))
    (found,) = fired(
        "person.end_date",
        {"at": "12:00", "weekend": rule},
        world,
        day_of(day.year, day.month, 1) - timedelta(days=31),
        day_of(day.year, day.month, 28) + timedelta(days=31),
    )
    assert found.due_at.date() == expected
    assert found.anchor == day.isoformat(), "the anchor stays the date itself"


def test_birthday_of_29_february_comes_once_every_year() -> None:
    world = world_of(person_with({"date_of_birth": date(1992, 2, 29)}, zone="Europe/Berlin"))
    found = fired("person.birthday", {}, world, day_of(2023, 1, 1), day_of(2030, 1, 1))
    assert [item.anchor for item in found] == [
        *("2023-02-28", "2024-02-29", "2025-02-28", "2026-02-28"),
        *("2027-02-28", "2028-02-29", "2029-02-28"),
    ]


def test_birthday_at_the_turn_of_the_year_is_found_from_both_sides() -> None:
    people = [
        person_with({"date_of_birth": date(1990, 1, 1)}, zone="Pacific/Kiritimati", pk=1),
        person_with({"date_of_birth": date(1990, 12, 31)}, zone="Etc/GMT+12", pk=2),
    ]
    params = {"direction": "before", "days": 3, "at": "00:00"}
    found = fired(
        "person.birthday", params, world_of(*people), day_of(2026, 12, 27), day_of(2026, 12, 30)
    )
    assert sorted((item.person_id, item.anchor) for item in found) == [
        (1, "2027-01-01"),
        (2, "2026-12-31"),
    ]


@settings(max_examples=50, deadline=None)
@given(
    born=st.dates(date(1930, 1, 1), date(2008, 12, 31)),
    zone=st.sampled_from(ZONES),
    days=st.integers(-180, 180),
)
def test_birthday_fires_once_for_each_year(born: date, zone: str, days: int) -> None:
    params = {
        "direction": "before" if days < 0 else "after" if days else "same_day",
        "days": abs(days),
    }
    world = world_of(person_with({"date_of_birth": born}, zone=zone))
    found = fired("person.birthday", params, world, day_of(2025, 1, 1), day_of(2029, 1, 1))
    anchors = [item.anchor for item in found]
    assert len(set(anchors)) == len(anchors)
    years = [int(anchor[:4]) for anchor in anchors]
    assert years == sorted(years)
    assert 4 <= len(years) <= 5 or len(years) == 3
    assert years == list(range(years[0], years[0] + len(years)))


def test_anniversary_counts_from_the_first_year_and_keeps_to_chosen_ones() -> None:
    world = world_of(person_with({"start_date": date(2024, 5, 4)}))
    span = (day_of(2024, 1, 1), day_of(2031, 1, 1))
    every = fired("person.work_anniversary", {}, world, *span)
    assert [item.anchor[:4] for item in every] == ["2025", "2026", "2027", "2028", "2029", "2030"]
    some = fired("person.work_anniversary", {"years": [1, 5]}, world, *span)
    assert [item.anchor for item in some] == ["2025-05-04", "2029-05-04"]


def test_known_at_is_that_of_the_date() -> None:
    later = datetime(2026, 6, 20, tzinfo=UTC)
    people = [
        person_with({"start_date": date(2026, 7, 1)}, pk=1, known_at={"start_date": later}),
        person_with({"start_date": date(2026, 7, 1)}, pk=2, known_at={"end_date": later}),
    ]
    found = fired(
        "person.start_date", {}, world_of(*people), day_of(2026, 6, 1), day_of(2026, 8, 1)
    )
    assert {item.person_id: item.known_at for item in found} == {1: later, 2: SEEN}


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("person.start_date", "start_date"),
        ("person.end_date", "end_date"),
        ("person.probation_end", "probation_end_date"),
    ],
)
def test_current_anchor_follows_the_date(key: str, field: str) -> None:
    trigger = trigger_of(key)
    assert trigger.follows_date
    assert trigger.current_anchor({}, person_with({field: date(2026, 7, 1)})) == "2026-07-01"
    assert trigger.current_anchor({}, person_with({field: None})) is None
    assert trigger.current_anchor({}, person_with()) is None


def test_no_date_means_no_occurrence() -> None:
    world = world_of(person_with({"end_date": None}), person_with({}, pk=2))
    for trigger in TRIGGERS:
        if trigger.key.startswith("person.") and trigger.forecastable:
            span = (day_of(2000, 1, 1), day_of(2040, 1, 1))
            assert fired(trigger.key, {}, world, *span) == []


def change(pk: int, **values: Any) -> Happening:
    defaults: dict[str, Any] = {
        "kind": "person.changed",
        "person_id": 1,
        "at": datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
        "field": "country",
        "before": "FRA",
        "after": "ESP",
    }
    return Happening(id=pk, **{**defaults, **values})


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"field": "country"}, True),
        ({"field": "person.country"}, True),
        ({"field": "country", "to": "ESP"}, True),
        ({"field": "country", "to": "esp "}, True),
        ({"field": "country", "to": ["DEU", "ESP"]}, True),
        ({"field": "country", "from": ["FRA"], "to": "ESP"}, True),
        ({"field": "country", "from": "DEU"}, False),
        ({"field": "country", "to": ["DEU"]}, False),
        ({"field": "team"}, False),
    ],
)
def test_person_changed_fires_for_the_field_and_values(
    params: dict[str, Any], expected: bool
) -> None:
    world = world_of(person_with(), happenings=[change(7)])
    found = fired("person.changed", params, world, day_of(2026, 7, 1), day_of(2026, 7, 2))
    assert [item.anchor for item in found] == (["event:7"] if expected else [])
    for item in found:
        assert item.change == {
            "change.field": "country",
            "change.before": "FRA",
            "change.after": "ESP",
        }


@pytest.mark.parametrize(("wanted", "expected"), [(False, True), (True, False), ("", True)])
def test_person_changed_tells_false_from_nothing(wanted: object, expected: bool) -> None:
    happening = change(7, field="custom.remote", before=True, after=False)
    params = {"field": "custom.remote", "to": wanted}
    world = world_of(person_with(), happenings=[happening])
    found = fired("person.changed", params, world, day_of(2026, 7, 1), day_of(2026, 7, 2))
    assert bool(found) is expected


def test_events_of_a_first_import_or_outside_the_window_start_nothing() -> None:
    early = datetime(2026, 6, 1, tzinfo=UTC)
    added: dict[str, Any] = {"kind": "person.added", "field": ""}
    happenings = [
        change(1, baseline=True),
        change(2, at=early),
        change(3, person_id=99),
        change(4, baseline=True, **added),
        change(5, **added),
    ]
    world = world_of(person_with(), happenings=happenings)
    span = (day_of(2026, 7, 1), day_of(2026, 7, 2))
    assert fired("person.changed", {"field": "country"}, world, *span) == []
    assert [item.anchor for item in fired("person.added", {}, world, *span)] == ["event:5"]


def test_request_submitted_carries_the_request() -> None:
    happening = Happening(
        id=4,
        kind="request.submitted",
        person_id=1,
        at=datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
        service="laptop",
        facts={"request.service": "laptop", "request.form.model": "M4"},
    )
    world = world_of(person_with(), happenings=[happening])
    span = (day_of(2026, 7, 1), day_of(2026, 7, 2))
    (found,) = fired("request.submitted", {"service": "laptop"}, world, *span)
    assert (found.anchor, found.request_id) == ("request:4", 4)
    assert found.change["request.form.model"] == "M4"
    assert fired("request.submitted", {"service": "phone"}, world, *span) == []
    assert len(fired("request.submitted", {}, world, *span)) == 1


def test_specific_date_fires_once_for_everybody() -> None:
    world = world_of(person_with(pk=1), person_with(pk=2, zone="Asia/Tokyo"))
    span = (day_of(2026, 12, 1), day_of(2026, 12, 31))
    found = fired("date.specific", {"date": "2026-12-24"}, world, *span)
    assert sorted((item.person_id, item.anchor) for item in found) == [
        (1, "2026-12-24"),
        (2, "2026-12-24"),
    ]


def test_specific_weekday_fires_every_week() -> None:
    world = world_of(person_with())
    span = (day_of(2026, 12, 1), day_of(2026, 12, 29))
    found = fired("date.specific", {"every": {"weekday": "monday"}}, world, *span)
    assert [item.anchor for item in found] == [
        *("2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28")
    ]


@pytest.mark.parametrize(
    ("month_day", "anchors"),
    [
        ("02-29", ["2026-02-28", "2027-02-28", "2028-02-29"]),
        ("12-24", ["2025-12-24", "2026-12-24", "2027-12-24"]),
    ],
)
def test_specific_day_of_the_year_comes_once_a_year(month_day: str, anchors: list[str]) -> None:
    span = (day_of(2025, 12, 1), day_of(2028, 12, 1))
    params = {"every": {"month_day": month_day}}
    found = fired("date.specific", params, world_of(person_with()), *span)
    assert [item.anchor for item in found] == anchors


def test_specific_day_of_the_month_takes_the_last_one_of_short_months() -> None:
    span = (day_of(2026, 1, 2), day_of(2026, 5, 2))
    params = {"every": {"month_day": 31}}
    found = fired("date.specific", params, world_of(person_with()), *span)
    assert [item.anchor for item in found] == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30")
    ]


@pytest.mark.parametrize("params", [{}, {"date": 5}, {"date": "x"}, {"every": 3}])
def test_draft_without_a_date_is_due_for_nobody(params: dict[str, Any]) -> None:
    span = (day_of(2026, 1, 1), day_of(2027, 1, 1))
    assert fired("date.specific", params, world_of(person_with()), *span) == []


def test_specific_date_passes_over_people_who_came_later() -> None:
    came = datetime(2026, 12, 25, tzinfo=UTC)
    world = world_of(person_with(first_seen_at=came))
    span = (day_of(2026, 12, 1), day_of(2026, 12, 31))
    assert fired("date.specific", {"date": "2026-12-24"}, world, *span) == []


def test_manual_is_never_due() -> None:
    span = (day_of(2000, 1, 1), day_of(2040, 1, 1))
    assert fired("manual", {}, world_of(person_with()), *span) == []
    assert not trigger_of("manual").forecastable
