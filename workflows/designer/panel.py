"""What the panel works out after the editor is shown: people, next runs, approvers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from people.models import Person
from workflows.approvers.policy import resolve_spec
from workflows.designer.matching import Directory
from workflows.document.shape import ActionStep, WorkflowDocument
from workflows.engine.outlook import judgements
from workflows.engine.planner import LOOKBACK, PlannedWorkflow, Verdict
from workflows.engine.reach import fields_read
from workflows.engine.world import load_world
from workflows.facts import facts_for
from workflows.nodes import Window

AHEAD = timedelta(days=90)
_NEXT_SHOWN = 6
_ASKED = 100
_TOO_MANY = 5_000
_RUN = frozenset({Verdict.RUN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """One moment, and for whom."""

    due_at: datetime
    timezone: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRuns:
    """What would start within 90 days; ``known`` is false where nobody can know in advance."""

    known: bool
    total: int = 0
    first: tuple[Coming, ...] = ()
    looked_at: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Whether one approval step finds somebody for those who match."""

    step: str
    asked: int
    found: int
    of: int
    reasons: tuple[tuple[str, int], ...] = ()
    busiest: tuple[tuple[str, int], ...] = ()


def next_runs(
    document: WorkflowDocument,
    *,
    key: str,
    live_since: datetime | None,
    now: datetime,
    people: Directory,
) -> NextRuns:
    """Every start within 90 days for who matches now, by the planner that starts them."""
    planned = PlannedWorkflow(key=key, document=document, live_since=live_since)
    if planned.trigger is None or not planned.trigger.forecastable:
        return NextRuns(known=False)
    matched, unknown = people.split(document.conditions)
    # A condition on dates may come true later, so those nobody can tell of are looked at too.
    ids = sorted(_near(planned, matched | unknown, now=now))
    world = load_world(person_ids=ids[:_TOO_MANY], fields=fields_read([planned]))
    coming = [
        judged
        for judged in judgements(planned, world, now=now, ahead=AHEAD, verdicts=_RUN)
        if judged.occurrence.due_at > now
    ]
    coming.sort(key=lambda judged: (judged.occurrence.due_at, judged.person.id))
    first = tuple(
        Coming(
            due_at=judged.occurrence.due_at,
            timezone=judged.occurrence.timezone,
            person=judged.person.label,
        )
        for judged in coming[:_NEXT_SHOWN]
    )
    return NextRuns(
        known=True,
        total=len(coming),
        first=first,
        looked_at=min(len(ids), _TOO_MANY),
        of=len(ids),
    )


def _near(planned: PlannedWorkflow, people: set[int], *, now: datetime) -> set[int]:
    """Those of ``people`` for whom there may be a moment, where there are very many."""
    if planned.trigger is None or len(people) <= _TOO_MANY:
        return people
    window = Window(start=now - LOOKBACK, end=now + AHEAD)
    reach = planned.trigger.reach(planned.document.trigger.params, window=window)
    if reach is None:
        return people
    near = Person.objects.filter(reach).order_by().values_list("pk", flat=True)
    return people.intersection(near.iterator(chunk_size=5_000))


def rehearsals(document: WorkflowDocument, *, now: datetime, people: Directory) -> list[Rehearsal]:
    """For every approval step: for how many of those who match somebody can be asked."""
    steps = [
        step
        for _, step in document.walk()
        if isinstance(step, ActionStep) and step.action == "approval.request" and not step.disabled
    ]
    if not steps:
        return []
    eligible = people.eligible(document)
    ids = sorted(eligible)[:_ASKED]
    rows = Person.objects.filter(pk__in=ids).select_related("manager", "team", "legal_entity")
    facts = dict(facts_for(Person.objects.filter(pk__in=ids)))
    asked = list(rows)
    return [_rehearse(step, asked, facts, of=len(eligible), now=now) for step in steps]


def _rehearse(
    step: ActionStep,
    people: list[Person],
    facts: Mapping[int, Mapping[str, Any]],
    *,
    of: int,
    now: datetime,
) -> Rehearsal:
    reasons: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    spec = step.params.get("approver")
    for person in people:
        if not isinstance(spec, Mapping):
            reasons["Nobody is chosen yet."] += 1
            continue
        resolved = resolve_spec(spec, subject=person, facts=facts[person.pk], now=now)
        if resolved.people:
            asked.update(str(approver) for approver in resolved.people)
        else:
            reasons[resolved.reason] += 1
    return Rehearsal(
        step=step.key,
        asked=len(people),
        found=len(people) - reasons.total(),
        of=of,
        reasons=tuple(reasons.most_common(4)),
        busiest=tuple(asked.most_common(3)),
    )
