"""What every trigger on a date of the person shares."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.db.models import Q

from workflows.document.timing import Timing, parse_timing
from workflows.nodes import (
    NOBODY,
    Cohort,
    Moment,
    Occurrence,
    PlannedPerson,
    PlanningWorld,
    Trigger,
    Window,
)
from workflows.params import NoParams
from workflows.places import Places
from workflows.planned import days_between
from workflows.timing import moment_of, shift_to_working_day, zone_of

_SLACK = timedelta(days=12)
"""Zones are within a day; weekends and holidays move a moment by a few days more."""
_DAY = timedelta(days=1)
_MONTHS_OF_ALL = 334
"""So many days touch every month."""


def due_moment(
    anchor: date, timing: Timing, who: PlannedPerson | Cohort, world: PlanningWorld
) -> tuple[datetime | None, str]:
    """The moment (UTC) and the zone it was read in, for one or for all who share theirs."""
    zone = timing.timezone
    if zone == "person":
        zone = who.timezone
    elif zone == "workspace":
        zone = world.workspace_timezone
    moment = moment_of(
        anchor,
        offset_days=timing.offset_days,
        at=timing.at,
        timezone=zone,
        weekend=timing.weekend,
        # Without a rule for days off, all countries share a moment.
        country=who.country if timing.weekend != "keep" else "",
    )
    return moment, zone


def anchors_between(timing: Timing, window: Window) -> tuple[date, date]:
    """The first and last date whose moment can lie in the window at all."""
    try:
        shift = timedelta(days=timing.offset_days)
        return (window.start - _SLACK - shift).date(), (window.end + _SLACK - shift).date()
    except OverflowError:
        return date.min, date.max


def dates_due(timing: Timing, *, window: Window, places: Places) -> dict[date, set[str]]:
    """Every date whose moment lies in the window for somebody, and the zones they are in.

    For windows of minutes, where nearly always there is none.
    """
    found: dict[date, set[str]] = {}
    for zone, read in places.zones_read(timing.timezone):
        first = window.start.astimezone(zone_of(read)).date() - _DAY
        last = window.end.astimezone(zone_of(read)).date() + _DAY
        for day in days_between(first, last):
            due = moment_of(day, offset_days=0, at=timing.at, timezone=read)
            if due is not None and window.start < due <= window.end:
                for anchor in _anchors_of(day, timing, places.countries[zone]):
                    found.setdefault(anchor, set()).add(zone)
    return found


def _anchors_of(day: date, timing: Timing, countries: Iterable[str]) -> Iterable[date]:
    """The dates whose moment falls on ``day`` in one of the countries."""
    shift = timedelta(days=timing.offset_days)
    if timing.weekend == "keep":
        return [day - shift]
    return [
        near - shift
        for near in days_between(day - _SLACK, day + _SLACK)
        if any(
            shift_to_working_day(near, weekend=timing.weekend, country=country) == day
            for country in countries
        )
    ]


def shared_moment(
    cohort: Cohort,
    anchor: date,
    *,
    field: str,
    timing: Timing,
    window: Window,
    world: PlanningWorld,
) -> Moment | None:
    """The moment of everybody in the cohort, the same for all; ``None`` outside the window."""
    due, zone = due_moment(anchor, timing, cohort, world)
    if due is None or not window.start < due <= window.end:
        return None
    return Moment(anchor.isoformat(), due, zone, cohort.people, field)


class CalendarTrigger(Trigger):
    """Base of triggers on a day, which many people share."""

    def moments(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Moment]:
        """Every moment inside the window, with those who share it."""
        raise NotImplementedError

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """The same one by one."""
        for moment in self.moments(params, window=window, world=world):
            for person in moment.people:
                known = person.known_at.get(moment.field, person.first_seen_at)
                yield moment.occurrence(person, known)


class PersonDateTrigger(CalendarTrigger):
    """Once per person and date."""

    def __init_subclass__(cls) -> None:
        """It looks at its own date alone, unless it says otherwise."""
        if "reads" not in cls.__dict__:
            cls.reads = (cls.field,)

    Params = NoParams
    field: ClassVar[str]
    words: ClassVar[str]

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “3 days before the end date at 18:00 in the person's time zone”."""
        return parse_timing(params, "trigger.params")[0].sentence(self.words)

    def _date(self, person: PlannedPerson) -> date | None:
        value = person.facts.get(f"person.{self.field}")
        return value if isinstance(value, date) else None

    def moments(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Moment]:
        """Everybody whose date puts the moment into the window."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        for cohort in world.dated(self.field, first, last):
            moment = shared_moment(
                cohort, cohort.day, field=self.field, timing=timing, window=window, world=world
            )
            if moment is not None:
                yield moment

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q:
        """Whose date may put the moment into the window."""
        timing = parse_timing(params, "trigger.params")[0]
        return Q(**{f"{self.field}__range": anchors_between(timing, window)})

    def near(self, params: Mapping[str, Any], *, window: Window, places: Places) -> Q:
        """Whose date is one of those that are due."""
        timing = parse_timing(params, "trigger.params")[0]
        due = dates_due(timing, window=window, places=places)
        return Q(**{f"{self.field}__in": sorted(due)}) if due else NOBODY

    def current_anchor(self, params: Mapping[str, Any], person: PlannedPerson) -> str | None:
        """The date the person has now."""
        anchor = self._date(person)
        return anchor.isoformat() if anchor else None


class YearlyTrigger(CalendarTrigger):
    """Once a year; 29 February falls on 28 February in common years."""

    def __init_subclass__(cls) -> None:
        """It looks at its own date alone, unless it says otherwise."""
        if "reads" not in cls.__dict__:
            cls.reads = (cls.field,)

    Params: ClassVar[Any] = NoParams
    field: ClassVar[str]
    words: ClassVar[str]

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “on the birthday at 09:00 in the person's time zone”."""
        return parse_timing(params, "trigger.params")[0].sentence(self.words)

    def counts(self, params: Mapping[str, Any], years: int) -> bool:
        """Whether the occurrence so many years after the date counts."""
        return years > 0

    def moments(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Moment]:
        """Every anniversary whose moment lies in the window."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        for (month, day), cohorts in world.dated_yearly(self.field).items():
            for year in range(first.year, last.year + 1):
                anchor = anniversary(month, day, year)
                if not first <= anchor <= last:
                    continue
                for cohort in cohorts:
                    if not self.counts(params, year - cohort.day.year):
                        continue
                    moment = shared_moment(
                        cohort, anchor, field=self.field, timing=timing, window=window, world=world
                    )
                    if moment is not None:
                        yield moment

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q:
        """Whose date lies in one of the window's months."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        if (last - first).days > _MONTHS_OF_ALL:
            return Q(**{f"{self.field}__isnull": False})
        months = {day.month for day in days_between(first, last)}
        return Q(**{f"{self.field}__month__in": sorted(months)})

    def near(self, params: Mapping[str, Any], *, window: Window, places: Places) -> Q:
        """Whose date, of any year, is one of those that are due."""
        timing = parse_timing(params, "trigger.params")[0]
        due = dates_due(timing, window=window, places=places)
        days = {(day.month, day.day) for day in due}
        if (2, 28) in days:
            days.add((2, 29))
        name = self.field
        return reduce(
            or_,
            (Q(**{f"{name}__month": month, f"{name}__day": day}) for month, day in sorted(days)),
            NOBODY,
        )


def anniversary(month: int, day: int, year: int) -> date:
    """The day in that year; 29 February becomes the 28th in common years."""
    if (month, day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return date(year, month, day)
