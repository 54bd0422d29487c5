"""Wake a waiting run: the one call by which approvals, tasks and admins reach the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.models import Run

if TYPE_CHECKING:
    from datetime import datetime


def run_wake(run_id: int, *, at: datetime) -> bool:
    """Let the engine look at a waiting run at ``at`` (UTC). False when it does not wait."""
    return bool(Run.objects.filter(pk=run_id, status=Run.Status.WAITING).update(wake_at=at))
