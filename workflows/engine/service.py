"""One pass of the engine: plan, then carry out until nothing can move."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from siit_remote.lib import clock
from workflows.engine.claim import claim_next
from workflows.engine.execute import YIELDED, run_advance
from workflows.engine.holding import holds_refresh, holds_tell
from workflows.engine.parked import parked_wake
from workflows.engine.recording import LostLease
from workflows.engine.starting import runs_plan
from workflows.models import Run
from workflows.recovery import recovery_watch

Status = Run.Status
_COUNTED: dict[str, str] = {
    Status.DONE: "finished",
    Status.DONE_WITH_ERRORS: "finished",
    Status.WAITING: "waiting",
    Status.HELD: "held",
    Status.FAILED: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDueReport:
    """What one pass did, in numbers of runs."""

    started: int = 0
    finished: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0
    skipped_late: int = 0
    left: bool = False
    """Whether its time was over before its work was."""

    def to_data(self) -> dict[str, Any]:
        """As ``run_due --json`` prints it."""
        return asdict(self)


def run_due(*, now: datetime, within: timedelta | None = None) -> RunDueReport:
    """Plan what is due at ``now`` (UTC) and carry it out. Safe to call twice, anywhere, at once.

    ``within``: stop taking up runs after so long, so that what has become due meanwhile is planned
    and the most urgent of it goes first; the report's ``left`` then says to call again.
    """
    ends = clock.system_now() + within if within is not None else None
    recovery_watch(now=now)
    planned = runs_plan(now=now)
    holds_refresh(now=now)
    holds_tell(now=now)
    report = RunDueReport(
        started=planned.started, held=planned.held, skipped_late=planned.skipped_late
    )
    parked_wake(now=now)
    moved: set[int] = set()
    while (run := _next(now=now, moved=moved)) is not None:
        try:
            status = run_advance(run, now=now)
        except LostLease:
            moved.add(run.pk)
            continue
        if status != YIELDED and status not in Run.ENDED:
            moved.add(run.pk)
        name = _COUNTED.get(status)
        if name:
            report = replace(report, **{name: getattr(report, name) + 1})
        if ends is not None and clock.system_now() >= ends:
            return replace(report, left=True)
    return report


def _next(*, now: datetime, moved: set[int]) -> Run | None:
    """The next run to carry out, then those whose connection has come back meanwhile."""
    found = claim_next(now=now, after=moved)
    if found is None and parked_wake(now=now, without=moved):
        return claim_next(now=now, after=moved)
    return found
