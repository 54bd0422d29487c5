"""One approval step over its life: stages, approvers, reminders, escalation, the count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django.db import transaction

from people.models import Person
from siit_remote.audit.services import record
from workflows.approval_mail import approver_tell, requester_tell
from workflows.approvers.policy import resolve_spec
from workflows.models import Approval
from workflows.nodes import Failed, Lane, Outcome, Resolution, Wait
from workflows.timing import add_working_days, local_instant, zone_of

if TYPE_CHECKING:
    from workflows.nodes import ActionContext

Status = Approval.Status
_END_OF_DAY = time(18, 0)


@dataclass(frozen=True, slots=True)
class Stage:
    """Whom one stage asks and how many must agree."""

    approver: Mapping[str, Any]
    rule: str
    at_least: int


@dataclass(frozen=True, slots=True)
class Question:
    """An approval step's params, read."""

    stages: tuple[Stage, ...]
    fallback: Mapping[str, Any]
    due_days: int
    remind_days: int
    on_no_response: str
    message: str

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> Question:
        """From the cleaned params."""
        stages = [_stage(params["approver"], params["rule"], params["at_least"])]
        for item in params["also"]:
            spec = item.get("approver", item)
            stages.append(_stage(spec, item.get("rule", params["rule"]), item.get("at_least", 1)))
        return cls(
            stages=tuple(stages),
            fallback=params["fallback"],
            due_days=params["due"].get("working_days", 5),
            remind_days=params["remind_every"].get("working_days", 1),
            on_no_response=params["on_no_response"],
            message=params["message"],
        )


def _stage(approver: Mapping[str, Any], rule: Any, at_least: int) -> Stage:
    """``any``, ``all``, ``at_least 2`` or ``{at_least: 2}``; what cannot be read asks for all."""
    if isinstance(rule, Mapping):
        return Stage(approver, "at_least", int(rule.get("at_least", 1)))
    word, _, count = str(rule).partition(" ")
    if word == "at_least":
        return Stage(approver, word, int(count) if count.isdecimal() else at_least)
    return Stage(approver, "any" if word == "any" else "all", at_least)


def question_pursue(ctx: ActionContext, question: Question) -> Outcome:
    """Whatever is next for this step: ask, remind, count, escalate, decide."""
    for number, stage in enumerate(question.stages):
        asked = _rows(ctx, number)
        if not asked:
            found = _whom(ctx, stage, question)
            short = _too_few(stage, found)
            if short:
                return Failed(reason=short, hold=True)
            _ask(ctx, question, number, found)
            asked = _rows(ctx, number)
        asked = _replace_gone(ctx, question, number, asked)
        verdict = _count(stage, asked)
        if verdict == Status.REJECTED:
            return _rejected(ctx, asked)
        if verdict != Status.APPROVED:
            return _pending(ctx, question, number, asked)
    decided = Approval.objects.filter(step=ctx.step, status=Status.APPROVED)
    names = ", ".join(str(item.decided_by) for item in decided.select_related("decided_by"))
    _cancel_open(ctx)
    return Lane(lanes=("approved",), summary=f"Approved by {names}.")


def _rows(ctx: ActionContext, stage: int) -> list[Approval]:
    found = Approval.objects.filter(step=ctx.step, stage=stage).order_by("pk")
    return list(found.select_related("approver__manager", "decided_by"))


def _too_few(stage: Stage, found: Resolution) -> str:
    """Why nobody is asked: a question that cannot be answered with yes is not put."""
    if not found.people:
        return f"Nobody can be asked, not even the fallback: {found.reason}"
    if stage.rule == "at_least" and len(found.people) < stage.at_least:
        return f"{stage.at_least} must agree, but only {len(found.people)} can be asked."
    return ""


def _cancel_open(ctx: ActionContext) -> None:
    """What was not needed any more is asked no longer."""
    Approval.objects.filter(step=ctx.step, status=Status.PENDING).update(status=Status.CANCELLED)


def _rejected(ctx: ActionContext, asked: list[Approval]) -> Lane:
    first = next(item for item in asked if item.status == Status.REJECTED)
    _cancel_open(ctx)
    words = f"Rejected by {first.decided_by}: {first.comment}"
    requester_tell(ctx, words)
    return Lane(lanes=("rejected",), summary=words, detail={"comment": first.comment})


def _whom(ctx: ActionContext, stage: Stage, question: Question) -> Resolution:
    found = resolve_spec(stage.approver, subject=ctx.person, facts=ctx.facts, now=ctx.now)
    if found.people:
        return found
    other = resolve_spec(question.fallback, subject=ctx.person, facts=ctx.facts, now=ctx.now)
    how = f"the fallback, because: {found.reason}"
    return Resolution(people=other.people, reason=other.reason, how=how)


def _count(stage: Stage, asked: list[Approval]) -> str:
    """Approved, rejected or pending by the rule. Silence counts as nobody's yes.

    Who has left and was replaced does not count. Who did not answer counts as missing, unless
    somebody was asked in their place.
    """
    approved = sum(item.status == Status.APPROVED for item in asked)
    rejected = sum(item.status == Status.REJECTED for item in asked)
    seats = [item for item in asked if item.status != Status.CANCELLED]
    seats = [item for item in seats if not _was_replaced(item, asked)]
    needed = {"any": 1, "all": max(len(seats), 1)}.get(stage.rule, stage.at_least)
    if approved >= needed:
        return Status.APPROVED
    if rejected and (stage.rule != "at_least" or len(seats) - rejected < needed):
        return Status.REJECTED
    return Status.PENDING


def _was_replaced(row: Approval, asked: list[Approval]) -> bool:
    if row.status != Status.EXPIRED or row.due_at is None:
        return False
    return any(other.asked_at >= row.due_at for other in asked)


def _ask(ctx: ActionContext, question: Question, stage: int, found: Resolution) -> None:
    """Write the questions; asked twice, asked once. :func:`_pending` sends the mail after it."""
    title = _title(ctx)
    for approver in found.people:
        due = _due(ctx.now, question.due_days, approver)
        with transaction.atomic():
            approval, made = Approval.objects.get_or_create(
                step=ctx.step,
                stage=stage,
                approver=approver,
                defaults={
                    "subject": ctx.person,
                    "title": title,
                    "summary": question.message,
                    "why_asked": found.how[:300],
                    "asked_at": ctx.now,
                    "due_at": due,
                    "remind_at": _due(ctx.now, question.remind_days, approver),
                },
            )
            if made:
                record(
                    "approval.requested",
                    object_type="approval",
                    object_key=str(approval.pk),
                    object_label=title,
                    detail={"approver": approver.work_email},
                )


def _title(ctx: ActionContext) -> str:
    if ctx.request is not None:
        return f"{ctx.request.service.name}: {ctx.person}"[:300]
    return f"{ctx.run.workflow.name}: {ctx.person}"[:300]


def _due(now: datetime, days: int, approver: Person) -> datetime:
    """18:00 on the n-th working day of the approver's country, in their zone."""
    zone = zone_of(approver.timezone or "UTC")
    day = add_working_days(now.astimezone(zone).date(), days, approver.country)
    return local_instant(day, _END_OF_DAY, zone)


def _replace_gone(
    ctx: ActionContext, question: Question, stage: int, asked: list[Approval]
) -> list[Approval]:
    """An approver who left since is replaced by whom the step would ask now."""
    gone = [
        item for item in asked if item.status == Status.PENDING and not item.approver.is_current
    ]
    if not gone:
        return asked
    names = ", ".join(str(item.approver) for item in gone)
    found = _whom(ctx, question.stages[stage], question)
    how = f"{found.how}; {names} has left"
    with transaction.atomic():
        Approval.objects.filter(pk__in=[item.pk for item in gone], status=Status.PENDING).update(
            status=Status.CANCELLED
        )
        _ask(ctx, question, stage, Resolution(people=found.people, how=how))
        _audit("approval.reassigned", gone)
    return _rows(ctx, stage)


def _audit(action: str, rows: list[Approval]) -> None:
    for row in rows:
        record(
            action,
            object_type="approval",
            object_key=str(row.pk),
            object_label=row.title,
            detail={"approver": row.approver.work_email},
        )


def _pending(ctx: ActionContext, question: Question, stage: int, asked: list[Approval]) -> Outcome:
    open_ = [item for item in asked if item.status == Status.PENDING]
    late = [item for item in open_ if item.due_at is not None and item.due_at <= ctx.now]
    if len(late) == len(open_):
        return _no_response(ctx, question, stage, asked, late)
    moments = []
    for item in (item for item in open_ if item not in late):
        if item.remind_at is not None and item.remind_at <= ctx.now:
            item.reminders += 1
            item.remind_at = _due(ctx.now, question.remind_days, item.approver)
            item.save(update_fields=["reminders", "remind_at"])
            approver_tell(item, now=ctx.now, subject=f"Reminder: {item.title}")
        elif item.notified_at is None:
            approver_tell(item, now=ctx.now, subject=item.title)
        moments += [moment for moment in (item.due_at, item.remind_at) if moment is not None]
    names = ", ".join(str(item.approver) for item in open_)
    return Wait(reason=f"Waits for {names}.", until=min(moments, default=None))


def _no_response(
    ctx: ActionContext,
    question: Question,
    stage: int,
    asked: list[Approval],
    late: list[Approval],
) -> Outcome:
    """Silence never approves: it goes to somebody else, or is rejected, or expires."""
    silent = late or [item for item in asked if item.status == Status.EXPIRED]
    names = ", ".join(str(item.approver) for item in silent) or "Who was asked"
    above = _above(ctx, question, asked, late) if question.on_no_response == "escalate" else []
    with transaction.atomic():
        Approval.objects.filter(pk__in=[item.pk for item in late], status=Status.PENDING).update(
            status=Status.EXPIRED
        )
        _audit("approval.expired", late)
        if above:
            how = f"{names} did not answer in time"
            _ask(ctx, question, stage, Resolution(people=tuple(above), how=how))
    if above:
        return _pending(ctx, question, stage, _rows(ctx, stage))
    lane = "rejected" if question.on_no_response == "reject" else "expired"
    words = f"{lane.capitalize()}: {names} did not answer in time."
    _cancel_open(ctx)
    requester_tell(ctx, words)
    return Lane(lanes=(lane,), summary=words)


def _above(
    ctx: ActionContext, question: Question, asked: list[Approval], late: list[Approval]
) -> list[Person]:
    """The managers of the silent, else the fallback; nobody twice, never the subject."""
    taken = {ctx.person.pk, *(item.approver_id for item in asked)}
    above = [item.approver.manager for item in late]
    found = [person for person in above if person is not None and person.is_current]
    if all(person.pk in taken for person in found):
        other = resolve_spec(question.fallback, subject=ctx.person, facts=ctx.facts, now=ctx.now)
        found = list(other.people)
    return [person for person in dict.fromkeys(found) if late and person.pk not in taken]
