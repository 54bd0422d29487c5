"""The rate limit of the service: a fixed window from the first request, shared by the company.

https://developer.remote.com/docs/rate-limits
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

_PLENTY = 1_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    headers: dict[str, str]


class RateLimit:
    """`limit` requests per `window` seconds; None never refuses. `clock` is monotonic seconds."""

    def __init__(self, *, limit: int | None, window: float, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._ends = 0.0

    def spend(self) -> Verdict:
        """Count one request. The reset header is a duration in milliseconds."""
        with self._lock:
            now = self._clock()
            if now >= self._ends:
                self._count, self._ends = 0, now + self.window
            limit = _PLENTY if self.limit is None else self.limit
            self._count += 1
            headers = {
                "x-ratelimit-count": str(min(self._count, limit)),
                "x-ratelimit-remaining": str(max(0, limit - self._count)),
                "x-ratelimit-reset": str(max(1, int((self._ends - now) * 1000))),
            }
            return Verdict(self._count <= limit, headers)
