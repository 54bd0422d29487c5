"""When the next request may leave: Remote's shared limit, refusals, and one total deadline.

https://developer.remote.com/docs/rate-limiting
"""

from __future__ import annotations

import random
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from integrations.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WAIT_CAP = 120.0
"""Seconds: no single wait is longer, whatever a header says."""
WINDOW = 60.0
"""Seconds: the length of Remote's fixed window, where the answer does not tell what is left."""
BACKOFF_CAP = 30.0
NEXT_REFRESH = "Nothing was applied; the next refresh starts anew."
_FLOOR_AFTER_REFUSAL = 1.0
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def number_of(text: str) -> float | None:
    """A plain non-negative decimal, else ``None``."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def told_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds a refusing answer asks us to wait; ``None`` where it says nothing usable."""
    text = headers.get("retry-after", "")
    seconds = number_of(text)
    if seconds is not None:
        return seconds
    try:
        # Both moments are the server's own, so our clock being wrong does not matter.
        until = parsedate_to_datetime(text)
        return max((until - parsedate_to_datetime(headers["date"])).total_seconds(), 0.0)
    except (ValueError, TypeError, KeyError, OverflowError):
        return reset_seconds(headers)


def reset_seconds(headers: Mapping[str, str]) -> float | None:
    """``x-ratelimit-reset`` in seconds: Remote sends a duration in milliseconds."""
    milliseconds = number_of(headers.get("x-ratelimit-reset", ""))
    return None if milliseconds is None else milliseconds / 1000


class Pacer:
    """Keeps one refresh within Remote's window and within ``deadline`` seconds in total.

    ``reserve`` is the share of the window that is left to others, as they are seen to be shared.
    ``advice`` ends the sentence of a failure.
    ``sleep`` and ``monotonic`` are injected so that tests need not wait; ``monotonic`` in seconds.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        deadline: float,
        uniform: Callable[[float, float], float] = random.uniform,
        reserve: float = 0.0,
        advice: str = NEXT_REFRESH,
    ) -> None:
        self._sleep = sleep
        self._monotonic = monotonic
        self._uniform = uniform
        self._reserve = reserve
        self._most = 0.0
        self.advice = advice
        self._deadline = deadline
        self._ends_at = monotonic() + deadline
        self._free_at = monotonic()

    @property
    def left(self) -> float:
        """Seconds until the total deadline; negative when it has passed."""
        return self._ends_at - self._monotonic()

    def give_up(self) -> None:
        """Nothing more is wanted: the next request and the next wait raise."""
        self._ends_at = self._monotonic()

    def before_request(self, what: str) -> None:
        """Wait until the window has room. Raises ``TransientError`` past the deadline."""
        self._wait(self._free_at - self._monotonic(), what)

    def after_answer(self, headers: Mapping[str, str]) -> None:
        """Learn from the limit's headers, which are on every authenticated answer."""
        remaining = number_of(headers.get("x-ratelimit-remaining", ""))
        self._most = max(self._most, remaining or 0.0)
        if remaining is not None and remaining <= self._most * self._reserve:
            reset = reset_seconds(headers)
            wait = min(WINDOW if reset is None else reset, WAIT_CAP)
            self._free_at = self._monotonic() + wait

    def after_refusal(self, headers: Mapping[str, str], *, nth: int, what: str) -> None:
        """Wait after the ``nth`` 429 in a row (from 1): as told, else backoff with jitter."""
        told = told_wait(headers)
        wait = self._uniform(1.0, min(WAIT_CAP, 2.0 ** min(nth, 7))) if told is None else told
        self._free_at = self._monotonic()
        self._wait(max(min(wait, WAIT_CAP), _FLOOR_AFTER_REFUSAL), what)

    def after_failure(self, *, nth: int, what: str) -> None:
        """Back off with full jitter after the ``nth`` failure of one request (from 1)."""
        self._wait(self._uniform(0.0, min(BACKOFF_CAP, 2.0**nth)), what)

    def _wait(self, seconds: float, what: str) -> None:
        if max(seconds, 0.0) >= self.left:
            minutes = (
                f"{self._deadline / 60:g} minutes"
                if self._deadline >= 60
                else (f"{self._deadline:g} seconds")
            )
            raise TransientError(
                f"Reading {what} from Remote did not finish within {minutes}: Remote is slow, or "
                f"other tools of the company use up its shared rate limit. {self.advice}"
            )
        if seconds > 0:
            self._sleep(seconds)
