"""A date of the calendar, for everybody who matches."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q

from workflows.document.timing import parse_timing
from workflows.nodes import NOBODY, TRIGGERS, Moment, PlanningWorld, Window
from workflows.params import MappingParam, Param, ParamsForm, ScalarParam, TextParam
from workflows.places import Places
from workflows.planned import days_between
from workflows.problems import shown
from workflows.triggers.dates import CalendarTrigger, anchors_between, dates_due, due_moment

_LEAP_YEAR = 2024
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DateParam(Param):
    """A date as 2026-12-24."""

    widget = forms.DateInput

    @property
    def control(self) -> str:
        """A calendar."""
        return "date"

    def to_python(self, value: Any) -> date | None:
        """Refuse what is no date."""
        if value in (None, ""):
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError as error:
            raise forms.ValidationError(f"Expected a date, found {shown(value)}.") from error


class SpecificDateParams(ParamsForm):
    """One date, or every month's day, or every week's day."""

    date = DateParam(required=False, label="Date")
    every = MappingParam(
        required=False,
        label="Or again and again",
        allowed=("month_day", "weekday"),
        parts={
            "month_day": ScalarParam(
                label="Day of the month", help_text="As 15; as 12-24 for once a year."
            ),
            "weekday": TextParam(label="Day of the week", choices=WEEKDAYS),
        },
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one of both, and a day that exists."""
        data: dict[str, Any] = super().clean() or {}
        every = data.get("every") or {}
        if bool(data.get("date")) == bool(every):
            raise forms.ValidationError("Give a date, or every: a month_day or a weekday.")
        if len(every) > 1:
            raise forms.ValidationError("every takes month_day or weekday, not both.")
        if "month_day" in every and _month_day(every["month_day"]) is None:
            raise forms.ValidationError(
                'month_day is a day of each month (1 to 31), or one day of the year as "12-24".'
            )
        if "weekday" in every and every["weekday"] not in WEEKDAYS:
            raise forms.ValidationError(f"weekday is one of {', '.join(WEEKDAYS)}.")
        return data


@TRIGGERS.register
class SpecificDateTrigger(CalendarTrigger):
    """A month without its day takes its last one."""

    key = "date.specific"
    label = "Specific date"
    icon = "calendar-days"
    category = "Calendar"
    reads = ()
    Params = SpecificDateParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “on every monday at 09:00 in the person's time zone”."""
        rule, day = _rule(params), params.get("date")
        month_day = _month_day(rule.get("month_day"))
        words = str(day) if isinstance(day, str | date) else "a date to be chosen"
        if month_day is not None:
            month, number = month_day
            name = f"{date(_LEAP_YEAR, month, 1):%B}" if month else ""
            words = f"{number} {name} of every year" if month else f"day {number} of every month"
        elif rule.get("weekday") in WEEKDAYS:
            words = f"every {str(rule['weekday']).capitalize()}"
        return parse_timing(params, "trigger.params")[0].sentence(words)

    def moments(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Moment]:
        """One for each date and zone."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        places = world.likely_places()
        for anchor in _dates(params, first, last):
            words = anchor.isoformat()
            for place in places:
                due, zone = due_moment(anchor, timing, place, world)
                if due is None or not window.start < due <= window.end:
                    continue
                # Who came after the date was not there for it: no late start either.
                there = [person for person in place.people if person.first_seen_at <= due]
                yield Moment(words, due, zone, there)

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q | None:
        """Everybody, where one of the dates may lie in the window at all."""
        timing = parse_timing(params, "trigger.params")[0]
        some = any(True for _ in _dates(params, *anchors_between(timing, window)))
        return None if some else NOBODY

    def near(self, params: Mapping[str, Any], *, window: Window, places: Places) -> Q | None:
        """Everybody in the zones where one of the dates is due."""
        timing = parse_timing(params, "trigger.params")[0]
        due = dates_due(timing, window=window, places=places)
        zones = {
            zone
            for anchor, some in due.items()
            if any(True for _ in _dates(params, anchor, anchor))
            for zone in some
        }
        return places.within(zones) if zones else NOBODY


def _rule(params: Mapping[str, Any]) -> Mapping[str, Any]:
    every = params.get("every")
    return every if isinstance(every, Mapping) else {}


def _month_day(value: object) -> tuple[int, int] | None:
    """Month (0: each of them) and day; ``None`` when there is no such day in a leap year."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (0, value) if 1 <= value <= 31 else None
    try:
        if isinstance(value, str) and re.fullmatch(r"\d\d-\d\d", value):
            found = date.fromisoformat(f"{_LEAP_YEAR}-{value}")
            return found.month, found.day
    except ValueError:
        return None
    return None


def _dates(params: Mapping[str, Any], first: date, last: date) -> Iterator[date]:
    """The rule's dates from ``first`` to ``last``; none for a draft that cannot be read."""
    rule = _rule(params)
    if not rule:
        with suppress(ValueError, forms.ValidationError):
            day = DateParam(required=False).to_python(params.get("date"))
            if day is not None and first <= day <= last:
                yield day
        return
    month_day, weekday = _month_day(rule.get("month_day")), rule.get("weekday")
    for day in days_between(first, last):
        if month_day is not None:
            fits = _falls_on(day, *month_day)
        else:
            fits = WEEKDAYS[day.weekday()] == weekday
        if fits:
            yield day


def _falls_on(day: date, month: int, wanted: int) -> bool:
    """A month without its day takes its last one, so 29 February falls on 28 February."""
    if month and day.month != month:
        return False
    return day.day == min(wanted, monthrange(day.year, day.month)[1])
