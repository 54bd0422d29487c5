"""Keep what the planner refused, once for each change of its mind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from workflows.engine.planner import (
    LOOKBACK,
    UNMET,
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_reason,
)
from workflows.models import Refusal, Run, Workflow

KEPT = timedelta(days=400)
"""How long a refusal can be asked about."""
_NOTED = frozenset({*UNMET, Verdict.LEFT, Verdict.JUDGED})
# What lay before going live or the first import follows from stored moments and needs no row.


def refusals_note(
    workflow: Workflow, planned: PlannedWorkflow, judged: Iterable[Judgement], *, now: datetime
) -> int:
    """Write down the negative verdicts of one pass that are news. Returns how many.

    A pass that finds what the last one found writes nothing; a moment that has its run is no
    refusal, whatever became of the person since.
    """
    negative = {item.key: item for item in judged if item.verdict in _NOTED}
    if not negative:
        return 0
    known = dict(
        Refusal.objects.filter(workflow=workflow, due_at__gt=now - LOOKBACK)
        .order_by("pk")
        .values_list("key", "verdict")
    )
    news = [item for key, item in negative.items() if known.get(key) != item.verdict.value]
    ran: set[str] = set()
    keys = [item.key for item in news]
    for start in range(0, len(keys), 500):
        ran |= set(
            Run.objects.filter(key__in=keys[start : start + 500]).values_list("key", flat=True)
        )
    rows = [_row(workflow, planned, item, now=now) for item in news if item.key not in ran]
    Refusal.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _row(
    workflow: Workflow, planned: PlannedWorkflow, item: Judgement, *, now: datetime
) -> Refusal:
    reason = item.reason
    if item.verdict in UNMET:
        reason = condition_reason(planned, item.occurrence, item.person, now=now)
    return Refusal(
        workflow=workflow,
        version=workflow.live_version,
        person_id=item.person.id,
        key=item.key,
        anchor=item.occurrence.anchor,
        due_at=item.occurrence.due_at,
        verdict=item.verdict.value,
        reason=reason,
        noted_at=now,
    )


def refusals_forget(*, now: datetime) -> int:
    """Delete what is older than anybody asks about. Returns how many rows went."""
    return int(Refusal.objects.filter(noted_at__lt=now - KEPT).delete()[0])
