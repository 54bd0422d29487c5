"""One approval step over its life: stages, approvers, reminders, escalation, the count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError
from people.models import Person
from siit_remote.audit.services import record
from workflows.approvers.policy import resolve_spec
from workflows.mail import notice_send
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
    if isinstance(rule, Mapping):
        return Stage(approver, "at_least", int(rule.get("at_least", 1)))
    return Stage(approver, str(rule), at_least)


def question_pursue(ctx: ActionContext, question: Question) -> Outcome:
    """Whatever is next for this step: ask, remind, count, escalate, decide."""
    for number, stage in enumerate(question.stages):
        asked = list(
            Approval.objects.filter(step=ctx.step, stage=number).select_related(
                "approver", "decided_by"
            )
        )
        if not asked:
            asked = _ask(ctx, question, number, _whom(ctx, stage, question))
            if not asked:
                return Failed(reason="Nobody can be asked, not even the fallback.", hold=True)
        asked = _replace_gone(ctx, question, number, asked)
        verdict = _count(stage, asked)
        if verdict == Status.REJECTED:
            return _rejected(asked)
        if verdict != Status.APPROVED:
            return _pending(ctx, question, number, asked)
    decided = Approval.objects.filter(step=ctx.step, status=Status.APPROVED)
    names = ", ".join(str(item.decided_by) for item in decided.select_related("decided_by"))
    Approval.objects.filter(step=ctx.step, status=Status.PENDING).update(status=Status.CANCELLED)
    return Lane(lanes=("approved",), summary=f"Approved by {names}.")


def _rejected(asked: list[Approval]) -> Lane:
    first = next(item for item in asked if item.status == Status.REJECTED)
    Approval.objects.filter(step=first.step_id, status=Status.PENDING).update(
        status=Status.CANCELLED
    )
    words = f"Rejected by {first.decided_by}: {first.comment}"
    return Lane(lanes=("rejected",), summary=words, detail={"comment": first.comment})


def _whom(ctx: ActionContext, stage: Stage, question: Question) -> Resolution:
    found = resolve_spec(stage.approver, subject=ctx.person, facts=ctx.facts, now=ctx.now)
    if found.people:
        return found
    other = resolve_spec(question.fallback, subject=ctx.person, facts=ctx.facts, now=ctx.now)
    how = f"the fallback, because: {found.reason}"
    return Resolution(people=other.people, reason=other.reason, how=how)


def _count(stage: Stage, asked: list[Approval]) -> str:
    """Approved, rejected or pending by the rule; cancelled and expired rows do not count."""
    counted = [item for item in asked if item.status not in (Status.CANCELLED, Status.EXPIRED)]
    approved = sum(item.status == Status.APPROVED for item in counted)
    rejected = sum(item.status == Status.REJECTED for item in counted)
    needed = {"any": 1, "all": len(counted)}.get(stage.rule, min(stage.at_least, len(counted)))
    if counted and approved >= needed:
        return Status.APPROVED
    if rejected and (stage.rule != "at_least" or len(counted) - rejected < needed):
        return Status.REJECTED
    return Status.PENDING


def _ask(ctx: ActionContext, question: Question, stage: int, found: Resolution) -> list[Approval]:
    """Write the questions and mail each approver; asked twice, asked once."""
    title = _title(ctx)
    asked: list[Approval] = []
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
        if approval.notified_at is None:
            _tell(approval, now=ctx.now, subject=title)
        asked.append(approval)
    return asked


def _title(ctx: ActionContext) -> str:
    if ctx.request is not None:
        return f"{ctx.request.service.name}: {ctx.person}"[:300]
    return f"{ctx.run.workflow.name}: {ctx.person}"[:300]


def _due(now: datetime, days: int, approver: Person) -> datetime:
    """18:00 on the n-th working day of the approver's country, in their zone."""
    zone = zone_of(approver.timezone or "UTC")
    day = add_working_days(now.astimezone(zone).date(), days, approver.country)
    return local_instant(day, _END_OF_DAY, zone)


def _tell(approval: Approval, *, now: datetime, subject: str) -> None:
    """Mail the approver. The link only opens: deciding takes the approver's own session."""
    link = f"{settings.SITE_URL}/approvals/{approval.pk}/"
    text = (
        f"Hello {approval.approver.display_name},\n\nyour decision is asked for: {approval.title}\n"
        f"{approval.summary}\n\nOpen it here and sign in to decide:\n{link}\n"
    )
    message = OutgoingMessage(to=approval.approver.work_email, subject=subject, text=text)
    try:
        notice_send(message, key=f"approval:{approval.pk}:{approval.reminders}")
    except IntegrationError:
        # The question stands in the inbox all the same; the next reminder tries again.
        return
    Approval.objects.filter(pk=approval.pk).update(notified_at=now)


def _replace_gone(
    ctx: ActionContext, question: Question, stage: int, asked: list[Approval]
) -> list[Approval]:
    """An approver who left since is replaced by whom the step would ask now."""
    gone = [
        item for item in asked if item.status == Status.PENDING and not item.approver.is_current
    ]
    if not gone:
        return asked
    Approval.objects.filter(pk__in=[item.pk for item in gone], status=Status.PENDING).update(
        status=Status.CANCELLED
    )
    names = ", ".join(str(item.approver) for item in gone)
    found = _whom(ctx, question.stages[stage], question)
    replaced = Resolution(people=found.people, how=f"{found.how}; {names} has left")
    _ask(ctx, question, stage, replaced)
    return list(
        Approval.objects.filter(step=ctx.step, stage=stage).select_related("approver", "decided_by")
    )


def _pending(ctx: ActionContext, question: Question, stage: int, asked: list[Approval]) -> Outcome:
    open_ = [item for item in asked if item.status == Status.PENDING]
    late = [item for item in open_ if item.due_at is not None and item.due_at <= ctx.now]
    if late and len(late) == len(open_):
        return _no_response(ctx, question, stage, asked, late)
    moments = [item.due_at for item in open_ if item.due_at is not None]
    for item in open_:
        if item.remind_at is not None and item.remind_at <= ctx.now:
            item.reminders += 1
            item.remind_at = _due(ctx.now, question.remind_days, item.approver)
            item.save(update_fields=["reminders", "remind_at"])
            _tell(item, now=ctx.now, subject=f"Reminder: {item.title}")
        if item.remind_at is not None:
            moments.append(item.remind_at)
    names = ", ".join(str(item.approver) for item in open_)
    return Wait(reason=f"Waits for {names}.", until=min(moments, default=None))


def _no_response(
    ctx: ActionContext,
    question: Question,
    stage: int,
    asked: list[Approval],
    late: list[Approval],
) -> Outcome:
    """Silence never approves: escalate once, then it expires."""
    Approval.objects.filter(pk__in=[item.pk for item in late], status=Status.PENDING).update(
        status=Status.EXPIRED
    )
    names = ", ".join(str(item.approver) for item in late)
    if question.on_no_response == "reject":
        return Lane(lanes=("rejected",), summary=f"Rejected: {names} did not answer in time.")
    if question.on_no_response == "expire":
        return Lane(lanes=("expired",), summary=f"Expired: {names} did not answer in time.")
    before = {item.approver_id for item in asked}
    above = [item.approver.manager for item in late]
    found = [
        person
        for person in above
        if person is not None
        and person.is_current
        and person.pk != ctx.person.pk
        and person.pk not in before
    ]
    if not found:
        other = resolve_spec(question.fallback, subject=ctx.person, facts=ctx.facts, now=ctx.now)
        found = [person for person in other.people if person.pk not in before]
    if not found:
        return Lane(lanes=("expired",), summary=f"Expired: {names} did not answer in time.")
    how = f"{names} did not answer in time"
    _ask(ctx, question, stage, Resolution(people=tuple(dict.fromkeys(found)), how=how))
    fresh = list(Approval.objects.filter(step=ctx.step, stage=stage).select_related("approver"))
    return _pending(ctx, question, stage, fresh)
