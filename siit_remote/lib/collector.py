"""Python's collector of cyclic garbage, and when it had better wait."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_waiting = 0


@contextmanager
def collector_paused() -> Iterator[None]:
    """Let no collection begin while very many objects are made that are all kept.

    Each quarter that is added makes Python walk over everything there is, to find nothing: a third
    of the time of a large forecast. For work of a second or two; what is let go in it is freed as
    ever, cycles apart. Threads may overlap; the last one out lets collections begin again.
    """
    ours = _begin()
    try:
        yield
    finally:
        if ours:
            _end()


def _begin() -> bool:
    """Whether it runs, or waits for us already: who has switched it off otherwise wants that."""
    global _waiting
    with _lock:
        ours = _waiting > 0 or gc.isenabled()
        if ours:
            _waiting += 1
            gc.disable()
        return ours


def _end() -> None:
    global _waiting
    with _lock:
        _waiting -= 1
        if _waiting == 0:
            gc.enable()
