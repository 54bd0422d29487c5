"""Looking without touching: who matches, what is to come, and why somebody is not among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from people.models import Person
from workflows.document.shape import ActionStep, BranchStep, Step, WaitFor, WaitStep
from workflows.engine.acting import branch_choose, when_refuses
from workflows.engine.ledger import in_ledger
from workflows.engine.planner import (
    LOOKBACK,
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_trace,
    conditions_hold,
    facts_at,
    plan,
    step_key,
)
from workflows.engine.world import (
    late_window,
    load_delayed,
    load_happenings,
    load_world,
)
from workflows.models import Run, StepRun, Workflow
from workflows.nodes import ACTIONS, ActionContext, PlannedPerson, PlanningWorld, Window

HORIZON = timedelta(days=366)
"""How far a preview looks for a person's next moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPreview:
    """What one step would do for one person."""

    key: str
    action: str
    summary: str

    def to_data(self) -> dict[str, str]:
        """As ``--json`` prints it."""
        return {"key": self.key, "action": self.action, "summary": self.summary}


def _no_effects() -> None:
    raise RuntimeError("A preview must not reach an effect.")


def steps_preview(
    workflow: PlannedWorkflow,
    person: Person,
    facts: Mapping[str, Any],
    *,
    now: datetime,
    key: str,
    timezone: str,
) -> list[StepPreview]:
    """Every step that would be reached, in words for this person. Has no effect of any kind."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    run = Run(person=person, key=key, due_at=now, timezone=timezone, snapshot={}, change={})
    run.workflow = Workflow(
        key=workflow.key, name=workflow.document.name, owner=workflow.document.owner
    )

    def describe(step: ActionStep) -> str:
        refused = when_refuses(step.when, facts, today)
        if refused:
            return f"Passed over: {refused}"
        action = ACTIONS.get(step.action)
        if action is None:
            return f"Unknown action {step.action}"
        row = StepRun(
            run=run,
            key=step.key,
            action=step.action,
            position=0,
            idempotency_key=step_key(key, step.key),
        )
        ctx = ActionContext(
            run=run,
            step=row,
            person=person,
            facts=facts,
            request=None,
            now=now,
            before_effect=_no_effects,
        )
        return action.describe(ctx, step.params)

    def walk(steps: tuple[Step, ...]) -> Iterator[StepPreview]:
        for step in steps:
            if step.disabled:
                continue
            if isinstance(step, ActionStep):
                yield StepPreview(key=step.key, action=step.action, summary=describe(step))
            elif isinstance(step, WaitStep):
                yield StepPreview(key=step.key, action="wait", summary=_wait_words(step))
            else:
                lanes = branch_choose(step, facts, today)
                yield StepPreview(key=step.key, action="branch", summary=lanes.summary)
                yield from walk(_lane_steps(step, lanes.lanes))

    return list(walk(workflow.document.steps))


def _lane_steps(step: BranchStep, lanes: tuple[str, ...]) -> tuple[Step, ...]:
    chosen = [lane.steps for index, lane in enumerate(step.lanes) if str(index) in lanes]
    if not chosen:
        return step.otherwise
    return tuple(inner for steps in chosen for inner in steps)


def _wait_words(step: WaitStep) -> str:
    if isinstance(step.wait, WaitFor):
        return f"Wait {step.wait.days} days"
    until = step.wait
    offset = "" if not until.days else f"{until.days} days {until.direction} "
    anchor = until.anchor.removeprefix("person.").replace("_", " ")
    return f"Wait until {offset}{anchor}, {until.at}"


def judgements(
    workflow: PlannedWorkflow,
    world: PlanningWorld,
    *,
    now: datetime,
    ahead: timedelta,
    reasons: bool = True,
    verdicts: frozenset[Verdict] | None = None,
) -> Iterator[Judgement]:
    """Past moments as a live pass at ``now`` judges them, future ones as at their own moment."""
    within = late_window()
    world = load_delayed(workflow, world, now=now) or world
    yield from plan(
        workflow,
        world=world,
        window=Window(start=now - LOOKBACK, end=now),
        now=now,
        late_within=within,
        reasons=reasons,
        verdicts=verdicts,
    )
    yield from plan(
        workflow,
        world=world,
        window=Window(start=now, end=now + ahead),
        now=None,
        late_within=within,
        reasons=reasons,
        verdicts=verdicts,
    )


def preview(workflow: PlannedWorkflow, *, now: datetime) -> dict[str, Any]:
    """Who matches at ``now``, who does not and why, and what each step would do. No effects."""
    world = load_world(happenings=load_happenings())
    best = next_for_each(workflow, world, now=now)
    matched: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    unknown: list[dict[str, Any]] = []
    people = {
        person.pk: person
        for person in Person.objects.select_related("manager", "team", "legal_entity")
    }
    for planned in world.people.values():
        judged = best.get(planned.id)
        verdict, reasons = _stand(workflow, planned, judged, now=now)
        if verdict is Verdict.RUN and judged is not None:
            matched.append(_matched(workflow, judged, people[planned.id], now=now))
        elif verdict is Verdict.CANNOT_TELL:
            unknown.append({"person": planned.work_email, "reasons": reasons})
        else:
            refused.append({"person": planned.work_email, "reasons": reasons})
    matched.sort(key=lambda row: (row["due_at"], row["person"]))
    return {
        "workflow": workflow.key,
        "at": now.isoformat(),
        "matched": matched,
        "not_matched": refused,
        "cannot_tell": unknown,
    }


def next_for_each(
    workflow: PlannedWorkflow, world: PlanningWorld, *, now: datetime, reasons: bool = True
) -> dict[int, Judgement]:
    """For each person the occurrence that counts: what starts or is held now, else the next."""
    found = list(judgements(workflow, world, now=now, ahead=HORIZON, reasons=reasons))
    known = in_ledger(found)
    best: dict[int, Judgement] = {}

    def rank(judged: Judgement) -> tuple[int, float]:
        return (
            _order(judged, taken=judged.key in known, now=now),
            abs((judged.occurrence.due_at - now).total_seconds()),
        )

    for judged in found:
        present = best.get(judged.person.id)
        if present is None or rank(judged) < rank(present):
            best[judged.person.id] = judged
    return {
        person: judged
        if judged.key not in known
        else judged._replace(
            verdict=Verdict.JUDGED, reason="It has already run for this date.", late=False
        )
        for person, judged in best.items()
    }


def _order(judged: Judgement, *, taken: bool, now: datetime) -> int:
    """What a pass at ``now`` would write comes first, then what is to come."""
    due = judged.occurrence.due_at <= now
    if taken:
        return 4
    if due and judged.verdict in (Verdict.RUN, Verdict.HOLD):
        return 0 if judged.verdict is Verdict.RUN else 1
    return 2 if judged.verdict is Verdict.RUN else 3


def _stand(
    workflow: PlannedWorkflow, person: PlannedPerson, judged: Judgement | None, *, now: datetime
) -> tuple[Verdict, list[str]]:
    if judged is not None:
        return judged.verdict, [reason for reason in judged.reason.split("; ") if reason]
    today = now.astimezone(ZoneInfo(person.timezone)).date()
    facts = person.facts_on(today)
    found = condition_trace(workflow.document, facts, today)
    reasons = ["Nothing sets it off within a year."]
    if found is not None and conditions_hold(workflow.document, facts, today).value != "matched":
        reasons += found.reasons()
    return Verdict.NOT_MATCHED, reasons


def _matched(
    workflow: PlannedWorkflow, judged: Judgement, person: Person, *, now: datetime
) -> dict[str, Any]:
    occurrence = judged.occurrence
    steps = steps_preview(
        workflow,
        person,
        facts_at(occurrence, judged.person),
        now=max(now, occurrence.due_at),
        key=judged.key,
        timezone=occurrence.timezone,
    )
    return {
        "person": judged.person.work_email,
        "due_at": occurrence.due_at.isoformat().replace("+00:00", "Z"),
        "due_now": occurrence.due_at <= now,
        "steps": [step.to_data() for step in steps],
    }
