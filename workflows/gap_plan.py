"""What the live workflows will do to whom soon, by the planner itself: food for finding gaps."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from people.choices import PersonStatus
from people.models import Person
from workflows.document.shape import ActionStep
from workflows.document.timing import MAX_DAYS
from workflows.engine.guard import is_destructive
from workflows.engine.planner import PlannedWorkflow, Verdict, plan
from workflows.engine.world import late_window, load_world, planned_version
from workflows.models import Run, Workflow
from workflows.nodes import Window
from workflows.problems import DocumentError

if TYPE_CHECKING:
    from workflows.nodes import PlanningWorld

log = logging.getLogger(__name__)
AHEAD = timedelta(days=30)
"""How far gaps are looked for."""
NEAR = timedelta(days=7)
"""Opposite actions on one application within so many days collide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorkflow:
    """A live workflow with what it is planned by."""

    workflow: Workflow
    planned: PlannedWorkflow

    @property
    def destructive(self) -> bool:
        """Whether any of its steps takes something away."""
        return any(is_destructive(step) for _, step in self.planned.document.walk())

    @property
    def follows_date(self) -> bool:
        """Whether it hangs on a date of the person, as the last day."""
        trigger = self.planned.trigger
        return trigger is not None and trigger.follows_date

    def actions(self) -> Iterator[ActionStep]:
        """Its actions that are not switched off, lanes included."""
        for _, step in self.planned.document.walk():
            if isinstance(step, ActionStep) and not step.disabled:
                yield step


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """One workflow happens to one person at a moment (UTC)."""

    workflow: LiveWorkflow
    person_id: int
    anchor: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Everything that gaps are found in. ``today`` is the workspace's date."""

    now: datetime
    today: date
    live: tuple[LiveWorkflow, ...]
    world: PlanningWorld
    coming: tuple[Coming, ...]


def outlook_load(*, now: datetime, today: date) -> Outlook:
    """Load who has a date near, and let the planner say what becomes of them."""
    live = tuple(_live())
    world = load_world(person_ids=_near_a_date(today))
    return Outlook(
        now=now,
        today=today,
        live=live,
        world=world,
        coming=(*_planned(live, world, now=now), *_begun(live, now=now)),
    )


def _live() -> Iterator[LiveWorkflow]:
    rows = Workflow.objects.filter(status=Workflow.Status.LIVE, live_version__isnull=False)
    for workflow in rows.select_related("live_version__workflow").order_by("name"):
        assert workflow.live_version is not None  # noqa: S101 - narrowed by the filter above
        try:
            yield LiveWorkflow(workflow=workflow, planned=planned_version(workflow.live_version))
        except DocumentError as error:
            log.error("workflow %s does not parse: %s", workflow.key, error)


def _near_a_date(today: date) -> list[int]:
    """People with a date that any trigger could turn into a moment within :data:`AHEAD`."""
    slack = timedelta(days=MAX_DAYS + 12)
    window = (today - slack, today + AHEAD + slack)
    near = (
        Q(start_date__range=window)
        | Q(end_date__range=window)
        | Q(probation_end_date__range=window)
    )
    people = Person.objects.filter(near).exclude(status=PersonStatus.ENDED)
    return list(people.values_list("pk", flat=True))


def _planned(
    live: tuple[LiveWorkflow, ...], world: PlanningWorld, *, now: datetime
) -> Iterator[Coming]:
    """Moments from now on, each judged as at its own moment.

    Far enough ahead that a step for somebody who leaves within :data:`AHEAD` days is among them
    although its moment lies after the last day.
    """
    window = Window(start=now, end=now + AHEAD + timedelta(days=MAX_DAYS))
    within = late_window()
    for one in live:
        if one.planned.trigger is None or not one.planned.trigger.forecastable:
            continue
        for judged in plan(
            one.planned,
            world=world,
            window=window,
            now=None,
            late_within=within,
            verdicts=frozenset({Verdict.RUN}),
        ):
            yield Coming(
                workflow=one,
                person_id=judged.person.id,
                anchor=judged.occurrence.anchor,
                at=judged.occurrence.due_at,
            )


def _begun(live: tuple[LiveWorkflow, ...], *, now: datetime) -> Iterator[Coming]:
    """What is in the ledger already, whatever became of it short of being dropped."""
    by_key: Mapping[int, LiveWorkflow] = {one.workflow.pk: one for one in live}
    rows: Any = (
        Run.objects.filter(due_at__gte=now - timedelta(days=MAX_DAYS), undoes__isnull=True)
        .filter(workflow_id__in=list(by_key))
        .exclude(status__in=[Run.Status.CANCELLED, Run.Status.SUPERSEDED])
        .values_list("workflow_id", "person_id", "anchor", "moved_to", "due_at")
    )
    for workflow_id, person_id, anchor, moved_to, due_at in rows.iterator(chunk_size=2000):
        yield Coming(
            workflow=by_key[workflow_id],
            person_id=person_id,
            anchor=moved_to or anchor,
            at=due_at,
        )
