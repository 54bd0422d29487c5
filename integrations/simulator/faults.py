"""Faults on request: what goes wrong, where, on which page, and how often."""

import threading
from dataclasses import dataclass, field
from typing import Any

from integrations.simulator.answers import Answer
from integrations.simulator.vocabulary import Record

# What replaces the whole answer, what happens to its bytes, and what happens to its rows.
REPLACING = frozenset(("status", "ratelimit", "html", "garbage"))
ON_THE_WIRE = frozenset(("reset", "truncate", "slow", "hang"))
RESHAPING = frozenset(("empty", "short", "repeat_cursor", "wrong_total", "duplicate_row"))
KINDS = REPLACING | ON_THE_WIRE | RESHAPING

_MESSAGES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too many requests"}


@dataclass(slots=True)
class Fault:
    """One scripted fault.

    `times` is how many requests it spoils (None: all), `after` how many matching requests it lets
    through first, `page` the 1-based page it waits for (pages of cursors count too), `seconds`
    how long `slow`, `hang` and `ratelimit` last, `rows` how many rows `short` drops or
    `wrong_total` adds.
    """

    path_prefix: str
    kind: str = "status"
    status: int = 500
    times: int | None = 1
    after: int = 0
    page: int | None = None
    method: str | None = None
    seconds: float = 2.0
    rows: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault kind {self.kind!r}; known: {', '.join(sorted(KINDS))}")

    def matches(self, *, method: str, path: str, page: int) -> bool:
        return (
            path.startswith(self.path_prefix)
            and self.page in (None, page)
            and self.method in (None, method)
        )


class FaultBook:
    """Thread safe list of scripted faults, tried in the order they were written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, *, method: str, path: str, page: int) -> Fault | None:
        """The fault for this request, used up by one; None when all is well."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(method=method, path=path, page=page):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None


def spoil(answer: Answer, fault: Fault, *, cursor: str | None) -> Answer:
    """The answer after a fault of the replacing (JSON) or reshaping sort."""
    if fault.kind in ("status", "ratelimit"):
        status = 429 if fault.kind == "ratelimit" else fault.status
        payload = fault.body
        if payload is None:
            payload = {"message": _MESSAGES.get(status, "Internal server error")}
        headers = dict(fault.headers)
        if status == 429:
            headers.setdefault("x-ratelimit-remaining", "0")
            headers.setdefault("x-ratelimit-reset", str(int(fault.seconds * 1000)))
        return Answer(status, payload, headers=headers)
    if fault.kind in RESHAPING and answer.rows_at and answer.status == 200:
        return answer.with_payload(_reshaped(answer, fault, cursor))
    return answer


def _reshaped(answer: Answer, fault: Fault, cursor: str | None) -> Record:
    payload = dict(answer.payload)
    holder = payload
    for key in answer.rows_at[:-1]:
        holder[key] = dict(holder[key])
        holder = holder[key]
    name = answer.rows_at[-1]
    rows: list[Record] = list(holder[name])
    counters = holder if "total_count" in holder else payload
    if fault.kind == "empty":
        holder[name] = []
        if "total_count" in counters:
            counters.update(total_count=0, total_pages=0)
        if "next_cursor" in payload:
            payload["next_cursor"] = None
    elif fault.kind == "short":
        holder[name] = rows[: max(0, len(rows) - fault.rows)]
    elif fault.kind == "repeat_cursor" and "next_cursor" in payload:
        payload["next_cursor"] = cursor or payload["next_cursor"]
    elif fault.kind == "wrong_total" and "total_count" in counters:
        counters["total_count"] += fault.rows
    elif fault.kind == "duplicate_row" and answer.first_row is not None:
        holder[name] = [*rows, answer.first_row]
    return payload
