"""Put a question to people and take it back: the rows of one approval step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from siit_remote.audit.services import record
from workflows.approval_mail import requester_tell
from workflows.models import Approval, Request
from workflows.nodes import Lane, Resolution
from workflows.question import Question, due_moment, step_of, whom
from workflows.requests import request_status_set

if TYPE_CHECKING:
    from workflows.nodes import ActionContext

Status = Approval.Status
Origin = Approval.Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One look at one approval step. ``turn`` is the request's revision that is asked about."""

    ctx: ActionContext
    question: Question
    turn: int

    @classmethod
    def begin(cls, ctx: ActionContext, question: Question) -> Asking:
        """What was decided about an earlier revision does not count and is asked no longer."""
        turn = 1
        if ctx.request is not None:
            turn = Request.objects.values_list("revision", flat=True).get(pk=ctx.request.pk)
        # A worker may have asked about the earlier answers while they were being changed.
        Approval.objects.filter(
            step=ctx.step, round__lt=turn, status__in=[*Approval.OPEN, Status.APPROVED]
        ).update(status=Status.CANCELLED, closed_reason="The request has changed since.")
        return cls(ctx=ctx, question=question, turn=turn)

    def rows(self, stage: int) -> list[Approval]:
        """Everybody who was asked in this stage and turn."""
        found = Approval.objects.filter(step=self.ctx.step, stage=stage, round=self.turn)
        return list(
            found.order_by("pk").select_related("approver__manager", "subject", "decided_by")
        )

    def whom(self, stage: int) -> Resolution:
        """Whom the stage would ask now."""
        ctx = self.ctx
        return whom(
            self.question,
            self.question.stages[stage],
            subject=ctx.person,
            facts=ctx.facts,
            now=ctx.now,
        )

    def put(self, stage: int, found: Resolution, *, origin: str = Origin.FOUND) -> None:
        """Write the questions; asked twice, asked once. The mail is sent when they are kept."""
        ctx, question, title = self.ctx, self.question, title_of(self.ctx)
        with transaction.atomic():
            for approver in found.people:
                approval, made = Approval.objects.get_or_create(
                    step=ctx.step,
                    stage=stage,
                    approver=approver,
                    round=self.turn,
                    defaults={
                        "subject": ctx.person,
                        "title": title,
                        "summary": question.message,
                        "why_asked": found.how[:300],
                        "origin": origin,
                        "bulk": question.bulk,
                        "asked_at": ctx.now,
                        "due_at": due_moment(ctx.now, question.due_days, approver),
                        "remind_at": due_moment(ctx.now, question.remind_days, approver),
                    },
                )
                if made:
                    audit_rows("approval.requested", [approval])
            if ctx.request is not None and found.people:
                asked = Approval.objects.filter(step=ctx.step, round=self.turn)
                asked = asked.filter(status__in=Approval.OPEN).select_related("approver")
                names = ", ".join(dict.fromkeys(str(row.approver) for row in asked.order_by("pk")))
                reason = f"Waits for the decision of {names}."[:2_000]
                request_status_set(ctx.request, "waiting", reason=reason, now=ctx.now)

    def cancel_open(self, why: str, *, stage: int | None = None) -> None:
        """What was not needed any more is asked no longer."""
        rows = Approval.objects.filter(step=self.ctx.step, status__in=Approval.OPEN)
        if stage is not None:
            rows = rows.filter(stage=stage)
        rows.update(status=Status.CANCELLED, closed_reason=why[:300])

    def turn_down(self, lane: str, words: str, *, comment: str = "") -> Lane:
        """Tell the requester. Where no lane follows the run ends here, and so does the request."""
        ctx = self.ctx
        if ctx.request is not None:
            step = step_of(ctx.step)
            follows = step is not None and lane in (step.outcomes or {})
            status = "in_progress" if follows else "resolved"
            request_status_set(ctx.request, status, reason=words, now=ctx.now)
        requester_tell(ctx, words)
        detail = {"comment": comment} if comment else {}
        return Lane(lanes=(lane,), summary=words, detail=detail)


def title_of(ctx: ActionContext) -> str:
    """What is asked, on one line: the service or the workflow, and whom it is about."""
    what = ctx.request.service.name if ctx.request is not None else ctx.run.workflow.name
    return f"{what}: {ctx.person}"[:300]


def audit_rows(action: str, rows: Iterable[Approval]) -> None:
    """One entry for each question."""
    for row in rows:
        record(
            action,
            object_type="approval",
            object_key=str(row.pk),
            object_label=row.title,
            detail={"approver": row.approver.work_email},
        )


def still_open(rows: Sequence[Approval]) -> list[Approval]:
    """Those that somebody may still decide."""
    return [row for row in rows if row.status in Approval.OPEN]
