"""A named lock across processes and machines, held in the shared cache (a table by default)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.cache import cache

from siit_remote.lib import lease

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL_SECONDS = 0.1


class LockBusyError(Exception):
    """Somebody else held the lock for the whole time we waited."""


@contextmanager
def named_lock(name: str, *, wait: float = 30.0, hold: int = 120) -> Iterator[None]:
    """Hold the lock ``name`` in the block. Raises :class:`LockBusyError` after ``wait`` seconds.

    ``hold`` seconds after it was taken the lock is free again, whatever became of its holder.
    """
    key = f"siit:lock:{name}"[:200]
    mine = lease.holder()
    deadline = time.monotonic() + wait
    while not cache.add(key, mine, timeout=hold):
        if time.monotonic() >= deadline:
            raise LockBusyError(name)
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        if cache.get(key) == mine:
            cache.delete(key)
