"""Signs of life of the worker, kept in the shared cache.

Two beats say different things: the *canary* task proves that a worker takes tasks, the
*schedule* beat proves that the cluster still turns schedules into tasks. Either can fail alone.
"""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache

from siit_remote.lib import clock, lease

CANARY: Final = "canary"
SCHEDULE: Final = "schedule"
BUSY_FOR: Final = timedelta(minutes=11)
"""A little over the queue's task timeout: a marker older than this belongs to nobody."""


def beat(name: str) -> None:
    """Write down that ``name`` was alive just now (the machine's clock, UTC)."""
    cache.set(f"siit:beat:{name}", clock.system_now().isoformat(), timeout=None)


def beat_last(name: str) -> datetime | None:
    """When ``name`` was last alive, in UTC; ``None`` when it never was."""
    text = cache.get(f"siit:beat:{name}")
    return datetime.fromisoformat(text) if text else None


def _busy_key() -> str:
    return f"siit:busy:{socket.gethostname()}"


def busy_begin() -> bool:
    """Take this machine's marker for one long pass; False while another living process has it."""
    key = _busy_key()
    for _ in range(2):
        if cache.add(key, lease.holder(), timeout=int(BUSY_FOR.total_seconds())):
            return True
        if not lease.is_dead(cache.get(key) or ""):
            return False
        cache.delete(key)
    return False


def busy_end() -> None:
    """Give the marker back."""
    cache.delete(_busy_key())


def busy_now() -> bool:
    """Whether a living process of this machine is in a long pass: a late beat is then excused."""
    holder = cache.get(_busy_key())
    return bool(holder) and not lease.is_dead(holder)
