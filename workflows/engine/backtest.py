"""What a version would have done over the last days, beside what really ran.

Each moment is judged by the directory as it was then, by the same function as a live pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from workflows.engine.held_then import held_reasons
from workflows.engine.planner import (
    LOOKBACK,
    STARTS,
    Judgement,
    PlannedWorkflow,
    Verdict,
    plan,
)
from workflows.engine.then import Headcount, Spell, spells
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
    """One run that would have started (or did). ``held``: why a person would have decided first."""

    person_id: int
    person: str
    anchor: str
    due_at: datetime
    timezone: str
    run_id: int | None = None
    held: str = ""

    @property
    def slot(self) -> tuple[int, str]:
        """What makes it the same run of two versions."""
        return self.person_id, self.anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One judgement and the moment of the pass that would have made it."""

    judgement: Judgement
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The difference by name. ``compared_since`` is when the workflow had been live for the first
    time: nothing could run before it, so that nothing before it is a difference."""

    days: int
    since: datetime
    compared_since: datetime | None
    would: tuple[Would, ...]
    """What would have started without anybody being asked."""
    held: tuple[Would, ...]
    """What a person would have decided about first: a limit was passed, or it was too late."""
    skipped: tuple[Would, ...]
    """What would have been passed over because its date became known too late."""
    ran: tuple[Would, ...]
    only_would: tuple[Would, ...]
    only_ran: tuple[Would, ...]

    @property
    def both(self) -> int:
        """Runs that were and would have started again."""
        return len({item.slot for item in self.ran} & {item.slot for item in self.would})


def backtest(
    workflow: Workflow, planned: PlannedWorkflow, *, now: datetime, days: int = DAYS
) -> Backtest:
    """Compare ``planned`` (a draft, say) over the last ``days`` with what ``workflow`` ran."""
    since = now - timedelta(days=days)
    rows, headcount = _judged(planned, since=since, now=now)
    would, held, skipped = _sorted_out(rows, workflow, planned, headcount)
    ran = _ran(workflow, since=since, now=now)
    live_since = workflow.live_since
    there = {item.slot for item in ran}
    wanted = {item.slot for item in (*would, *held)}
    return Backtest(
        days=days,
        since=since,
        compared_since=live_since,
        would=would,
        held=held,
        skipped=skipped,
        ran=ran,
        only_would=tuple(
            item
            for item in would
            if item.slot not in there and live_since is not None and item.due_at > live_since
        ),
        only_ran=tuple(item for item in ran if item.slot not in wanted),
    )


def _sorted_out(
    rows: list[Judged], workflow: Workflow, planned: PlannedWorkflow, headcount: Headcount
) -> tuple[tuple[Would, ...], tuple[Would, ...], tuple[Would, ...]]:
    """What starts, what is held and why, what is passed over."""
    starting = [row for row in rows if row.judgement.verdict is Verdict.RUN]
    reasons = held_reasons(
        [(row.at, row.judgement.person.id) for row in starting],
        workflow=workflow,
        document=planned.document,
        headcount=headcount,
    )
    pairs = list(zip(starting, reasons, strict=True))
    late = [row for row in rows if row.judgement.verdict is Verdict.HOLD]
    held = [_would(row, held=why) for row, why in pairs if why]
    held += [_would(row, held=row.judgement.reason) for row in late]
    return (
        tuple(_would(row) for row, why in pairs if not why),
        tuple(sorted(held, key=lambda item: (item.due_at, item.person_id))),
        tuple(_would(row) for row in rows if row.judgement.verdict is Verdict.SKIP_LATE),
    )


def would_have_run(
    planned: PlannedWorkflow, *, since: datetime, now: datetime
) -> tuple[Would, ...]:
    """Every start between ``since`` and ``now`` had ``planned`` gone live at ``since``.

    Limits are not looked at: what they would hold is among them.
    """
    rows, _ = _judged(planned, since=since, now=now)
    return tuple(_would(row) for row in rows if row.judgement.verdict is Verdict.RUN)


def _judged(
    planned: PlannedWorkflow, *, since: datetime, now: datetime
) -> tuple[list[Judged], Headcount]:
    """Everything that would have come into the ledger, by moment; each happening once."""
    always = replace(planned, live_since=since, planned_until=None)
    world = load_world(happenings=load_happenings(since=since))
    steady, others = spells(world.people, since=since, until=now)
    found: dict[str, Judged] = {}
    for judged in _starts(always, replace(world, people=steady), start=since, end=now):
        found.setdefault(judged.judgement.key, judged)
    for spell in others:
        for judged in _in_spell(always, world, spell):
            found.setdefault(judged.judgement.key, judged)
    rows = sorted(
        found.values(),
        key=lambda row: (row.judgement.occurrence.due_at, row.judgement.person.id),
    )
    return rows, Headcount(steady, others)


def _would(row: Judged, *, held: str = "") -> Would:
    occurrence, person = row.judgement.occurrence, row.judgement.person
    return Would(
        person_id=person.id,
        person=person.label,
        anchor=occurrence.anchor,
        due_at=occurrence.due_at,
        timezone=occurrence.timezone,
        held=held,
    )


def _starts(
    planned: PlannedWorkflow, world: PlanningWorld, *, start: datetime, end: datetime
) -> Iterator[Judged]:
    """Judged as at their own moments, which lie after ``start`` and not after ``end``."""
    judged = plan(
        planned,
        world=world,
        window=Window(start=start, end=end),
        now=None,
        late_within=late_window(),
        reasons=False,
    )
    return (
        Judged(judgement=item, at=item.occurrence.due_at)
        for item in judged
        if item.verdict is Verdict.RUN
    )


def _in_spell(planned: PlannedWorkflow, world: PlanningWorld, spell: Spell) -> Iterable[Judged]:
    """What comes due within the spell, and what was overdue when it began.

    The schedule had passed until just before: what had not matched at its moment is over.
    """
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
        replace(planned, planned_until=spell.start - _TICK),
        world=here,
        window=Window(start=spell.start - LOOKBACK, end=spell.start - _TICK),
        now=spell.start,
        late_within=late_window(),
        reasons=False,
    )
    yield from (
        Judged(judgement=item, at=spell.start) for item in overdue if item.verdict in STARTS
    )


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
