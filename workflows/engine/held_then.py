"""Which of the starts that a backtest finds a limit would have held, and why.

Pass by pass as the schedule makes them, by the same limits as live. Nobody releases anything: what
is held stays on its list, counted, until the list runs out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from people.defaults import workspace_get
from workflows.engine.limits import (
    Brake,
    brake_pulled,
    workflow_limits,
    workspace_limits,
)
from workflows.models import Run

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from people.models import Workspace
    from workflows.document.shape import WorkflowDocument
    from workflows.engine.then import Headcount
    from workflows.models import Workflow

MOST_HOURS = 31 * 24
"""No window of a limit is longer."""
PASS = timedelta(minutes=1)
"""The schedule looks so often; what came due since the last time starts together."""


def pass_of(moment: datetime) -> datetime:
    """The pass that first sees ``moment``: the next full minute."""
    full = moment.replace(second=0, microsecond=0)
    return full if full == moment else full + PASS


@dataclass(slots=True)
class _Past:
    """People who count: (person, since when, until when; ``None``: as long as a window reaches)."""

    rows: list[tuple[int, datetime, datetime | None]] = field(default_factory=list)

    def within(self, hours: int, *, now: datetime) -> Iterator[int]:
        """Those for whom something started in the window."""
        since = now - timedelta(hours=hours)
        return (
            person
            for person, at, until in self.rows
            if since < at <= now and (until is None or now <= until)
        )


def held_reasons(
    starts: Sequence[tuple[datetime, int]],
    *,
    workflow: Workflow,
    document: WorkflowDocument,
    headcount: Headcount,
) -> list[str]:
    """For each (moment, person id) why a limit would have held it; ``""`` where none would.

    The limits are those of ``document`` and of the workspace as they are set now. Other workflows,
    and this one by hand, count with what they really started.
    """
    if not starts:
        return []
    workspace = workspace_get()
    passes: dict[datetime, set[int]] = defaultdict(set)
    for moment, person in starts:
        passes[pass_of(moment)].add(person)
    really = _started(since=min(passes), until=max(passes))
    own = _Past(_rows(really.filter(workflow=workflow, trigger="manual")))
    others = _Past(_rows(really.exclude(workflow=workflow)))
    kept = timedelta(days=workspace.hold_days)
    found: dict[datetime, str] = {}
    for now in sorted(passes):
        starting = passes[now]
        brake = _brake(
            document, workspace, own=own, others=others, starting=starting, now=now,
            everybody=headcount.at(now),
        )  # fmt: skip
        found[now] = brake.reason if brake else ""
        own.rows += [(person, now, now + kept if brake else None) for person in starting]
    return [found[pass_of(moment)] for moment, _ in starts]


def _brake(
    document: WorkflowDocument,
    workspace: Workspace,
    *,
    own: _Past,
    others: _Past,
    starting: set[int],
    now: datetime,
    everybody: int,
) -> Brake | None:
    def of_all(hours: int) -> set[int]:
        return {*own.within(hours, now=now), *others.within(hours, now=now)}

    scopes = (
        (workflow_limits(document, workspace), lambda hours: own.within(hours, now=now)),
        (workspace_limits(workspace), of_all),
    )
    pulled = (
        brake_pulled(
            limits,
            counted=counted,
            starting=starting,
            floor=workspace.limit_floor,
            everybody=lambda: everybody,
        )
        for limits, counted in scopes
    )
    return next((brake for brake in pulled if brake is not None), None)


def _started(*, since: datetime, until: datetime) -> QuerySet[Run]:
    """What really started and may count: undoings and what ended before it began do not."""
    begun = Q(started_at__isnull=False) | Q(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    # Also what ran out since: it counted while it was on its list.
    listed = Q(hold__isnull=False)
    reach = timedelta(hours=MOST_HOURS)
    return (
        Run.objects.filter(begun | listed, undoes__isnull=True)
        .filter(created_at__gt=since - reach, created_at__lt=until + PASS)
        .order_by()
    )


def _rows(runs: QuerySet[Run]) -> list[tuple[int, datetime, datetime | None]]:
    """A list that was released counts until then, one that nobody released until it ran out."""
    found = runs.values_list(
        "person_id", "created_at", "released_at", "started_at", "hold__expires_at"
    )
    # A pass takes a while; what it wrote belongs to the minute that it began in.
    return [
        (pk, at.replace(second=0, microsecond=0), released or (None if started else ran_out))
        for pk, at, released, started, ran_out in found
    ]
