"""What every trigger on a date of the person shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from workflows.document.timing import Timing, parse_timing
from workflows.nodes import Occurrence, PlannedPerson, PlanningWorld, Trigger, Window
from workflows.params import NoParams
from workflows.timing import moment_of

_SLACK = timedelta(days=12)
"""Zones are within a day; weekends and holidays move a moment by a few days more."""


def due_moment(
    anchor: date, timing: Timing, person: PlannedPerson, world: PlanningWorld
) -> tuple[datetime | None, str]:
    """The moment (UTC) and the zone it was read in."""
    zones = {"person": person.timezone, "workspace": world.workspace_timezone}
    zone = zones.get(timing.timezone, timing.timezone)
    moment = moment_of(
        anchor,
        offset_days=timing.offset_days,
        at=timing.at,
        timezone=zone,
        weekend=timing.weekend,
        country=person.country,
    )
    return moment, zone


def anchors_between(timing: Timing, window: Window) -> tuple[date, date]:
    """The first and last date whose moment can lie in the window at all."""
    try:
        shift = timedelta(days=timing.offset_days)
        return (window.start - _SLACK - shift).date(), (window.end + _SLACK - shift).date()
    except OverflowError:
        return date.min, date.max


def known_since(person: PlannedPerson, field: str) -> datetime:
    """When the present value became known."""
    return person.known_at.get(field, person.first_seen_at)


class PersonDateTrigger(Trigger):
    """Once per person and date."""

    Params = NoParams
    field: ClassVar[str]
    words: ClassVar[str]

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “3 days before the end date at 18:00 in the person's time zone”."""
        return parse_timing(params, "trigger.params")[0].sentence(self.words)

    def _date(self, person: PlannedPerson) -> date | None:
        value = person.facts.get(f"person.{self.field}")
        return value if isinstance(value, date) else None

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """Everybody whose date puts the moment into the window."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        for person in world.dated(self.field, first, last):
            anchor = self._date(person)
            if anchor is None:
                continue
            due, zone = due_moment(anchor, timing, person, world)
            if due is not None and window.start < due <= window.end:
                yield Occurrence(
                    person_id=person.id,
                    anchor=anchor.isoformat(),
                    due_at=due,
                    timezone=zone,
                    known_at=known_since(person, self.field),
                )

    def current_anchor(self, params: Mapping[str, Any], person: PlannedPerson) -> str | None:
        """The date the person has now."""
        anchor = self._date(person)
        return anchor.isoformat() if anchor else None


class YearlyTrigger(Trigger):
    """Once a year; 29 February falls on 28 February in common years."""

    Params: ClassVar[Any] = NoParams
    field: ClassVar[str]
    words: ClassVar[str]

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “on the birthday at 09:00 in the person's time zone”."""
        return parse_timing(params, "trigger.params")[0].sentence(self.words)

    def counts(self, params: Mapping[str, Any], years: int) -> bool:
        """Whether the occurrence so many years after the date counts."""
        return years > 0

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """Every anniversary whose moment lies in the window."""
        timing = parse_timing(params, "trigger.params")[0]
        first, last = anchors_between(timing, window)
        for person in world.everybody():
            born = person.facts.get(f"person.{self.field}")
            if not isinstance(born, date):
                continue
            for year in range(first.year, last.year + 1):
                anchor = anniversary(born, year)
                if not first <= anchor <= last or not self.counts(params, year - born.year):
                    continue
                due, zone = due_moment(anchor, timing, person, world)
                if due is not None and window.start < due <= window.end:
                    yield Occurrence(
                        person_id=person.id,
                        anchor=anchor.isoformat(),
                        due_at=due,
                        timezone=zone,
                        known_at=known_since(person, self.field),
                    )


def anniversary(day: date, year: int) -> date:
    """The same day in another year; 29 February becomes the 28th in common years."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
