"""An approver who has left, cannot sign in or is not the one any more: who is asked instead."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from people.models import Person
from people.selectors import manager_chain
from workflows.approval_mail import released_tell
from workflows.approvers.people import addresses_switched_off
from workflows.approvers.policy import resolve_spec
from workflows.models import Approval
from workflows.nodes import Resolution
from workflows.notes import note_add
from workflows.putting import Asking, audit_rows, still_open

Status = Approval.Status
Origin = Approval.Origin


def approvers_review(asking: Asking, stage: int, asked: list[Approval]) -> list[Approval]:
    """Look again at who is asked; returns the stage's rows as they are then."""
    pending = still_open(asked)
    if not pending:
        return asked
    off = addresses_switched_off()
    gone = [
        item for item in pending if not item.approver.is_current or item.approver.work_email in off
    ]
    found = asking.whom(stage)
    named = {person.pk for person in found.people}
    # Whom silence or a person brought in stays, whatever the step would say today.
    others = [
        item
        for item in pending
        if named
        and item not in gone
        and item.origin == Origin.FOUND
        and item.approver_id not in named
    ]
    if not gone and not others:
        return asked
    alone = len(pending) == len(gone)
    heirs, origin = _heirs(asking, stage, found.people, gone, asked, alone=alone)
    how = found.how if origin == Origin.FOUND else ""
    _move(asking, stage, [*gone, *others], heirs, gone=bool(gone), how=how, origin=origin)
    return asking.rows(stage)


def _heirs(
    asking: Asking,
    stage: int,
    found: Sequence[Person],
    gone: list[Approval],
    asked: list[Approval],
    *,
    alone: bool,
) -> tuple[list[Person], str]:
    """Whom the step names now, else the next up the chain of who left, else the fallback.

    With how they were found: the next up the chain stays, although the step names somebody else.
    """
    ctx = asking.ctx
    taken = {ctx.person.pk, *(item.approver_id for item in asked)}
    off = addresses_switched_off()
    own = resolve_spec(
        asking.question.stages[stage].approver, subject=ctx.person, facts=ctx.facts, now=ctx.now
    )
    heirs = [person for person in own.people if person.pk not in taken]
    if heirs or not alone:
        return heirs, Origin.FOUND
    for item in gone:
        for above in manager_chain(item.approver):
            if above.is_current and above.pk not in taken and above.work_email not in off:
                return [above], Origin.ESCALATED
    return [person for person in found if person.pk not in taken], Origin.FOUND


def _move(
    asking: Asking,
    stage: int,
    moved: list[Approval],
    heirs: list[Person],
    *,
    gone: bool,
    how: str,
    origin: str,
) -> None:
    """Close the old rows, put the question to the heirs, and say so to both."""
    names = ", ".join(str(item.approver) for item in moved)
    why = f"{names} has left" if gone else f"it is not {names} any more"
    instead = ", ".join(str(person) for person in heirs)
    words = f"{why[:1].upper()}{why[1:]}." + (f" {instead} is asked instead." if heirs else "")
    with transaction.atomic():
        Approval.objects.filter(
            pk__in=[item.pk for item in moved], status__in=Approval.OPEN
        ).update(status=Status.CANCELLED, closed_reason=words[:300])
        how = f"{how}; {why}" if how else why
        asking.put(stage, Resolution(people=tuple(heirs), how=how), origin=origin)
        audit_rows("approval.reassigned", moved)
        if asking.ctx.request is not None:
            note_add(asking.ctx.request, words, now=asking.ctx.now)
    for item in moved:
        released_tell(item, words)
