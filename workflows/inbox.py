"""What waits for whom: the approvals somebody may open, decide, or is stuck with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from people.identity import person_of
from people.models import Person
from workflows.category_rights import rights_of
from workflows.models import Approval, Delegation, Run
from workflows.standing_in import delegations_of, stands_in_for

Status = Approval.Status

COLUMNS = ("number", "question", "about", "asked_of", "asked_at", "due_at", "outcome",
           "decided_by", "decided_at", "comment")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _with_names(found: QuerySet[Approval]) -> QuerySet[Approval]:
    return found.select_related(
        "subject", "subject__team", "approver", "decided_by", "step__run__workflow",
        "step__run__request__service",
    )  # fmt: skip


def sees_all_approvals(user: Any) -> bool:
    """HR's view over everybody's approvals."""
    return bool(user.is_staff and user.has_perm("workflows.view_approval"))


def approvals_waiting_for(person: Person, now: datetime) -> QuerySet[Approval]:
    """What ``person`` may decide now: asked of them, or of whom they stand in for."""
    asked = Q(approver=person) | Q(approver_id__in=stands_in_for(person, now))
    found = Approval.objects.filter(asked, status=Status.PENDING).exclude(subject=person)
    return _with_names(found).order_by("due_at", "pk")


def approvals_open_to(user: Any, now: datetime) -> QuerySet[Approval]:
    """What may be opened: what one was asked or decided, and while standing in what is open."""
    found = _with_names(Approval.objects.all())
    me = person_of(user)
    theirs = None
    if me is not None and me.is_current:
        standing = Q(approver_id__in=stands_in_for(me, now), status__in=Approval.OPEN)
        theirs = (Q(approver=me) | Q(decided_by=me) | standing) & ~Q(subject=me)
    if sees_all_approvals(user):
        return rights_of(user).listed(found, run="step__run", theirs=theirs)
    return found.filter(theirs) if theirs is not None else found.none()


def approval_rows(approvals: Iterable[Approval]) -> Iterator[dict[str, str]]:
    """One row for each, as text for a spreadsheet; formulas are disarmed."""
    for item in approvals:
        row = {
            "number": str(item.pk),
            "question": item.title,
            "about": item.subject.work_email,
            "asked_of": item.approver.work_email,
            "asked_at": item.asked_at.isoformat(),
            "due_at": item.due_at.isoformat() if item.due_at else "",
            "outcome": item.get_status_display(),
            "decided_by": item.decided_by.work_email if item.decided_by else "",
            "decided_at": item.decided_at.isoformat() if item.decided_at else "",
            "comment": item.comment,
        }
        yield {
            name: f"'{value}" if value.startswith(_FORMULA) else value
            for name, value in row.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody who holds questions, the longest waiting first."""

    person: Person
    approvals: list[Approval]
    stand_ins: list[Delegation]


def holders(user: Any, now: datetime) -> list[Holder]:
    """Who holds what since when, as far as ``user`` may see it; the oldest stands first."""
    rows = approvals_open_to(user, now).filter(status__in=Approval.OPEN).order_by("asked_at", "pk")
    by_person: dict[int, list[Approval]] = {}
    for row in rows:
        by_person.setdefault(row.approver_id, []).append(row)
    standing: dict[int, list[Delegation]] = {}
    for item in delegations_of(list(by_person), now):
        standing.setdefault(item.approver_id, []).append(item)
    return [
        Holder(person=found[0].approver, approvals=found, stand_ins=standing.get(pk, []))
        for pk, found in by_person.items()
    ]


def runs_without_approver(user: Any) -> QuerySet[Run]:
    """Runs held at an approval that nobody can be asked about, where ``user`` may see them."""
    found = (
        Run.objects.filter(
            status=Run.Status.HELD,
            steps__action="approval.request",
            steps__outcome__hold=True,
        )
        .select_related("workflow", "person", "request__service")
        .distinct()
        .order_by("pk")
    )
    return rights_of(user).listed(found)
