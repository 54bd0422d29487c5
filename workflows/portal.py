"""What an employee sees: the catalogue that is theirs, and requests with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from people.folding import fold
from people.identity import person_of
from people.models import Person
from people.selectors import people_visible_to
from workflows.audience import services_open_to
from workflows.document.parse import parse_document
from workflows.models import Approval, Delegation, Request, Service, Task, Workflow
from workflows.problems import DocumentError
from workflows.standing_in import delegations_of, stands_in_for

SUBMITTED = "request.submitted"


def requests_open_to(user: Any, now: datetime) -> QuerySet[Request]:
    """All with ``view_request``; others their own, their reports', and those they are asked about.

    Also what they sent for somebody else.
    """
    found = Request.objects.select_related("service", "requester", "requester__team")
    if user.has_perm("workflows.view_request"):
        return found
    me = person_of(user)
    if me is None or not me.is_current:
        return found.none()
    asked = Approval.objects.filter(
        Q(approver=me)
        | Q(decided_by=me)
        | Q(approver_id__in=stands_in_for(me, now), status__in=Approval.OPEN)
    )
    return found.filter(
        Q(requester__in=people_visible_to(user))
        | Q(submitted_by=me)
        | Q(runs__steps__approvals__in=asked)
    ).distinct()


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One heading of the catalogue."""

    name: str
    services: list[Service]


def catalogue(person: Person, text: str, *, now: datetime) -> list[Category]:
    """The services offered to ``person`` in which every word of ``text`` is found."""
    words = fold(text).split()
    offered = services_open_to(person, Service.objects.filter(active=True), now=now)
    groups: dict[str, list[Service]] = {}
    for service in offered:
        told = fold(f"{service.name} {service.description} {service.category}")
        if all(word in told for word in words):
            groups.setdefault(service.category or "Other", []).append(service)
    return [Category(name=name, services=found) for name, found in sorted(groups.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Whom a request waits for."""

    approval: Approval
    stand_ins: list[Delegation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What a request waits for now."""

    pending: list[Pending]
    tasks: list[Task]


def whereabouts(request: Request, now: datetime) -> Whereabouts:
    """Who decides, who may decide in their place, and what is still to be done by hand."""
    rows = list(
        Approval.objects.filter(step__run__request=request, status__in=Approval.OPEN)
        .select_related("approver")
        .order_by("stage", "pk")
    )
    standing = delegations_of({row.approver_id for row in rows}, now)
    pending = [
        Pending(
            approval=row,
            stand_ins=[item for item in standing if item.approver_id == row.approver_id],
        )
        for row in rows
    ]
    tasks = Task.objects.filter(step__run__request=request, status=Task.Status.OPEN)
    return Whereabouts(pending=pending, tasks=list(tasks.select_related("role", "assignee")))


def workflows_of(service_key: str) -> Sequence[Workflow]:
    """Workflows that a request for this service sets off: by its key, or for every service."""
    found = []
    for workflow in Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).select_related(
        "live_version"
    ):
        data = workflow.live_version.document if workflow.live_version else workflow.draft
        try:
            trigger = parse_document(data).trigger
        except DocumentError:
            continue
        if trigger.type == SUBMITTED and trigger.params.get("service") in (None, "", service_key):
            found.append(workflow)
    return found
