"""Decide once: by the one who was asked (or their delegate), never about oneself.

Every channel (page, mail, chat, shell) calls these services; none has rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.approval_mail import released_tell, request_tell
from workflows.approvers.people import can_answer
from workflows.engine.guard import current_facts
from workflows.engine.wake import run_wake
from workflows.engine.world import load_people
from workflows.models import Approval, RequestNote, Run
from workflows.notes import note_add
from workflows.question import due_moment, question_of, stage_verdict, whom
from workflows.requests import request_status_set
from workflows.standing_in import stands_in_for, today_of

ENGINE = "siit_remote.tasks.run_due"
Status = Approval.Status


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
    if by.pk == approval.subject_id or not can_answer(by) or not can_answer(approval.approver):
        return False
    return by.pk == approval.approver_id or approval.approver_id in stands_in_for(by, now)


def approval_decide(
    approval_id: int,
    *,
    by: Person,
    approve: bool,
    comment: str = "",
    now: datetime,
    actor: Any = None,
    via: str = "",
) -> Decision:
    """Approve or reject, once. Raises :class:`DecisionRefusedError` with the reason.

    ``via`` names the channel, for the audit log: “slack”.
    """
    approval, by = _asked(approval_id, by, now=now, actor=actor)
    if not approve and not comment.strip():
        raise DecisionRefusedError("Say why you reject it; the requester will read it.")
    _refuse_if_moved(approval, now=now)
    status = Status.APPROVED if approve else Status.REJECTED
    with transaction.atomic():
        _hold_open(approval)
        # Only columns of this table: a join would make Django update by a subquery, whose answer
        # PostgreSQL does not ask again after waiting for another's decision.
        decided = (
            Approval.objects.filter(pk=approval.pk)
            .filter(
                Q(status=Status.INFO)
                | (Q(status=Status.PENDING) & (Q(due_at__isnull=True) | Q(due_at__gte=now)))
            )
            .update(status=status, decided_at=now, decided_by=by, comment=comment.strip())
        )
        if not decided:
            approval.refresh_from_db()
            raise DecisionRefusedError(_too_late(approval))
        channel = {"via": via} if via else {}
        _record("approval.decided", approval, by, actor, decision=status, **channel)
        run_wake(approval.step.run_id, at=now)
        ring(ENGINE)
    approval.refresh_from_db()
    return Decision(approval=approval, by=by)


def approvals_approve(
    approval_ids: Iterable[int], *, by: Person, now: datetime, actor: Any = None
) -> list[tuple[int, str]]:
    """Approve several at once, where the step allows it. (id, why it was refused or "")."""
    results: list[tuple[int, str]] = []
    for pk in dict.fromkeys(approval_ids):
        if not Approval.objects.filter(pk=pk, bulk=True).exists():
            results.append((pk, "This one is decided on its own page only."))
            continue
        try:
            approval_decide(pk, by=by, approve=True, now=now, actor=actor)
        except DecisionRefusedError as error:
            results.append((pk, str(error)))
        else:
            results.append((pk, ""))
    return results


def approval_send_back(
    approval_id: int, *, by: Person, question: str, now: datetime, actor: Any = None
) -> None:
    """Ask the requester before deciding; the question returns with the answer, or without one
    when none has come by then. Raises :class:`DecisionRefusedError`.
    """
    approval, by = _asked(approval_id, by, now=now, actor=actor)
    request, words = approval.step.run.request, question.strip()
    if request is None:
        raise DecisionRefusedError("Nobody asked for this by a request, so nobody can answer.")
    if not words:
        raise DecisionRefusedError("Write what you need to know.")
    known = question_of(approval.step)
    due = due_moment(now, known.due_days if known else 5, request.requester)
    with transaction.atomic():
        _hold_open(approval)
        asked = (
            Approval.objects.filter(pk=approval.pk, status=Status.PENDING)
            .exclude(due_at__lt=now)
            .update(status=Status.INFO, due_at=due)
        )
        if not asked:
            approval.refresh_from_db()
            raise DecisionRefusedError(_too_late(approval))
        note_add(request, words, now=now, kind=RequestNote.Kind.QUESTION, author=by)
        request_status_set(request, "waiting", reason=f"{by} needs an answer first.", now=now)
        _record("approval.sent_back", approval, by, actor)
        run_wake(approval.step.run_id, at=now)
    key = f"question:{approval.pk}:{now.isoformat()}"
    request_tell(request, f"{by} asks before deciding:\n\n{words}", key=key)


def approval_reassign(
    approval_id: int, *, to: Person, reason: str, now: datetime, actor: Any = None
) -> Approval:
    """Move a question to somebody else, by hand. Raises :class:`DecisionRefusedError`."""
    approval = _found(approval_id)
    if not reason.strip():
        raise DecisionRefusedError("Say why it is moved; both will read it.")
    if to.pk == approval.subject_id:
        raise DecisionRefusedError("Nobody approves for themselves.")
    if not can_answer(to):
        raise DecisionRefusedError(f"{to} has left or cannot sign in.")
    label = actor.get_username() if actor is not None else "the operator"
    known = question_of(approval.step)
    words = f"Moved to {to}: {reason.strip()}"
    with transaction.atomic():
        _hold_open(approval)
        same = Approval.objects.filter(
            step=approval.step, stage=approval.stage, round=approval.round, approver=to
        )
        if same.exists():
            raise DecisionRefusedError(f"{to} is or was asked already.")
        moved = Approval.objects.filter(pk=approval.pk, status__in=Approval.OPEN).update(
            status=Status.CANCELLED, closed_reason=words[:300]
        )
        if not moved:
            approval.refresh_from_db()
            raise DecisionRefusedError(_too_late(approval))
        made = Approval.objects.create(
            step=approval.step,
            stage=approval.stage,
            round=approval.round,
            subject=approval.subject,
            approver=to,
            title=approval.title,
            summary=approval.summary,
            why_asked=f"moved from {approval.approver} by {label}: {reason.strip()}"[:300],
            origin=Approval.Origin.MOVED,
            bulk=approval.bulk,
            asked_at=now,
            due_at=due_moment(now, known.due_days if known else 5, to),
            remind_at=due_moment(now, known.remind_days if known else 1, to),
        )
        if approval.step.run.request is not None:
            note_add(approval.step.run.request, f"{words} (was {approval.approver})", now=now)
        _record("approval.reassigned", made, to, actor, was=approval.approver.work_email)
        run_wake(approval.step.run_id, at=now)
        ring(ENGINE)
    released_tell(approval, words)
    return made


def _found(approval_id: int) -> Approval:
    approval = (
        Approval.objects.select_related(
            "step__run__version", "step__run__request", "subject", "approver", "decided_by"
        )
        .filter(pk=approval_id)
        .first()
    )
    if approval is None:
        raise DecisionRefusedError("There is no such approval.")
    return approval


def _asked(approval_id: int, by: Person, *, now: datetime, actor: Any) -> tuple[Approval, Person]:
    """The question and its decider, both read afresh; refused to everybody else, and noted."""
    approval = _found(approval_id)
    # Read again: the caller's object may be from before the last sync.
    by = Person.objects.get(pk=by.pk)
    if by.pk == approval.subject_id:
        _record("approval.refused", approval, by, actor)
        raise DecisionRefusedError("Nobody approves for themselves.")
    if approval.status not in Approval.OPEN:
        raise DecisionRefusedError(_too_late(approval))
    if not may_decide(approval, by, now=now):
        _record("approval.refused", approval, by, actor)
        raise DecisionRefusedError(f"Only {approval.approver} or their delegate decides this.")
    return approval, by


def _refuse_if_moved(approval: Approval, *, now: datetime) -> None:
    """The approver may not be the one any more: then the step asks who is."""
    run, question = approval.step.run, question_of(approval.step)
    people = load_people([run.person_id])
    if question is None or approval.origin != Approval.Origin.FOUND or not people:
        return
    if approval.stage >= len(question.stages):
        return
    facts = current_facts(run, people[run.person_id], today=today_of(approval.subject, now))
    stage = question.stages[approval.stage]
    found = whom(question, stage, subject=approval.subject, facts=facts, now=now)
    if found.people and approval.approver not in found.people:
        run_wake(run.pk, at=now)
        ring(ENGINE)
        names = ", ".join(str(person) for person in found.people)
        raise DecisionRefusedError(f"{names} decides this now, not {approval.approver} any more.")


def _hold_open(approval: Approval) -> None:
    """Lock the run for the transaction; refuse what is settled without this answer."""
    run = Run.objects.select_for_update().filter(pk=approval.step.run_id, status__in=Run.OPEN)
    if not run.exists():
        approval.refresh_from_db()
        raise DecisionRefusedError(_too_late(approval))
    question = question_of(approval.step)
    if question is None or approval.stage >= len(question.stages):
        return
    asked = list(
        Approval.objects.filter(
            step=approval.step, stage=approval.stage, round=approval.round
        ).select_related("decided_by")
    )
    if stage_verdict(question.stages[approval.stage], asked) != Status.PENDING:
        approval.refresh_from_db()
        own = _decided_words(approval) if approval.decided_by is not None else ""
        words = own or _others_words(asked, approval) or "It is settled already."
        raise DecisionRefusedError(words)


def _others_words(asked: Iterable[Approval], approval: Approval) -> str:
    """Who of the others settled it, and when."""
    for other in asked:
        if other.pk != approval.pk and other.decided_by is not None:
            return _decided_words(other)
    return ""


def _decided_words(approval: Approval) -> str:
    when = f"{approval.decided_at:%-d %b %Y %H:%M} UTC"
    return f"Already {approval.status} by {approval.decided_by} on {when}."


def _too_late(approval: Approval) -> str:
    if approval.decided_by is not None and approval.decided_at is not None:
        return _decided_words(approval)
    if approval.status == Status.CANCELLED:
        rows = Approval.objects.filter(step=approval.step, round=approval.round)
        others = _others_words(rows.select_related("decided_by").order_by("-decided_at"), approval)
        return approval.closed_reason or others or "It is not to be decided any more."
    if approval.step.run.status not in Run.OPEN:
        return "The workflow has ended; nothing is to be decided any more."
    if approval.status in (Status.PENDING, Status.EXPIRED):
        return f"The time to decide is over. {approval.closed_reason}".strip()
    return f"This approval is {approval.status}."


def _record(action: str, approval: Approval, by: Person, actor: Any, **detail: Any) -> None:
    record(
        action,
        actor=actor,
        actor_label=actor.get_username() if actor is not None else by.work_email,
        object_type="approval",
        object_key=str(approval.pk),
        object_label=approval.title,
        detail={"for": approval.approver.work_email, "by": by.work_email, **detail},
    )
