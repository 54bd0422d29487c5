"""A brake on doing one thing too often, counted in the shared cache."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache

from siit_remote.lib import clock
from siit_remote.lib.locks import LockBusyError, named_lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """``most`` times within ``seconds``, counted from the first time.

    Django's own ``cache.incr`` will not do: a cache that is a table forgets at it how long the
    counter was to live, and two at once count as one.
    """

    name: str
    most: int
    seconds: int

    def take(self, *who: str) -> bool:
        """Count one more by ``who``; False where that is more than :attr:`most`."""
        key = self._key(who)
        now = clock.system_now().timestamp()
        try:
            with named_lock(key, wait=10.0, hold=10):
                count, ends = self._kept(key, now) or (0, now + self.seconds)
                # One second more than is left: the window ends by what is kept, not by the cache.
                cache.set(key, (count + 1, ends), timeout=int(ends - now) + 1)
        except LockBusyError:
            # So many at this very moment that nobody can count them.
            return False
        return count < self.most

    def spent(self, *who: str) -> bool:
        """Whether the next :meth:`take` by ``who`` would be one too many. Counts nothing."""
        kept = self._kept(self._key(who), clock.system_now().timestamp())
        return kept is not None and kept[0] >= self.most

    def forget(self, *who: str) -> None:
        """Begin afresh for ``who``."""
        cache.delete(self._key(who))

    def _key(self, who: tuple[str, ...]) -> str:
        """Holds neither names nor addresses in clear."""
        digest = hashlib.sha256("\n".join(who).encode()).hexdigest()
        return f"throttle:{self.name}:{digest}"

    @staticmethod
    def _kept(key: str, now: float) -> tuple[int, float] | None:
        kept: tuple[int, float] | None = cache.get(key)
        return kept if kept is not None and kept[1] > now else None
