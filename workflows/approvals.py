"""Decide once: by the one who was asked (or their delegate), never about oneself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.bell import ring
from workflows.engine.wake import run_wake
from workflows.models import Approval, Delegation, Run
from workflows.timing import zone_of

ENGINE = "siit_remote.tasks.run_due"


class DecisionRefusedError(Exception):
    """The decision was not taken; the message says why, in words for the one who tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided."""

    approval: Approval
    by: Person


def may_decide(approval: Approval, by: Person, *, now: datetime) -> bool:
    """The approver, or whom the approver delegated to for today; never the subject.

    “Today” is the approver's. Nobody decides for somebody who has left: the step asks another.
    """
    if by.pk == approval.subject_id or not by.is_current or not approval.approver.is_current:
        return False
    if by.pk == approval.approver_id:
        return True
    today = clock.today_in(zone_of(approval.approver.timezone), now)
    return Delegation.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today),
        approver_id=approval.approver_id,
        delegate=by,
        starts_on__lte=today,
    ).exists()


def approval_decide(
    approval_id: int,
    *,
    by: Person,
    approve: bool,
    comment: str = "",
    now: datetime,
    actor: Any = None,
) -> Decision:
    """Approve or reject, once. Raises :class:`DecisionRefusedError` with the reason."""
    approval = (
        Approval.objects.select_related("step__run", "subject", "approver", "decided_by")
        .filter(pk=approval_id)
        .first()
    )
    if approval is None:
        raise DecisionRefusedError("There is no such approval.")
    if by.pk == approval.subject_id:
        raise DecisionRefusedError("Nobody approves for themselves.")
    # Read again: the caller's object may be from before the last sync.
    by = Person.objects.get(pk=by.pk)
    if not may_decide(approval, by, now=now):
        raise DecisionRefusedError(f"Only {approval.approver} or their delegate decides this.")
    if not approve and not comment.strip():
        raise DecisionRefusedError("Say why you reject it; the requester will read it.")
    status = Approval.Status.APPROVED if approve else Approval.Status.REJECTED
    with transaction.atomic():
        open_run = (
            Run.objects.select_for_update()
            .filter(pk=approval.step.run_id, status__in=Run.OPEN)
            .exists()
        )
        # Only columns of this table: a join would make Django update by a subquery, whose answer
        # PostgreSQL does not ask again after waiting for another's decision.
        decided = open_run and (
            Approval.objects.filter(pk=approval.pk, status=Approval.Status.PENDING)
            .exclude(due_at__lt=now)
            .update(status=status, decided_at=now, decided_by=by, comment=comment.strip())
        )
        if not decided:
            approval.refresh_from_db()
            raise DecisionRefusedError(_too_late(approval))
        record(
            "approval.decided",
            actor=actor,
            actor_label=by.work_email,
            object_type="approval",
            object_key=str(approval.pk),
            object_label=approval.title,
            detail={"decision": status, "for": approval.approver.work_email},
        )
        run_wake(approval.step.run_id, at=now)
        ring(ENGINE)
    approval.refresh_from_db()
    return Decision(approval=approval, by=by)


def _too_late(approval: Approval) -> str:
    if approval.decided_by is not None and approval.decided_at is not None:
        when = f"{approval.decided_at:%-d %b %Y %H:%M} UTC"
        return f"Already {approval.status} by {approval.decided_by} on {when}."
    if approval.step.run.status not in Run.OPEN:
        return "The workflow has ended; nothing is to be decided any more."
    if approval.status == Approval.Status.PENDING:
        return "The time to decide is over."
    return f"This approval is {approval.status}."
