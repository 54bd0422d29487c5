"""Something is called when work takes too long: one thread for all of a process.

A thread for each piece of work costs more than most of the work it guards: starting it waits for
the interpreter, which other threads hold.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Guards any number of pieces of work, in any threads."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._guarded: dict[object, tuple[float, Callable[[], None]]] = {}
        self._looks_at: float | None = None
        """When the thread looks next by itself; ``None`` while it sleeps until it is woken."""
        self._thread: threading.Thread | None = None

    @contextmanager
    def guard(self, seconds: float, late: Callable[[], None]) -> Iterator[None]:
        """Call ``late`` once, from another thread, if the block takes longer than ``seconds``."""
        if self._process != os.getpid():
            # Threads stay behind in the parent of a fork.
            self._begin()
        mark, ends = object(), time.monotonic() + seconds
        with self._changed:
            self._guarded[mark] = (ends, late)
            self._look_by(ends)
        try:
            yield
        finally:
            with self._changed:
                self._guarded.pop(mark, None)

    def _look_by(self, moment: float) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._looks_at = moment
            self._thread.start()
        elif self._looks_at is None or self._looks_at > moment:
            self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                late = [mark for mark, (ends, _) in self._guarded.items() if ends <= now]
                calls = [self._guarded.pop(mark)[1] for mark in late]
                if not calls:
                    # Work that ended in time is only noticed here: nobody is woken for it.
                    next_end = min((ends for ends, _ in self._guarded.values()), default=None)
                    self._looks_at = next_end
                    self._changed.wait(None if next_end is None else max(next_end - now, 0.0))
            for call in calls:
                call()


WATCHDOG = Watchdog()
