"""Background work of the directory."""

from __future__ import annotations

from people.turning import statuses_refresh
from siit_remote.lib import clock


def refresh_statuses() -> int:
    """Let statuses follow the dates; safe to run at any time. Returns how many changed."""
    return statuses_refresh(now=clock.now())
