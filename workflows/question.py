"""An approval step's params, read; whom it asks, until when, and when enough have agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from people.models import Person
from workflows.approvers.policy import resolve_spec
from workflows.document.parse import parse_document
from workflows.document.shape import ActionStep
from workflows.models import Approval, StepRun
from workflows.nodes import ACTIONS, Resolution
from workflows.problems import DocumentError
from workflows.timing import add_working_days, local_instant, zone_of

Status = Approval.Status
ACTION = "approval.request"
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
    together: bool = False
    bulk: bool = False

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
            together=params["together"],
            bulk=params["bulk"],
        )


def _stage(approver: Mapping[str, Any], rule: Any, at_least: int) -> Stage:
    """``any``, ``all``, ``at_least 2`` or ``{at_least: 2}``; what cannot be read asks for all."""
    if isinstance(rule, Mapping):
        return Stage(approver, "at_least", int(rule.get("at_least", 1)))
    word, _, count = str(rule).partition(" ")
    if word == "at_least":
        return Stage(approver, word, int(count) if count.isdecimal() else at_least)
    return Stage(approver, "any" if word == "any" else "all", at_least)


def step_of(row: StepRun) -> ActionStep | None:
    """The step in the version the run began with, or among the run's own.

    ``None`` where it cannot be read any more.
    """
    try:
        document = parse_document(row.run.document or row.run.version.document)
    except DocumentError:
        return None
    step = document.step(row.key)
    return step if isinstance(step, ActionStep) else None


def question_of(row: StepRun) -> Question | None:
    """The question that ``row`` puts; ``None`` where it is none or cannot be read any more."""
    step, action = step_of(row), ACTIONS.get(ACTION)
    if step is None or step.action != ACTION or action is None:
        return None
    try:
        return Question.read(action.Params.read(dict(step.params)))
    except (DocumentError, KeyError, ValueError):
        return None


def whom(
    question: Question,
    stage: Stage,
    *,
    subject: Person,
    facts: Mapping[str, Any],
    now: datetime,
) -> Resolution:
    """Whom ``stage`` asks now: its approver, else the fallback with the reason for it."""
    found = resolve_spec(stage.approver, subject=subject, facts=facts, now=now)
    if found.people:
        return found
    other = resolve_spec(question.fallback, subject=subject, facts=facts, now=now)
    how = f"the fallback, because: {found.reason}"
    return Resolution(people=other.people, reason=other.reason or found.reason, how=how)


def due_moment(now: datetime, days: int, approver: Person) -> datetime:
    """18:00 on the n-th working day of the approver's country, in their zone (UTC)."""
    zone = zone_of(approver.timezone or "UTC")
    day = add_working_days(now.astimezone(zone).date(), days, approver.country)
    return local_instant(day, _END_OF_DAY, zone)


def stage_verdict(stage: Stage, asked: Sequence[Approval]) -> str:
    """Approved, rejected or pending by the rule. Silence counts as nobody's yes.

    Who was replaced does not count. Who did not answer counts as missing, unless somebody was
    asked in their place.
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


def _was_replaced(row: Approval, asked: Sequence[Approval]) -> bool:
    if row.status != Status.EXPIRED or row.due_at is None:
        return False
    return any(other.asked_at >= row.due_at for other in asked)
