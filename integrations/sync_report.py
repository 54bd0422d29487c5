"""What a sync tells: the shape of ``sync_remote --json``, and how it is kept in the run's row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from integrations.models import SyncRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from people.plan import PersonPlan, Plan

_NAMES_KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """How one sync went. ``updated`` counts known people with a changed value, leavers included."""

    status: str
    """applied, held or failed (discarded for a held sync that somebody threw away)."""
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    ended: int = 0
    skipped: tuple[dict[str, str], ...] = ()
    conflicts: tuple[dict[str, str], ...] = ()
    requests: int = 0
    seconds: float = 0.0
    held_reason: str = ""
    error: str = ""
    sync_run_id: int | None = None

    def to_data(self) -> dict[str, Any]:
        """The JSON document of the command."""
        return {
            "status": self.status,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "ended": self.ended,
            "skipped": list(self.skipped),
            "conflicts": list(self.conflicts),
            "requests": self.requests,
            "seconds": self.seconds,
            "held_reason": self.held_reason,
            "error": self.error,
        }

    @classmethod
    def of_run(cls, run: SyncRun, *, seconds: float = 0.0) -> SyncReport:
        """From the row of a finished sync."""
        return cls(
            status=str(run.status),
            created=run.created,
            updated=run.updated,
            unchanged=run.unchanged,
            ended=run.ended,
            skipped=tuple(run.skipped),
            conflicts=tuple(run.conflicts),
            requests=run.requests,
            seconds=round(seconds, 3),
            held_reason=run.held_reason,
            error=run.error,
            sync_run_id=run.pk,
        )


def outcome_columns(plan: Plan) -> dict[str, Any]:
    """The counts and names of ``plan`` as columns of a :class:`SyncRun`."""
    return {
        "created": len(plan.created),
        "updated": len(plan.updated),
        "ended": len(plan.ended),
        "unchanged": plan.unchanged,
        "skipped": [
            {"remote_id": record.external_id, "name": record.name, "reason": record.reason}
            for record in plan.skipped
        ],
        "conflicts": [conflict.to_data() for conflict in plan.conflicts],
        "names": {
            "created": _names(plan.created[:_NAMES_KEPT]),
            "updated": _names(plan.updated[:_NAMES_KEPT]),
            "ended": _names(plan.ended[:_NAMES_KEPT]),
            "missing": [{"name": absence.name} for absence in plan.newly_missing[:_NAMES_KEPT]],
        },
    }


def _names(people: Sequence[PersonPlan]) -> list[dict[str, str]]:
    """A first import of thousands does not need everybody's name twice."""
    return [
        {"name": person.values["full_name"], "work_email": person.values["work_email"]}
        for person in people
    ]


def seconds_since(start: datetime, end: datetime) -> float:
    """Seconds on the machine's clock."""
    return (end - start).total_seconds()
