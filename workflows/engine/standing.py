"""Where everybody stands with one workflow: who is in, who is nearly in, who is out, who unknown.

The same judgements as in a live pass, cheap for everybody; reasons and values are worked out for
the few that are looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from workflows.conditions.evaluate import Truth
from workflows.conditions.masking import trace_masked
from workflows.conditions.nearness import nearness
from workflows.conditions.trace import TraceNode
from workflows.engine.outlook import next_for_each
from workflows.engine.planner import (
    UNMET,
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_trace,
    facts_at,
    facts_on,
    local_date,
)
from workflows.nodes import PlannedPerson, PlanningWorld
from workflows.timing import zone_of

MATCHED, HELD, NOT_MATCHED, CANNOT_TELL = "matched", "held", "not_matched", "cannot_tell"
GROUPS = (MATCHED, HELD, NOT_MATCHED, CANNOT_TELL)
NO_MOMENT = "Nothing sets it off within a year."
_GROUP_OF = {
    Verdict.RUN: MATCHED,
    Verdict.HOLD: HELD,
    Verdict.CANNOT_TELL: CANNOT_TELL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One person: the group, the occurrence that counts, and how far away a match is."""

    person: PlannedPerson
    group: str
    judged: Judgement | None
    distance: int
    """Rules (and a missing moment) that stand between the person and a run; 0 where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A standing in words: why, with the values behind it. ``hidden`` fields are left out."""

    standing: Standing
    reasons: tuple[str, ...]
    trace: TraceNode | None
    facts: Mapping[str, Any]


def standings(workflow: PlannedWorkflow, world: PlanningWorld, *, now: datetime) -> list[Standing]:
    """Everybody in ``world``, in its order."""
    best = next_for_each(workflow, world, now=now, reasons=False)
    return [
        _standing(workflow, person, best.get(person.id), now=now)
        for person in world.people.values()
    ]


def ordered(found: list[Standing], group: str) -> list[Standing]:
    """Those of one group: by their moment, or the nearest misses first."""
    mine = [item for item in found if item.group == group]
    if group in (MATCHED, HELD):
        return sorted(mine, key=lambda item: (_due(item), item.person.label.casefold()))
    return sorted(mine, key=lambda item: (item.distance, item.person.label.casefold()))


def _due(item: Standing) -> float:
    return item.judged.occurrence.due_at.timestamp() if item.judged else 0.0


def _standing(
    workflow: PlannedWorkflow, person: PlannedPerson, judged: Judgement | None, *, now: datetime
) -> Standing:
    if judged is not None and judged.verdict in (Verdict.RUN, Verdict.HOLD):
        return Standing(person=person, group=_GROUP_OF[judged.verdict], judged=judged, distance=0)
    facts, today = _facts(person, judged, now=now)
    # Without a moment nothing starts, whatever a missing value would say.
    group = _GROUP_OF.get(judged.verdict, NOT_MATCHED) if judged is not None else NOT_MATCHED
    away = 0
    if workflow.document.conditions is not None:
        away = nearness(workflow.document.conditions, facts, today)
    other = judged is None or judged.verdict not in UNMET
    return Standing(person=person, group=group, judged=judged, distance=away + int(other))


def _facts(
    person: PlannedPerson, judged: Judgement | None, *, now: datetime
) -> tuple[Mapping[str, Any], date]:
    if judged is None:
        today = now.astimezone(zone_of(person.timezone)).date()
        return facts_on(person.facts, today), today
    passed = judged.occurrence.due_at <= now
    return facts_at(judged.occurrence, person), local_date(
        judged.occurrence, now if passed else None
    )


def standing_shown(
    workflow: PlannedWorkflow, item: Standing, *, now: datetime, hidden: Collection[str] = ()
) -> Shown:
    """The reasons and the trace of one standing, without the values of ``hidden`` fields."""
    facts, today = _facts(item.person, item.judged, now=now)
    found = condition_trace(workflow.document, facts, today)
    if found is not None:
        found = trace_masked(found, hidden)
    reasons: list[str] = []
    if item.judged is None:
        reasons = [NO_MOMENT]
    elif item.judged.reason:
        reasons = [item.judged.reason]
    if found is not None and (found.result is not Truth.TRUE or item.group == MATCHED):
        reasons += found.reasons()
    if not reasons and found is None:
        reasons = ["Everybody matches."]
    return Shown(standing=item, reasons=tuple(reasons), trace=found, facts=facts)
