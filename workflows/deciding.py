"""Everything an approver needs to decide, in words, and nothing that is not theirs to see."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrations.models import Application
from people.countries import country_name
from people.identity import fields_hidden_from
from people.models import EmploymentType, Person
from workflows.document.describe import describe_step
from workflows.document.parse import parse_document
from workflows.document.shape import (
    ActionStep,
    Step,
    WorkflowDocument,
    inner_steps,
    walk_steps,
)
from workflows.engine.guard import current_facts, is_destructive
from workflows.engine.world import load_people
from workflows.models import Approval, Request
from workflows.nodes import ACTIONS, ActionContext
from workflows.problems import DocumentError
from workflows.question import question_of
from workflows.standing_in import today_of
from workflows.templating import TemplateProblemError
from workflows.vocabulary import VOCABULARY

Status = Approval.Status
_LIKE_SHOWN = 5
_LIKE_DAYS = 365
_QUIET = ("request.set_status",)


@dataclass(frozen=True, slots=True, kw_only=True)
class LikeCases:
    """How the same was decided in the last year: counts, and the latest without names."""

    approved: int
    rejected: int
    latest: list[Approval]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """One question as its approver reads it."""

    about: list[tuple[str, str]]
    answers: list[tuple[str, str]]
    consequences: list[str]
    like: LikeCases
    others: list[Approval]
    rule: str


def brief_of(approval: Approval, *, viewer: Any, now: datetime) -> Brief:
    """What is shown beside the buttons; ``viewer`` is the signed-in account."""
    request = approval.step.run.request
    others = Approval.objects.filter(step=approval.step, round=approval.round)
    return Brief(
        about=_about(approval.subject, viewer),
        answers=answers_of(request) if request is not None else [],
        consequences=_consequences(approval, now=now),
        like=_like(approval, request, now=now),
        others=list(
            others.exclude(pk=approval.pk)
            .select_related("approver", "decided_by")
            .order_by("stage", "pk")
        ),
        rule=_rule_words(approval),
    )


def _about(person: Person, viewer: Any) -> list[tuple[str, str]]:
    hidden = fields_hidden_from(viewer)
    kinds = dict(EmploymentType.objects.values_list("key", "name"))
    values = (
        ("job_title", "Job title", person.job_title),
        ("team", "Team", str(person.team or "")),
        ("legal_entity", "Legal entity", str(person.legal_entity or "")),
        ("country", "Country", country_name(person.country) if person.country else ""),
        ("employment_type", "Employment type", kinds.get(person.employment_type, "")),
        ("manager", "Manager", str(person.manager or "")),
    )
    return [(label, value) for field, label, value in values if value and field not in hidden]


def answers_of(request: Request) -> list[tuple[str, str]]:
    """The form as it was filled in: labels, and names instead of keys."""
    found: list[tuple[str, str]] = []
    declared = {field.get("name"): field for field in request.service.fields}
    for name, value in request.form.items():
        field = declared.get(name, {})
        label = field.get("label") or str(name).replace("_", " ").capitalize()
        found.append((label, _answer(str(field.get("type", "text")), value)))
    return found


def _answer(kind: str, value: Any) -> Any:
    if kind == "application":
        named = Application.objects.filter(key=value).values_list("name", flat=True).first()
        return named or value
    if kind == "person":
        person = Person.objects.filter(work_email=value).first()
        return str(person) if person is not None else value
    return value


def _consequences(approval: Approval, *, now: datetime) -> list[str]:
    """What happens if it is approved, step by step."""
    run = approval.step.run
    try:
        document = parse_document(run.version.document)
    except DocumentError:
        return []
    words = _further_stages(approval)
    people = load_people([run.person_id])
    if run.person_id not in people:
        return words
    facts = current_facts(run, people[run.person_id], today=today_of(approval.subject, now))
    ctx = ActionContext(
        run=run,
        step=approval.step,
        person=approval.subject,
        facts=facts,
        request=run.request,
        now=now,
        before_effect=lambda: None,
    )
    return words + [_words(step, ctx) for step in _steps_after(document, approval.step.key)]


def _further_stages(approval: Approval) -> list[str]:
    question = question_of(approval.step)
    if question is None or question.together:
        return []
    left = len(question.stages) - approval.stage - 1
    if left <= 0:
        return []
    return ["One more approval is asked for."] if left == 1 else [f"{left} more approvals follow."]


def approval_takes(approval: Approval) -> bool:
    """Whether approving lets a step happen that takes something from somebody.

    What cannot be read might.
    """
    try:
        document = parse_document(approval.step.run.version.document)
    except DocumentError:
        return True
    ahead = tuple(_steps_after(document, approval.step.key))
    return any(is_destructive(step) and not step.disabled for _, step in walk_steps(ahead, ""))


def _steps_after(document: WorkflowDocument, key: str) -> list[Step]:
    found = _after(document.steps, key) or []
    return [
        step
        for step in found
        if not step.disabled and not (isinstance(step, ActionStep) and step.action in _QUIET)
    ]


def _after(steps: Sequence[Step], key: str) -> list[Step] | None:
    """The approved lane of the step ``key``, and whatever follows it on every level."""
    for index, step in enumerate(steps):
        rest = list(steps[index + 1 :])
        if step.key == key:
            lane = step.outcomes.get("approved", ()) if isinstance(step, ActionStep) else ()
            return [*lane, *rest]
        for _, inner in inner_steps(step, ""):
            found = _after(inner, key)
            if found is not None:
                return [*found, *rest]
    return None


def _words(step: Step, ctx: ActionContext) -> str:
    """One step for this very person where it can be said, else as it stands in the workflow."""
    text = describe_step(step, VOCABULARY)
    if isinstance(step, ActionStep) and step.when is None and not step.outcomes:
        action = ACTIONS.get(step.action)
        if action is not None:
            with suppress(TemplateProblemError):
                text = action.describe(ctx, step.params) or text
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."


def _like(approval: Approval, request: Request | None, *, now: datetime) -> LikeCases:
    rows = Approval.objects.filter(
        status__in=[Status.APPROVED, Status.REJECTED], decided_at__gte=now - timedelta(_LIKE_DAYS)
    ).exclude(step=approval.step)
    if request is None:
        rows = rows.filter(step__run__workflow=approval.step.run.workflow)
    else:
        rows = rows.filter(step__run__request__service=request.service)
        if application := request.form.get("application"):
            rows = rows.filter(step__run__request__form__application=application)
    return LikeCases(
        approved=rows.filter(status=Status.APPROVED).count(),
        rejected=rows.filter(status=Status.REJECTED).count(),
        latest=list(rows.order_by("-decided_at")[:_LIKE_SHOWN]),
    )


def _rule_words(approval: Approval) -> str:
    question = question_of(approval.step)
    if question is None or approval.stage >= len(question.stages):
        return ""
    stage = question.stages[approval.stage]
    words = {"any": "One yes is enough.", "all": "All of them must agree."}
    return words.get(stage.rule, f"{stage.at_least} of them must agree.")
