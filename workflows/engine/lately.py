"""What one live pass looks at: nearly always only whom the minutes since the last one concern.

Whoever is left out has no new moment, and nothing that decides about an old one has changed. Every
hour, and whenever that cannot be told, a pass looks back over the whole :data:`~planner.LOOKBACK`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Count, Max

from people.defaults import workspace_get
from people.models import LegalEntity, Person, PersonMerge, Team
from workflows.engine.planner import PlannedWorkflow, day_at, live_window
from workflows.engine.reach import load_reached, near, reach
from workflows.engine.world import (
    REPLAYED,
    delayed_lately,
    is_delayed,
    load_for,
    load_places,
)
from workflows.models import Run, Workflow
from workflows.nodes import Happening, PlanningWorld, Window
from workflows.places import Places

WHOLE_EVERY = timedelta(hours=1)
MARGIN = timedelta(hours=1)
"""Who changed is looked at so long: a sync stamps its moment before it is committed."""
_CHUNK = 500
_APPS = "person.apps"
_TODAY = ("in_next_days", "in_last_days")
Live = Sequence[tuple[Workflow, PlannedWorkflow]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The world of each workflow in one pass, by key, and what to remember of it."""

    worlds: Mapping[str, PlanningWorld]
    marks: Mapping[str, str]
    whole: frozenset[str]
    """Keys of those that are looked at over all the time that a pass looks back."""


def look_whole(live: Live, fresh: Iterable[Happening], *, now: datetime) -> Look:
    """Everybody who may have a moment in the time that a pass looks back."""
    return _look(live, fresh, ordinary={}, places=load_places(), marks={}, now=now)


def look_lately(live: Live, fresh: Iterable[Happening], *, now: datetime) -> Look:
    """Whom a pass at ``now`` concerns; ``fresh`` is what has happened since the last one."""
    places = load_places()
    marks = _marks(live)
    ordinary = {
        workflow.key: workflow.planned_until
        for workflow, planned in live
        if workflow.planned_until is not None
        and _is_ordinary(workflow, planned, marks[workflow.key], places, now=now)
    }
    return _look(live, fresh, ordinary=ordinary, places=places, marks=marks, now=now)


def _look(
    live: Live,
    fresh: Iterable[Happening],
    *,
    ordinary: Mapping[str, datetime],
    places: Places,
    marks: Mapping[str, str],
    now: datetime,
) -> Look:
    nobody = PlanningWorld(
        people={}, happenings=tuple(fresh), workspace_timezone=places.workspace_timezone
    )
    known = [workflow for workflow, _ in live if workflow.key in ordinary]
    concerned = _concerned(known, nobody.happenings, now=now)
    worlds: dict[str, PlanningWorld] = {}
    filters = []
    for workflow, planned in live:
        since = ordinary.get(workflow.key)
        if since is None:
            worlds[workflow.key] = load_for(planned, nobody, workflow, now=now)
            filters.append(reach(planned, window=live_window(now)))
            continue
        window = Window(start=since, end=now)
        happened = nobody.happenings
        if is_delayed(planned):
            happened = delayed_lately(planned, window=window, people=concerned)
        worlds[workflow.key] = replace(nobody, happenings=happened)
        filters.append(near(planned, window=window, places=places))
    concerned |= {item.person_id for world in worlds.values() for item in world.happenings}
    people = load_reached(filters, happened=concerned)
    return Look(
        worlds={key: replace(world, people=people) for key, world in worlds.items()},
        marks=marks,
        whole=frozenset(worlds.keys() - ordinary.keys()),
    )


def _is_ordinary(
    workflow: Workflow, planned: PlannedWorkflow, mark: str, places: Places, *, now: datetime
) -> bool:
    """Whether only the minutes since the last pass, and what changed in them, can matter."""
    seen, whole = workflow.planned_until, workflow.planned_whole_at
    if seen is None or whole is None or workflow.planned_with != mark:
        return False
    if not seen <= now < seen + REPLAYED or not whole <= now < whole + WHOLE_EVERY:
        return False
    group = planned.document.conditions
    rules = [rule for _, rule in group.walk_rules()] if group is not None else []
    if any(rule.field == _APPS for rule in rules):
        # Who holds what changes without a trace in the person.
        return False
    relative = any(rule.operator in _TODAY for rule in rules)
    return not (relative and _day_turned(planned, places, seen, now))


def _day_turned(
    planned: PlannedWorkflow, places: Places, before: datetime, after: datetime
) -> bool:
    """Whether a new day has begun in one of the zones that its moments are read in."""
    read = {zone for _, zone in places.zones_read(planned.timing.timezone)}
    return any(day_at(before, zone) != day_at(after, zone) for zone in read | {*places.countries})


def _concerned(
    ordinary: Sequence[Workflow], fresh: Iterable[Happening], *, now: datetime
) -> set[int]:
    """People about whom something has changed that may decide about a moment gone by."""
    seen = [workflow.planned_until for workflow in ordinary if workflow.planned_until is not None]
    if not seen:
        return set()
    since = min(seen) - MARGIN
    found = {item.person_id for item in fresh}
    found.update(
        Person.objects.filter(updated_at__gt=since).order_by().values_list("pk", flat=True)
    )
    found |= _reports(found)
    for workflow in ordinary:
        found.update(workflow.planned_again)
    # A run that was given up frees its moment.
    given_up = Run.objects.filter(
        workflow__in=ordinary,
        status__in=[Run.Status.SUPERSEDED, Run.Status.CANCELLED],
        finished_at__gt=since,
    )
    found.update(given_up.exclude(moved_to="").order_by().values_list("person_id", flat=True))
    return found


def _reports(people: Collection[int]) -> set[int]:
    """Those whose manager is one of ``people``: the manager's address is a fact of theirs."""
    found: set[int] = set()
    ids = sorted(people)
    for start in range(0, len(ids), _CHUNK):
        rows = Person.objects.filter(manager_id__in=ids[start : start + _CHUNK])
        found.update(rows.order_by().values_list("pk", flat=True))
    return found


def _marks(live: Live) -> dict[str, str]:
    """For each workflow what everybody's answers rest on beside the people themselves."""
    company = _company()
    return {
        workflow.key: _digest([workflow.live_version_id, workflow.live_since, company])
        for workflow, _ in live
    }


def _company() -> list[object]:
    workspace = workspace_get()
    return [
        (workspace.timezone, workspace.late_within_days),
        list(Team.objects.order_by("pk").values_list("pk", "name")),
        list(LegalEntity.objects.order_by("pk").values_list("pk", "name", "timezone")),
        # Merging two people moves what belongs to them.
        PersonMerge.objects.aggregate(Count("pk"), Max("done_at"), Max("undone_at")),
    ]


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, default=str).encode()).hexdigest()


def looked_write(
    look: Look, found: Sequence[tuple[Workflow, Collection[int]]], *, now: datetime
) -> None:
    """Remember how far a pass at ``now`` has looked, and the people whom it must look at again."""
    keys = [workflow.pk for workflow, _ in found]
    Workflow.objects.filter(pk__in=keys).update(planned_until=now)
    whole = [workflow.pk for workflow, _ in found if workflow.key in look.whole]
    if whole:
        Workflow.objects.filter(pk__in=whole).update(planned_whole_at=now)
    for workflow, withheld in found:
        mark, again = look.marks[workflow.key], sorted(withheld)
        if workflow.planned_with != mark or workflow.planned_again != again:
            Workflow.objects.filter(pk=workflow.pk).update(planned_with=mark, planned_again=again)
