"""One pass of the engine: plan, then carry out until nothing can move."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from workflows.engine.claim import claim_next
from workflows.engine.execute import run_advance
from workflows.engine.holding import holds_refresh, holds_tell
from workflows.engine.recording import LostLease
from workflows.engine.starting import runs_plan
from workflows.models import Run

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

    def to_data(self) -> dict[str, Any]:
        """As ``run_due --json`` prints it."""
        return asdict(self)


def run_due(*, now: datetime) -> RunDueReport:
    """Plan what is due at ``now`` (UTC) and carry it out. Safe to call twice, anywhere, at once."""
    planned = runs_plan(now=now)
    holds_refresh(now=now)
    holds_tell(now=now)
    report = RunDueReport(
        started=planned.started, held=planned.held, skipped_late=planned.skipped_late
    )
    moved: set[int] = set()
    while (run := claim_next(now=now, after=moved)) is not None:
        moved.add(run.pk)
        try:
            status = run_advance(run, now=now)
        except LostLease:
            continue
        name = _COUNTED.get(status)
        if name:
            report = replace(report, **{name: getattr(report, name) + 1})
    return report
