"""Test a draft with one person: every step with that person's values. No effects of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from people.models import Person
from people.selectors import timezone_of
from workflows.conditions.evaluate import Truth
from workflows.document.shape import ActionStep, WorkflowDocument
from workflows.engine.outlook import StepPreview, judgements, steps_preview
from workflows.engine.planner import (
    PlannedWorkflow,
    Verdict,
    condition_trace,
    conditions_hold,
    facts_at,
    facts_on,
    run_key,
)
from workflows.engine.world import load_world
from workflows.facts import person_facts
from workflows.messages import TemplateProblemError, message_context, render
from workflows.models import Run, Workflow
from workflows.vocabulary import vocabulary_now

_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledText:
    """A text of a step with its placeholders filled in."""

    name: str
    text: str
    problem: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedStep:
    """What one step would do, and its texts."""

    number: int
    step: StepPreview
    texts: tuple[FilledText, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What would happen for one person."""

    matched: str
    reasons: tuple[str, ...]
    due_at: datetime | None
    timezone: str
    steps: tuple[TestedStep, ...]


def rehearse(document: WorkflowDocument, person: Person, *, key: str, now: datetime) -> Tested:
    """The next moment for the person, whether the conditions hold then, and every step reached."""
    planned = PlannedWorkflow(key=key, document=document, live_since=None)
    zone = timezone_of(person)
    facts: dict[str, Any] = dict(
        facts_on(person_facts(person), now.astimezone(ZoneInfo(zone)).date())
    )
    due = None
    for judged in judgements(planned, load_world(person_ids=[person.pk]), now=now, ahead=_AHEAD):
        ahead = judged.occurrence.due_at > now
        if (
            ahead
            and judged.verdict is not Verdict.BASELINE
            and (due is None or judged.occurrence.due_at < due)
        ):
            due, zone = judged.occurrence.due_at, judged.occurrence.timezone
            facts = dict(facts_at(judged.occurrence, judged.person))
    moment = due or now
    today = moment.astimezone(ZoneInfo(zone)).date()
    truth = conditions_hold(document, facts, today)
    trace = condition_trace(document, facts, today, types=vocabulary_now().field_types)
    steps = steps_preview(
        planned,
        person,
        facts,
        now=moment,
        key=run_key(key, person.pk, document.trigger.type, "test"),
        timezone=zone,
    )
    texts = _texts(document, person, key=key, now=moment, zone=zone)
    return Tested(
        matched={Truth.TRUE: "matched", Truth.FALSE: "not_matched"}.get(truth, "cannot_tell"),
        reasons=tuple(trace.reasons()) if trace is not None and truth is not Truth.TRUE else (),
        due_at=due,
        timezone=zone,
        steps=tuple(
            TestedStep(number=number, step=step, texts=texts.get(step.key, ()))
            for number, step in enumerate(steps, start=1)
        ),
    )


def _texts(
    document: WorkflowDocument, person: Person, *, key: str, now: datetime, zone: str
) -> dict[str, tuple[FilledText, ...]]:
    """Texts with placeholders, by step."""
    run = Run(person=person, key="", due_at=now, timezone=zone, snapshot={}, change={})
    run.workflow = Workflow(key=key, name=document.name, owner=document.owner)
    context = message_context(person, run=run)
    found: dict[str, tuple[FilledText, ...]] = {}
    for _, step in document.walk():
        if isinstance(step, ActionStep):
            found[step.key] = tuple(
                _filled(name, text, context)
                for name, text in step.params.items()
                if isinstance(text, str) and "{{" in text
            )
    return found


def _filled(name: str, source: str, context: dict[str, Any]) -> FilledText:
    try:
        return FilledText(name=name, text=render(source, context, "text"))
    except TemplateProblemError as error:
        return FilledText(name=name, text=str(error), problem=True)
