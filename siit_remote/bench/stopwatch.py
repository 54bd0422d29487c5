"""Timing helpers shared by the measurements."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

_TABLE = re.compile(
    r'\s*(?:INSERT(?:\s+OR\s+\w+)?\s+INTO|REPLACE\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)"?',
    re.IGNORECASE,
)


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The median seconds of each of ``works``, taken in turn so that a busy machine hits all."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work))
    return [statistics.median(times) for times in taken]


def seconds_of_each(
    rounds: int, *runs: Callable[[Callable[[Callable[[], None]], None]], None]
) -> list[float]:
    """As :func:`alternate`, for work that must be prepared and cleared away outside the time.

    Each of ``runs`` is handed a function and calls it with what is to be timed.
    """
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for times, run in zip(taken, runs, strict=True):
            run(lambda work, times=times: times.append(seconds(work)))  # type: ignore[misc]
    return [statistics.median(times) for times in taken]


def written_table(sql: str) -> str:
    """The table that a statement writes to; ``""`` for one that only reads."""
    found = _TABLE.match(sql)
    return found[1] if found else ""


class Ledger:
    """Counts the rows handed to INSERT, UPDATE and DELETE, by table (``execute_wrapper``)."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Count, then let it happen."""
        table = written_table(sql)
        if table:
            self.rows[table] += len(params) if many else 1
        return execute(sql, params, many, context)
