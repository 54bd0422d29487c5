"""From a calendar date and a wall-clock time to the moment it is due. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import pycountry

_SATURDAY = 5


@lru_cache(maxsize=65_536)
def moment_of(
    anchor: date,
    *,
    offset_days: int,
    at: str,
    timezone: str,
    weekend: str = "keep",
    country: str = "",
) -> datetime | None:
    """The instant (UTC) of ``anchor`` + ``offset_days`` at ``at`` ("HH:MM") in ``timezone``.

    A time that the clocks skip becomes the first valid instant after the gap; one that happens
    twice is the first. ``weekend`` moves Saturdays, Sundays and the public holidays of ``country``
    (alpha-3). ``None`` when the result lies outside the calendar.
    """
    try:
        day = shift_to_working_day(
            anchor + timedelta(days=offset_days), weekend=weekend, country=country
        )
        hour, minute = at.split(":")
        return local_instant(day, time(int(hour), int(minute)), zone_of(timezone))
    except OverflowError:
        return None


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone, or UTC where the name is not one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def local_instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first valid instant at or after the wall-clock time, in UTC."""
    wall = datetime.combine(day, clock, tzinfo=zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    # In a gap, fold=0 reads the clock of before it: the instant lies as far behind the gap's end
    # as the wall time lies inside the gap. The offset before the change gives the gap's end.
    before = wall.replace(fold=0).utcoffset() or timedelta(0)
    after = wall.replace(fold=1).utcoffset() or timedelta(0)
    return _gap_end(instant, zone, before=before, width=abs(before - after))


def _gap_end(instant: datetime, zone: ZoneInfo, *, before: timedelta, width: timedelta) -> datetime:
    """The instant at which ``zone`` leaves the offset ``before``, within ``width`` before."""
    low, high = instant - width - timedelta(minutes=1), instant
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def shift_to_working_day(day: date, *, weekend: str, country: str) -> date:
    """Move a day off to the working day before or after, as the rule says."""
    if weekend == "keep":
        return day
    step = timedelta(days=-1 if weekend == "previous_working_day" else 1)
    while not is_working_day(day, country):
        day += step
    return day


def is_working_day(day: date, country: str) -> bool:
    """Monday to Friday and no public holiday of ``country`` (alpha-3; unknown: no holidays)."""
    return day.weekday() < _SATURDAY and day not in _holidays(country, day.year)


def add_working_days(day: date, count: int, country: str) -> date:
    """The date ``count`` working days after ``day``."""
    while count > 0:
        day += timedelta(days=1)
        if is_working_day(day, country):
            count -= 1
    return day


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    found = pycountry.countries.get(alpha_3=country) if country else None
    if found is None or found.alpha_2 not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(found.alpha_2, years=year))
