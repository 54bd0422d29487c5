"""Whom a look at a stretch of time concerns at all: nobody else needs to be loaded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from workflows.conditions.evaluate import Truth
from workflows.engine.planner import LOOKBACK, PlannedWorkflow
from workflows.engine.world import (
    is_delayed,
    load_delayed,
    load_happenings,
    load_people,
    load_world,
)
from workflows.nodes import NOBODY, PlannedPerson, PlanningWorld, Window

if TYPE_CHECKING:
    from django.db.models import Q

    from workflows.places import Places

_CHUNK = 500
_MANY = 5_000
"""For more people than these it costs less to load everybody."""

_ALWAYS = frozenset(
    f"person.{name}" for name in ("status", "contract_status", "start_date", "end_date")
)
"""What decides who is still here, on whatever day."""
SHOWN = frozenset({"person.team", "person.legal_entity"})
"""What a list of runs to come tells of each person beside the name."""


def is_foreseeable(workflow: PlannedWorkflow) -> bool:
    """Whether its moments, or some of them, can be known before they come."""
    trigger = workflow.trigger
    return trigger is not None and (trigger.forecastable or is_delayed(workflow))


def load_ahead(workflows: Iterable[PlannedWorkflow], *, now: datetime, days: int) -> PlanningWorld:
    """The world for looking ahead: who cannot have a moment in it is left out.

    Of the others only those facts are there that the workflows look at, and :data:`SHOWN`.
    """
    looked = [workflow for workflow in workflows if is_foreseeable(workflow)]
    nobody = load_world(happenings=load_happenings(), person_ids=())
    happenings = [
        item
        for world in (nobody, *(load_delayed(workflow, nobody, now=now) for workflow in looked))
        if world is not None
        for item in world.happenings
    ]
    window = Window(start=now - LOOKBACK, end=now + timedelta(days=days))
    people = load_reached(
        [reach(workflow, window=window) for workflow in looked],
        happened={item.person_id for item in happenings},
        fields=fields_read(looked),
    )
    return replace(nobody, people=people)


def load_reached(
    filters: Iterable[Q | None], *, happened: set[int], fields: Collection[str] | None = None
) -> dict[int, PlannedPerson]:
    """Everybody whom one of ``filters`` lets through, and to whom something ``happened``."""
    chosen = dict.fromkeys(filters)
    if not all(chosen) or len(happened) > _MANY:
        return load_people(fields=fields)
    chosen.pop(NOBODY, None)
    people = load_people(within=reduce(or_, chosen), fields=fields) if chosen else {}
    left = sorted(happened - people.keys())
    for start in range(0, len(left), _CHUNK):
        people |= load_people(left[start : start + _CHUNK], fields=fields)
    return people


def reach(workflow: PlannedWorkflow, *, window: Window) -> Q | None:
    """Whom it may apply to inside ``window``, as a filter over people; ``None``: anybody."""
    if workflow.trigger is None:
        return NOBODY
    return workflow.trigger.reach(workflow.document.trigger.params, window=window)


def near(workflow: PlannedWorkflow, *, window: Window, places: Places) -> Q | None:
    """:func:`reach` as close as it can be said for a window of minutes."""
    if workflow.trigger is None:
        return NOBODY
    params = workflow.document.trigger.params
    return workflow.trigger.near(params, window=window, places=places)


def fields_read(workflows: Iterable[PlannedWorkflow]) -> frozenset[str] | None:
    """Keys of the facts that judging looks at; ``None`` where that is not known."""
    found = set(_ALWAYS | SHOWN)
    for workflow in workflows:
        reads = workflow.trigger.reads if workflow.trigger is not None else ()
        if reads is None:
            return None
        found.update(f"person.{name}" for name in reads)
        group = workflow.document.conditions
        found.update(rule.field for _, rule in (group.walk_rules() if group is not None else ()))
    return frozenset(found)


_DAY_DECIDES = frozenset({"person.status", "person.contract_status"})


def may_match(workflow: PlannedWorkflow) -> Callable[[PlannedPerson], bool] | None:
    """Tells of a person whether the conditions could hold on any day; ``None`` where days decide.

    Looking ahead, whoever it refuses needs no moment worked out.
    """
    group = workflow.document.conditions
    if group is None:
        return None
    for _, rule in group.walk_rules():
        fixed = rule.field.startswith("person.") and rule.field not in _DAY_DECIDES
        if not fixed or rule.operator in ("in_next_days", "in_last_days"):
            return None
    holds = workflow.holds
    return lambda person: holds(person.facts, date.min) is Truth.TRUE
