"""When to try again, and when to give up: full jitter, by age rather than by count."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.models import StepRun

FIRST = timedelta(seconds=30)
LONGEST = timedelta(minutes=10)
DEADLINE = timedelta(hours=24)
DEADLINE_DESTRUCTIVE = timedelta(hours=72)
CREDENTIAL_PROBE = timedelta(minutes=15)
PARKED_LOOK = timedelta(hours=1)
"""A step that waits for a connection is woken when that works; so often it looks by itself."""
MAX_CRASHES = 3
"""A step that took its worker down so often is parked for a person."""


def next_try(step: StepRun, *, now: datetime, asked: timedelta | None) -> datetime:
    """Full jitter between 0 and 30 s · 2ⁿ (at most 10 min); what the target asked for counts."""
    doublings = min(max(int(step.attempts) - 1, 0), 10)
    ceiling = min(LONGEST, FIRST * (1 << doublings))
    jitter = ceiling * random.uniform(0.1, 1.0)  # noqa: S311 - spreads load, guards nothing
    return now + max(jitter, asked or timedelta(0))


def gave_up(step: StepRun, *, now: datetime, destructive: bool) -> bool:
    """Whether the step has been tried for as long as it is worth."""
    first = step.first_tried_at or now
    return now - first > (DEADLINE_DESTRUCTIVE if destructive else DEADLINE)
