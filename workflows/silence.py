"""What happens while nobody decides: reminders, questions back, and what silence means."""

from __future__ import annotations

from django.db import transaction

from people.models import Person
from workflows.approval_mail import approver_tell
from workflows.approvers.people import addresses_switched_off
from workflows.approvers.policy import resolve_spec
from workflows.models import Approval
from workflows.nodes import Lane, Resolution, Wait
from workflows.notes import note_add
from workflows.putting import Asking, audit_rows, still_open
from workflows.question import due_moment

Status = Approval.Status


def answers_await(asking: Asking, stage: int, asked: list[Approval]) -> Wait | Lane:
    """Remind, escalate, or give up: whatever the time says about a stage without a verdict."""
    now = asking.ctx.now
    _take_back(asking, asked)
    open_ = still_open(asked)
    late = [
        item
        for item in open_
        if item.status == Status.PENDING and item.due_at is not None and item.due_at <= now
    ]
    if len(late) == len(open_):
        return _no_response(asking, stage, asked, late)
    moments = []
    for item in (item for item in open_ if item not in late):
        if item.status == Status.PENDING:
            _keep_in_mind(asking, item)
            moments.append(item.remind_at)
        moments.append(item.due_at)
    names = ", ".join(str(item.approver) for item in open_)
    until = min((moment for moment in moments if moment is not None), default=None)
    return Wait(reason=f"Waits for {names}.", until=until)


def _take_back(asking: Asking, asked: list[Approval]) -> None:
    """No answer came to an approver's question: it is theirs to decide without one."""
    now, question = asking.ctx.now, asking.question
    for item in asked:
        if item.status != Status.INFO or item.due_at is None or item.due_at > now:
            continue
        item.due_at = due_moment(now, question.due_days, item.approver)
        item.remind_at = due_moment(now, question.remind_days, item.approver)
        changed = Approval.objects.filter(pk=item.pk, status=Status.INFO).update(
            status=Status.PENDING, due_at=item.due_at, remind_at=item.remind_at
        )
        if changed:
            item.status = Status.PENDING
            approver_tell(item, now=now, subject=f"No answer came: {item.title}")


def _keep_in_mind(asking: Asking, item: Approval) -> None:
    """Tell the approver the first time, and again when a reminder is due."""
    now = asking.ctx.now
    if item.remind_at is not None and item.remind_at <= now:
        item.reminders += 1
        item.remind_at = due_moment(now, asking.question.remind_days, item.approver)
        item.save(update_fields=["reminders", "remind_at"])
        approver_tell(item, now=now, subject=f"Reminder: {item.title}")
    elif item.notified_at is None:
        approver_tell(item, now=now, subject=item.title)


def _no_response(
    asking: Asking, stage: int, asked: list[Approval], late: list[Approval]
) -> Wait | Lane:
    """Silence never approves: it goes to somebody else, or is rejected, or expires."""
    silent = late or [item for item in asked if item.status == Status.EXPIRED]
    names = ", ".join(str(item.approver) for item in silent) or "Who was asked"
    above = _above(asking, asked, late)
    instead = ", ".join(str(person) for person in above)
    words = "No answer came in time." + (f" {instead} is asked instead." if above else "")
    with transaction.atomic():
        Approval.objects.filter(pk__in=[item.pk for item in late], status=Status.PENDING).update(
            status=Status.EXPIRED, closed_reason=words[:300]
        )
        audit_rows("approval.expired", late)
        if above:
            found = Resolution(people=tuple(above), how=f"{names} did not answer in time")
            asking.put(stage, found, origin=Approval.Origin.ESCALATED)
            if asking.ctx.request is not None:
                note_add(asking.ctx.request, f"{names} did not answer. {words}", now=asking.ctx.now)
    if above:
        return answers_await(asking, stage, asking.rows(stage))
    lane = "rejected" if asking.question.on_no_response == "reject" else "expired"
    words = f"{lane.capitalize()}: {names} did not answer in time."
    asking.cancel_open(words)
    return asking.turn_down(lane, words)


def _above(asking: Asking, asked: list[Approval], late: list[Approval]) -> list[Person]:
    """Whom silence is escalated or reassigned to; nobody twice, never the subject.

    Escalated: the managers of the silent, else the fallback. Reassigned: the fallback at once.
    """
    ctx, policy = asking.ctx, asking.question.on_no_response
    if not late or policy not in ("escalate", "reassign"):
        return []
    taken = {ctx.person.pk, *(item.approver_id for item in asked)}
    off = addresses_switched_off()
    above = [item.approver.manager for item in late] if policy == "escalate" else []
    found = [
        person
        for person in above
        if person is not None and person.is_current and person.work_email not in off
    ]
    if all(person.pk in taken for person in found):
        other = resolve_spec(
            asking.question.fallback, subject=ctx.person, facts=ctx.facts, now=ctx.now
        )
        found = list(other.people)
    return [person for person in dict.fromkeys(found) if person.pk not in taken]
