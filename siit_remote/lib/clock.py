"""The one place that asks the time.

Everything else receives the time as a parameter. ``now`` is read once per pass and may be set by
an operator's ``--at`` (refused unless ``ALLOW_TIME_TRAVEL``); ``system_now`` is the machine's clock
and serves leases and measurements, which must not travel.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

_fixed: ContextVar[datetime | None] = ContextVar("fixed_clock", default=None)


def now() -> datetime:
    """The moment this pass happens at, aware, in UTC; the set clock where one is set."""
    return _fixed.get() or system_now()


def system_now() -> datetime:
    """The machine's clock, aware, in UTC; never the set clock."""
    return datetime.now(UTC)


def today_in(zone: ZoneInfo, at: datetime) -> date:
    """The calendar date that ``at`` falls on in ``zone``."""
    return at.astimezone(zone).date()


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Hold the clock at the aware moment ``at`` within the block."""
    if at.tzinfo is None:
        raise ValueError("The clock needs a moment with a time zone.")
    token = _fixed.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
