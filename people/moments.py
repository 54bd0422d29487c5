"""A moment of the past that somebody asks for in an address."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from people.defaults import workspace_get
from people.zones import zone_info

PARAMETER = "as_of"


class MomentError(ValueError):
    """It is no moment of the past; the message says what to write."""


def moment_asked(text: str, *, now: datetime) -> datetime | None:
    """The aware moment that ``text`` names; ``None`` for a blank one.

    A date means the end of that day in the workspace's zone; so does a moment without a zone.
    Raises :class:`MomentError` for anything else and for what is still to come.
    """
    wanted = text.strip()
    if not wanted:
        return None
    zone = zone_info(workspace_get().timezone)
    try:
        if len(wanted) == len("2026-11-24"):
            end = datetime.combine(date.fromisoformat(wanted), time.max, tzinfo=zone)
            # Today has not ended: it stands as it does now.
            return min(end, now) if end - now < timedelta(days=1) else _past(end, now)
        # A "+" of an offset arrives as a space when an address was written by hand.
        moment = datetime.fromisoformat(wanted.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        if isinstance(error, MomentError):
            raise
        raise MomentError("Write the day as 2026-11-24, or the moment as 2026-11-24T18:00.") from (
            error
        )
    return _past(moment if moment.tzinfo else moment.replace(tzinfo=zone), now)


def _past(moment: datetime, now: datetime) -> datetime:
    if moment > now:
        raise MomentError("That moment is still to come.")
    return moment
