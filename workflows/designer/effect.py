"""What publishing a draft changes in effect: who is added, who falls out, which starts move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from people.models import Person
from workflows.designer.matching import Directory
from workflows.designer.panel import AHEAD
from workflows.document.shape import WorkflowDocument
from workflows.engine.outlook import judgements
from workflows.engine.planner import PlannedWorkflow, Verdict
from workflows.engine.world import load_world
from workflows.models import Run, StepRun, Workflow

_NAMED = 20
_TOO_MANY = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """People by name, at most some; ``count`` is all of them."""

    count: int
    names: tuple[str, ...]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The difference between what is live and the draft, today and over the next 90 days."""

    matched: int
    added: Names
    removed: Names
    forecast: bool
    starts_new: int = 0
    starts_gone: int = 0
    starts_moved: int = 0


def _names(ids: Iterable[int]) -> Names:
    wanted = sorted(ids)
    rows = Person.objects.filter(pk__in=wanted[:_TOO_MANY]).order_by("full_name")[:_NAMED]
    return Names(count=len(wanted), names=tuple(str(person) for person in rows))


def effect_of(
    workflow: Workflow,
    draft: WorkflowDocument,
    live: WorkflowDocument | None,
    *,
    now: datetime,
    people: Directory,
) -> Effect:
    """Compare the draft with what is live; with nothing live, everything is new."""
    after = people.eligible(draft)
    before = people.eligible(live) if live else set()
    effect = Effect(
        matched=len(after),
        added=_names(after - before),
        removed=_names(before - after),
        forecast=False,
    )
    new = PlannedWorkflow(key=workflow.key, document=draft, live_since=workflow.live_since or now)
    if new.trigger is None or not new.trigger.forecastable:
        return effect
    ids = sorted(after | before)[:_TOO_MANY]
    coming = _starts(new, ids, now)
    present: dict[tuple[int, str], datetime] = {}
    if live is not None:
        old = PlannedWorkflow(key=workflow.key, document=live, live_since=workflow.live_since)
        present = _starts(old, ids, now)
    both = coming.keys() & present.keys()
    return Effect(
        matched=effect.matched,
        added=effect.added,
        removed=effect.removed,
        forecast=True,
        starts_new=len(coming.keys() - present.keys()),
        starts_gone=len(present.keys() - coming.keys()),
        starts_moved=sum(coming[key] != present[key] for key in both),
    )


def _starts(
    planned: PlannedWorkflow, ids: list[int], now: datetime
) -> dict[tuple[int, str], datetime]:
    if planned.trigger is None or not planned.trigger.forecastable:
        return {}
    world = load_world(person_ids=ids)
    return {
        (judged.person.id, judged.occurrence.anchor): judged.occurrence.due_at
        for judged in judgements(
            planned, world, now=now, ahead=AHEAD, verdicts=frozenset({Verdict.RUN})
        )
        if judged.occurrence.due_at > now
    }


_MOVABLE = (Run.Status.QUEUED, Run.Status.WAITING)


def runs_open(workflow: Workflow) -> int:
    """Cases that have begun and not ended."""
    return workflow.runs.filter(status__in=Run.OPEN).count()


def runs_movable(workflow: Workflow, draft: WorkflowDocument) -> list[int]:
    """Open cases that could go on with the draft: what they wait at is still in it."""
    known = {step.key for _, step in draft.walk()}
    rows = workflow.runs.filter(status__in=_MOVABLE)
    waiting = (StepRun.Status.WAITING, StepRun.Status.RETRYING, StepRun.Status.UNCERTAIN)
    stuck = (
        StepRun.objects.filter(run__in=rows, status__in=waiting)
        .exclude(key__in=known)
        .values_list("run_id", flat=True)
    )
    return sorted(set(rows.values_list("pk", flat=True)) - set(stuck))
