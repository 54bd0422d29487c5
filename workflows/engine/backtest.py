"""What a version would have done over the last days, beside what really ran.

Each moment is judged by the directory as it was then, by the same function as a live pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflows.engine.planner import (
    LOOKBACK,
    Judgement,
    PlannedWorkflow,
    Verdict,
    plan,
)
from workflows.engine.then import Spell, spells
from workflows.engine.world import late_window, load_happenings, load_world
from workflows.models import Run, Workflow
from workflows.nodes import PlanningWorld, Window

if TYPE_CHECKING:
    from people.models import Person

DAYS = 90
_TICK = timedelta(microseconds=1)
_BY_HAND = ("manual",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Would:
    """One run that would have started (or did)."""

    person_id: int
    person: str
    anchor: str
    due_at: datetime
    timezone: str
    run_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The difference by name. ``compared_since`` is when the workflow had been live for the first
    time: nothing could run before it, so that nothing before it is a difference."""

    days: int
    since: datetime
    compared_since: datetime | None
    would: tuple[Would, ...]
    ran: tuple[Would, ...]
    only_would: tuple[Would, ...]
    only_ran: tuple[Would, ...]

    @property
    def both(self) -> int:
        """Runs that were and would have been again."""
        return len(self.ran) - len(self.only_ran)


def backtest(
    workflow: Workflow, planned: PlannedWorkflow, *, now: datetime, days: int = DAYS
) -> Backtest:
    """Compare ``planned`` (a draft, say) over the last ``days`` with what ``workflow`` ran."""
    since = now - timedelta(days=days)
    would = would_have_run(planned, since=since, now=now)
    ran = _ran(workflow, since=since, now=now)
    live_since = workflow.live_since
    there = {(item.person_id, item.anchor) for item in ran}
    wanted = {(item.person_id, item.anchor) for item in would}
    return Backtest(
        days=days,
        since=since,
        compared_since=live_since,
        would=would,
        ran=ran,
        only_would=tuple(
            item
            for item in would
            if (item.person_id, item.anchor) not in there
            and live_since is not None
            and item.due_at > live_since
        ),
        only_ran=tuple(item for item in ran if (item.person_id, item.anchor) not in wanted),
    )


def would_have_run(
    planned: PlannedWorkflow, *, since: datetime, now: datetime
) -> tuple[Would, ...]:
    """Every start between ``since`` and ``now`` had ``planned`` gone live at ``since``."""
    always = replace(planned, live_since=since, planned_until=None)
    world = load_world(happenings=load_happenings(since=since))
    steady, others = spells(world.people, since=since, until=now)
    found: dict[str, Judgement] = {}
    for judged in _starts(always, replace(world, people=steady), start=since, end=now):
        found.setdefault(judged.key, judged)
    for spell in others:
        for judged in _in_spell(always, world, spell):
            found.setdefault(judged.key, judged)
    rows = sorted(found.values(), key=lambda item: (item.occurrence.due_at, item.person.id))
    return tuple(
        Would(
            person_id=item.person.id,
            person=item.person.label,
            anchor=item.occurrence.anchor,
            due_at=item.occurrence.due_at,
            timezone=item.occurrence.timezone,
        )
        for item in rows
    )


def _starts(
    planned: PlannedWorkflow, world: PlanningWorld, *, start: datetime, end: datetime
) -> Iterator[Judgement]:
    """Judged as at their own moments, which lie after ``start`` and not after ``end``."""
    judged = plan(
        planned,
        world=world,
        window=Window(start=start, end=end),
        now=None,
        late_within=late_window(),
        reasons=False,
    )
    return (item for item in judged if item.verdict is Verdict.RUN)


def _in_spell(planned: PlannedWorkflow, world: PlanningWorld, spell: Spell) -> Iterable[Judgement]:
    """What comes due within the spell, and what was overdue when it began and started late."""
    here = replace(
        world,
        people={spell.person.id: spell.person},
        happenings=tuple(
            item
            for item in world.happenings
            if item.person_id == spell.person.id and spell.start <= item.at < spell.end
        ),
    )
    yield from _starts(planned, here, start=spell.start - _TICK, end=spell.end - _TICK)
    overdue = plan(
        planned,
        world=here,
        window=Window(start=spell.start - LOOKBACK, end=spell.start - _TICK),
        now=spell.start,
        late_within=late_window(),
        reasons=False,
    )
    yield from (item for item in overdue if item.verdict is Verdict.RUN)


def _ran(workflow: Workflow, *, since: datetime, now: datetime) -> tuple[Would, ...]:
    """What the schedule started and did not call off for lateness; starts by hand are left out."""
    rows = (
        Run.objects.filter(workflow=workflow, due_at__gt=since, due_at__lte=now)
        .filter(restarted_from__isnull=True)
        .exclude(trigger__in=_BY_HAND)
        .exclude(status=Run.Status.CANCELLED, started_at__isnull=True)
        .select_related("person")
        .defer("snapshot", "trace")
        .order_by("due_at", "pk")
    )
    return tuple(
        Would(
            person_id=run.person_id,
            person=_name(run.person),
            anchor=run.anchor,
            due_at=run.due_at,
            timezone=run.timezone,
            run_id=run.pk,
        )
        for run in rows
    )


def _name(person: Person) -> str:
    return person.full_name or person.work_email
