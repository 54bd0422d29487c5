"""One approval step over its life: each stage is asked, looked after and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.models import Approval
from workflows.moving import approvers_review
from workflows.nodes import Failed, Lane, Outcome, Resolution, Wait
from workflows.putting import Asking
from workflows.question import Question, Stage, stage_verdict
from workflows.requests import request_status_set
from workflows.silence import answers_await

if TYPE_CHECKING:
    from workflows.nodes import ActionContext

__all__ = ["Question", "question_pursue"]

Status = Approval.Status


def question_pursue(ctx: ActionContext, question: Question) -> Outcome:
    """Whatever is next for this step: ask, remind, count, escalate, decide."""
    asking = Asking.begin(ctx, question)
    waits: list[Wait] = []
    for number, stage in enumerate(question.stages):
        asked = asking.rows(number)
        if not asked:
            found = asking.whom(number)
            short = _too_few(stage, found)
            if short:
                return Failed(reason=short, hold=True)
            asking.put(number, found)
            asked = asking.rows(number)
        asked = approvers_review(asking, number, asked)
        verdict = stage_verdict(stage, asked)
        if verdict == Status.REJECTED:
            return _rejected(asking, asked)
        if verdict == Status.APPROVED:
            asking.cancel_open(f"Approved by {_deciders(asked)} already.", stage=number)
            continue
        outcome = answers_await(asking, number, asked)
        if not isinstance(outcome, Wait) or not question.together:
            return outcome
        waits.append(outcome)
    return _together(waits) if waits else _approved(asking)


def _too_few(stage: Stage, found: Resolution) -> str:
    """Why nobody is asked: a question that cannot be answered with yes is not put."""
    if not found.people:
        return f"Nobody can be asked, not even the fallback: {found.reason}"
    if stage.rule == "at_least" and len(found.people) < stage.at_least:
        return f"{stage.at_least} must agree, but only {len(found.people)} can be asked."
    return ""


def _together(waits: list[Wait]) -> Wait:
    """Stages side by side: whichever moment comes first."""
    moments = [wait.until for wait in waits if wait.until is not None]
    return Wait(reason=" ".join(wait.reason for wait in waits), until=min(moments, default=None))


def _deciders(asked: list[Approval]) -> str:
    return ", ".join(str(item.decided_by) for item in asked if item.status == Status.APPROVED)


def _approved(asking: Asking) -> Lane:
    ctx = asking.ctx
    decided = Approval.objects.filter(step=ctx.step, status=Status.APPROVED, round=asking.turn)
    words = f"Approved by {_deciders(list(decided.select_related('decided_by')))}."
    asking.cancel_open(words)
    if ctx.request is not None:
        request_status_set(ctx.request, "in_progress", reason=words, now=ctx.now)
    return Lane(lanes=("approved",), summary=words)


def _rejected(asking: Asking, asked: list[Approval]) -> Lane:
    first = next(item for item in asked if item.status == Status.REJECTED)
    words = f"Rejected by {first.decided_by}: {first.comment}"
    asking.cancel_open(f"Rejected by {first.decided_by} already.")
    return asking.turn_down("rejected", words, comment=first.comment)
