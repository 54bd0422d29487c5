"""A date of the calendar, for everybody who matches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django import forms

from workflows.document.timing import parse_timing
from workflows.nodes import TRIGGERS, Occurrence, PlanningWorld, Trigger, Window
from workflows.params import MappingParam, ParamsForm
from workflows.problems import shown
from workflows.triggers.dates import anchors_between, due_moment

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DateParam(forms.Field):
    """A date as 2026-12-24."""

    widget = forms.DateInput

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
    every = MappingParam(required=False, label="Every", allowed=("month_day", "weekday"))

    def clean(self) -> dict[str, Any]:
        """Exactly one of both, and a day that exists."""
        data: dict[str, Any] = super().clean() or {}
        every = data.get("every") or {}
        if bool(data.get("date")) == bool(every):
            raise forms.ValidationError("Give a date, or every: a month_day or a weekday.")
        if len(every) > 1:
            raise forms.ValidationError("every takes month_day or weekday, not both.")
        day = every.get("month_day")
        if "month_day" in every and not (isinstance(day, int) and 1 <= day <= 31):
            raise forms.ValidationError("month_day is a number from 1 to 31.")
        if "weekday" in every and every["weekday"] not in WEEKDAYS:
            raise forms.ValidationError(f"weekday is one of {', '.join(WEEKDAYS)}.")
        return data


@TRIGGERS.register
class SpecificDateTrigger(Trigger):
    """A month without its day takes its last one."""

    key = "date.specific"
    label = "Specific date"
    icon = "calendar-days"
    category = "Calendar"
    Params = SpecificDateParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “on every monday at 09:00 in the person's time zone”."""
        every = params.get("every") or {}
        words = str(params.get("date") or "")
        if "month_day" in every:
            words = f"day {every['month_day']} of every month"
        elif "weekday" in every:
            words = f"every {every['weekday']}"
        return parse_timing(params, "trigger.params")[0].sentence(words)

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """One for each person and date."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        for anchor in _dates(params, first, last):
            for person in world.people.values():
                due, zone = due_moment(anchor, timing, person, world)
                # Who came after the date was not there for it: no late start either.
                there = due is not None and person.first_seen_at <= due
                if due is not None and there and window.start < due <= window.end:
                    yield Occurrence(
                        person_id=person.id,
                        anchor=anchor.isoformat(),
                        due_at=due,
                        timezone=zone,
                        known_at=person.first_seen_at,
                    )


def _dates(params: Mapping[str, Any], first: date, last: date) -> Iterator[date]:
    every = params.get("every") or {}
    if not every:
        yield date.fromisoformat(str(params["date"]))
        return
    day = first
    while day <= last:
        tomorrow = day + timedelta(days=1)
        if "weekday" in every:
            fits = WEEKDAYS[day.weekday()] == every["weekday"]
        else:
            wanted = every["month_day"]
            fits = day.day == wanted or (tomorrow.month != day.month and day.day < wanted)
        if fits:
            yield day
        day = tomorrow
