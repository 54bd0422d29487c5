"""The brake before the first effect: how many may start within a rolling window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from people.choices import PersonStatus
from people.defaults import workspace_get
from people.models import Person
from workflows.models import Run

if TYPE_CHECKING:
    from people.models import Workspace
    from workflows.document.shape import WorkflowDocument
    from workflows.models import Workflow

PERCENT_FLOOR = 3
"""So few starts are never held for their percentage: in a company of eight, one is 12 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """More than ``people``, or more than ``percent`` of everybody, within ``per_hours``."""

    people: int
    percent: int
    per_hours: int


def limit_of(document: WorkflowDocument, workspace: Workspace) -> Limit:
    """The workflow's own limit; the workspace's where it is left out."""
    own = document.limits.hold_above if document.limits else None

    def pick(value: int | None, default: int) -> int:
        return default if value is None else value

    return Limit(
        people=pick(own.people if own else None, workspace.workflow_limit_people),
        percent=pick(own.percent if own else None, workspace.workflow_limit_percent),
        per_hours=pick(own.per_hours if own else None, workspace.workflow_limit_hours),
    )


def reason_to_hold(
    workflow: Workflow, document: WorkflowDocument, *, starting: Sequence[int], now: datetime
) -> str:
    """Why runs for the people ``starting`` (ids) must wait for a person; ``""`` when they may go.

    Runs of the last hours count too, so that a slow leak is seen; held and cancelled ones do not.
    """
    if not starting:
        return ""
    limit = limit_of(document, workspace_get())
    since = now - timedelta(hours=limit.per_hours)
    recent = (
        Run.objects.filter(workflow=workflow, created_at__gt=since, created_at__lte=now)
        .exclude(status__in=[Run.Status.HELD, Run.Status.CANCELLED, Run.Status.SUPERSEDED])
        .values_list("person_id", flat=True)
    )
    count = len({*recent, *starting})
    everybody = Person.objects.exclude(status=PersonStatus.ENDED).count()
    if count > limit.people:
        return (
            f"{count} people within {limit.per_hours} hours; the limit is {limit.people}. "
            "Look at the list and release it if it is meant."
        )
    if count > PERCENT_FLOOR and count * 100 > limit.percent * max(everybody, 1):
        return (
            f"{count} of {everybody} people within {limit.per_hours} hours; the limit is "
            f"{limit.percent} %. Look at the list and release it if it is meant."
        )
    return ""
