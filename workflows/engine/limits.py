"""The brake before the first effect: how many may start within rolling windows.

Two windows (a day, by default, and seven days) × two scopes (one workflow, all together). Whoever
starts the runs, by schedule or by hand, they are counted alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from people.choices import PersonStatus
from people.defaults import workspace_get
from people.models import Person, Workspace
from workflows.models import Hold, Run

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from workflows.document.shape import WorkflowDocument
    from workflows.models import Workflow

WEEK_HOURS = 7 * 24
WORKFLOW, WORKSPACE = "workflow", "workspace"
_FOLLOW = "Look at the list and release it if it is meant."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """More than ``people``, or more than ``percent`` of everybody, within ``per_hours``."""

    people: int
    percent: int
    per_hours: int
    scope: str = WORKFLOW

    @property
    def window(self) -> str:
        """In words: “24 hours”, “7 days”."""
        return "7 days" if self.per_hours == WEEK_HOURS else f"{self.per_hours} hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """A limit that would be passed: by how many people, and why, in words."""

    limit: Limit
    count: int
    reason: str


def workflow_limits(document: WorkflowDocument, workspace: Workspace) -> tuple[Limit, Limit]:
    """A workflow's own limits for the day and for the week; the workspace's where left out."""
    own = document.limits.hold_above if document.limits else None
    week = document.limits.hold_above_week if document.limits else None
    day = Limit(
        people=_pick(own.people if own else None, workspace.workflow_limit_people),
        percent=_pick(own.percent if own else None, workspace.workflow_limit_percent),
        per_hours=_pick(own.per_hours if own else None, workspace.workflow_limit_hours),
    )
    # The week follows whichever day stands: who raises the day for one workflow means it.
    own_day = own is not None and (own.people is not None or own.percent is not None)
    people, percent = (
        (None, None)
        if own_day
        else (workspace.workflow_week_people, workspace.workflow_week_percent)
    )
    return day, Limit(
        people=_pick(week.people if week else None, _pick(people, 3 * day.people)),
        percent=_pick(week.percent if week else None, _pick(percent, min(100, 2 * day.percent))),
        per_hours=WEEK_HOURS,
    )


def workspace_limits(workspace: Workspace) -> tuple[Limit, Limit]:
    """What all workflows together may start in a day and in a week."""
    day = Limit(
        people=_pick(workspace.workspace_limit_people, 2 * workspace.workflow_limit_people),
        percent=_pick(
            workspace.workspace_limit_percent, min(100, 2 * workspace.workflow_limit_percent)
        ),
        per_hours=24,
        scope=WORKSPACE,
    )
    return day, Limit(
        people=_pick(workspace.workspace_week_people, 3 * day.people),
        percent=_pick(workspace.workspace_week_percent, min(100, 2 * day.percent)),
        per_hours=WEEK_HOURS,
        scope=WORKSPACE,
    )


def _pick(value: int | None, default: int) -> int:
    return default if value is None else value


def limits_lock() -> None:
    """Let one at a time count and start. Inside a transaction, until it ends."""
    workspace_get()
    Workspace.objects.select_for_update().get(pk=1)


def workflow_brake(
    workflow: Workflow, document: WorkflowDocument, *, starting: Collection[int], now: datetime
) -> Brake | None:
    """Why ``workflow`` may not start for the people ``starting`` (ids); ``None``: it may."""
    workspace = workspace_get()
    return _brake(
        workflow_limits(document, workspace),
        Run.objects.filter(workflow=workflow),
        starting=starting,
        floor=workspace.limit_floor,
        now=now,
    )


def workspace_brake(*, starting: Collection[int], now: datetime) -> Brake | None:
    """Why nothing may start for the people ``starting``, counted over all workflows."""
    workspace = workspace_get()
    return _brake(
        workspace_limits(workspace),
        Run.objects.all(),
        starting=starting,
        floor=workspace.limit_floor,
        now=now,
    )


def reason_to_hold(
    workflow: Workflow, document: WorkflowDocument, *, starting: Collection[int], now: datetime
) -> str:
    """Why runs for the people ``starting`` must wait for a person; ``""`` when they may go."""
    found = workflow_brake(workflow, document, starting=starting, now=now) or workspace_brake(
        starting=starting, now=now
    )
    return found.reason if found else ""


def _brake(
    limits: tuple[Limit, ...],
    runs: QuerySet[Run],
    *,
    starting: Collection[int],
    floor: int,
    now: datetime,
) -> Brake | None:
    return brake_pulled(
        limits,
        counted=lambda hours: _counted(runs, now=now, hours=hours),
        starting=starting,
        floor=floor,
        everybody=lambda: Person.objects.exclude(status=PersonStatus.ENDED).count(),
    )


def brake_pulled(
    limits: Iterable[Limit],
    *,
    counted: Callable[[int], Iterable[int]],
    starting: Collection[int],
    floor: int,
    everybody: Callable[[], int],
) -> Brake | None:
    """The first of ``limits`` that is passed when the people ``starting`` (ids) start.

    ``counted`` gives the people for whom something started within so many hours, ``everybody`` how
    many people there are; both are asked only where it matters.
    """
    if not starting:
        return None
    total = everybody()
    for limit in limits:
        count = len({*counted(limit.per_hours), *starting})
        for words in _passed(limit, count=count, everybody=total, floor=floor):
            return Brake(limit=limit, count=count, reason=words)
    return None


def _counted(runs: QuerySet[Run], *, now: datetime, hours: int) -> Iterator[int]:
    """People for whom something started in the window.

    What waits on an open list counts, so that a leak cannot drip past it; what a second person has
    released was looked at and does not, nor does what ended before anything had begun.
    """
    since = now - timedelta(hours=hours)
    dropped = Q(status__in=[Run.Status.CANCELLED, Run.Status.SUPERSEDED], started_at__isnull=True)
    asked = Q(status=Run.Status.HELD, started_at__isnull=True) & ~Q(hold__status=Hold.Status.OPEN)
    return (
        runs.filter(created_at__gt=since, created_at__lte=now)
        .filter(undoes__isnull=True, released_at__isnull=True)
        .exclude(dropped)
        .exclude(asked)
        .order_by()
        .values_list("person_id", flat=True)
        .distinct()
        .iterator(chunk_size=2000)
    )


def _passed(limit: Limit, *, count: int, everybody: int, floor: int) -> Iterator[str]:
    whose = "" if limit.scope == WORKFLOW else " over all workflows"
    if count > limit.people:
        who = "1 person" if count == 1 else f"{count} people"
        yield f"{who} within {limit.window}{whose}; the limit is {limit.people}. {_FOLLOW}"
    if count >= floor and count * 100 > limit.percent * max(everybody, 1):
        yield (
            f"{count} of {everybody} people within {limit.window}{whose}; the limit is "
            f"{limit.percent} %. {_FOLLOW}"
        )
