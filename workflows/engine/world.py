"""Load what the planner looks at: everybody in bulk, and what has happened to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from people.defaults import workspace_get
from people.models import LegalEntity, LifecycleEvent, Person
from workflows.document.parse import parse_document
from workflows.document.timing import parse_timing
from workflows.engine.planner import LOOKBACK, PlannedWorkflow
from workflows.facts import facts_beside
from workflows.models import Request, Workflow
from workflows.nodes import Happening, PlannedPerson, PlanningWorld, Window
from workflows.places import Places

if TYPE_CHECKING:
    from workflows.models import WorkflowVersion

REPLAYED = timedelta(minutes=10)
"""After so long without a pass, what happened since the last one is looked at again."""
_FEW = 900
_SLACK = timedelta(days=12)
_COLUMNS = (
    "pk",
    "full_name",
    "work_email",
    "timezone",
    "country",
    "legal_entity_id",
    "known_at",
    "baseline_at",
    "created_at",
    "protected",
)


def load_people(
    person_ids: Iterable[int] | None = None,
    *,
    within: Q | None = None,
    fields: Collection[str] | None = None,
) -> dict[int, PlannedPerson]:
    """Everybody as the planner sees them, by primary key.

    Only those named, only those ``within`` a filter, and only these ``fields`` of them by their
    key, where that is said.
    """
    queryset = Person.objects.order_by("pk")
    if person_ids is not None:
        queryset = queryset.filter(pk__in=list(person_ids))
    if within is not None:
        queryset = queryset.filter(within)
    instead: Callable[[int | None], str] | None = None
    people: dict[int, PlannedPerson] = {}
    for row, facts in facts_beside(queryset, _COLUMNS, fields=fields):
        (pk, name, email, zone, country, entity, known, baseline, created, protected) = row
        if not zone:
            # A country with one zone has already given it to the person.
            instead = instead or _zones_instead()
            zone = instead(entity)
        people[pk] = PlannedPerson(
            id=pk,
            label=name or email,
            work_email=email,
            facts=facts,
            timezone=zone,
            country=country,
            known_at={key: _moment(text) for key, text in known.items()},
            baseline_at=baseline,
            first_seen_at=created,
            protected=protected,
        )
    return people


def _zones_instead() -> Callable[[int | None], str]:
    """Where somebody without a zone is: where their legal entity is, else the workspace."""
    entities: dict[int | None, str] = dict(
        LegalEntity.objects.order_by().values_list("pk", "timezone")
    )
    workspace = workspace_get().timezone
    return lambda entity: entities.get(entity) or workspace


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def load_places() -> Places:
    """Where people are. Who has no zone counts for every zone that could stand in."""
    entities = dict(LegalEntity.objects.order_by().values_list("pk", "timezone"))
    workspace = workspace_get().timezone
    instead = {workspace, *filter(None, entities.values())}
    countries: dict[str, set[str]] = {}
    rows = Person.objects.order_by().values_list("timezone", "country").distinct()
    for zone, country in rows:
        for one in [zone] if zone else instead:
            countries.setdefault(one, set()).add(country)
    return Places(
        countries={zone: frozenset(found) for zone, found in countries.items()},
        entities=entities,
        workspace_timezone=workspace,
    )


def load_world(
    *,
    happenings: Iterable[Happening] = (),
    person_ids: Iterable[int] | None = None,
    fields: Collection[str] | None = None,
) -> PlanningWorld:
    """The world for one pass; ``fields`` as for :func:`load_people`."""
    return PlanningWorld(
        people=load_people(person_ids, fields=fields),
        happenings=tuple(happenings),
        workspace_timezone=workspace_get().timezone,
    )


def load_happenings(
    *,
    since: datetime | None = None,
    kind: str = "",
    field: str = "",
    within: Q | None = None,
) -> list[Happening]:
    """Outbox rows and requests nobody has planned yet; with ``since`` also those after it.

    ``kind`` and ``field`` leave out what a trigger on one thing would not look at; ``within`` is a
    further filter over outbox rows.
    """
    fresh = Q(consumed_at__isnull=True)
    events = fresh if since is None else fresh | Q(at__gt=since)
    if within is not None:
        events &= within
    found = [
        Happening(
            id=event.pk,
            kind=event.kind,
            person_id=event.person_id,
            at=event.at,
            field=event.field,
            before=event.before,
            after=event.after,
            baseline=event.baseline,
        )
        for event in LifecycleEvent.objects.filter(events, **_only(kind, field)).order_by("pk")
    ]
    if kind and kind != "request.submitted":
        return found
    requests = fresh if since is None else fresh | Q(created_at__gt=since)
    found += [
        Happening(
            id=request.pk,
            kind="request.submitted",
            person_id=request.requester_id,
            at=request.created_at,
            service=request.service.key,
            facts=request_facts(request),
        )
        for request in Request.objects.filter(requests).select_related("service").order_by("pk")
    ]
    return found


def _only(kind: str, field: str) -> dict[str, str]:
    wanted = {"kind": kind, "field": field}
    return {name: value for name, value in wanted.items() if value}


def is_delayed(planned: PlannedWorkflow) -> bool:
    """Whether it is due days after something happened, so that its moment is known before."""
    timing = parse_timing(planned.document.trigger.params, "trigger.params")[0]
    return planned.trigger is not None and bool(planned.trigger.offset) and timing.offset_days > 0


def load_delayed(
    planned: PlannedWorkflow, world: PlanningWorld, *, now: datetime
) -> PlanningWorld | None:
    """``world`` with what happened long enough ago for “N days after”; ``None`` for no delay."""
    if not is_delayed(planned):
        return None
    return replace(world, happenings=tuple(_delayed(planned, now=now)))


def _delayed(
    planned: PlannedWorkflow, *, now: datetime, within: Q | None = None
) -> list[Happening]:
    # Weekends and holidays move a moment by a few days more.
    since = now - LOOKBACK - timedelta(days=planned.timing.offset_days) - _SLACK
    name = str(planned.document.trigger.params.get("field") or "").removeprefix("person.")
    kind = planned.document.trigger.type
    return load_happenings(since=since, kind=kind, field=name, within=within)


def delayed_lately(
    planned: PlannedWorkflow, *, window: Window, people: Collection[int]
) -> tuple[Happening, ...]:
    """For “N days after”: what may be due in a ``window`` of minutes, and all about ``people``."""
    shift = timedelta(days=planned.timing.offset_days)
    if len(people) > _FEW:
        within = None
    else:
        # Zones are within a day beside the weekends and holidays.
        slack = _SLACK + timedelta(days=2)
        within = Q(at__gt=window.start - shift - slack, at__lte=window.end - shift + slack)
        within |= Q(person_id__in=sorted(people))
    return tuple(_delayed(planned, now=window.end, within=within))


def load_for(
    planned: PlannedWorkflow, world: PlanningWorld, workflow: Workflow, *, now: datetime
) -> PlanningWorld:
    """``world`` with the happenings that this workflow may still have to act on at ``now``."""
    delayed = load_delayed(planned, world, now=now)
    if delayed is not None:
        return delayed
    replayed = replay_since(workflow, now=now)
    if replayed is None:
        return world
    return replace(world, happenings=tuple(load_happenings(since=replayed)))


def request_facts(request: Request) -> dict[str, Any]:
    """What conditions and templates see of a request."""
    facts = {f"request.form.{name}": value for name, value in request.form.items()}
    return {"request.service": request.service.key, "request.priority": request.priority, **facts}


def planned_version(version: WorkflowVersion) -> PlannedWorkflow:
    """A published version for the planner. Raises ``DocumentError`` when it no longer parses."""
    workflow = version.workflow
    return PlannedWorkflow(
        key=workflow.key,
        document=parse_document(version.document),
        live_since=workflow.live_since,
        planned_until=workflow.planned_until,
    )


def planned_draft(workflow: Workflow, *, now: datetime) -> PlannedWorkflow:
    """The draft as if it went live now (or as it is live already)."""
    return PlannedWorkflow(
        key=workflow.key,
        document=parse_document(workflow.draft),
        live_since=workflow.live_since or now,
    )


def replay_since(workflow: Workflow, *, now: datetime) -> datetime | None:
    """From when happenings must be looked at again: the workflow was paused or nothing ran."""
    seen = workflow.planned_until
    if seen is None or (workflow.planned_whole_at is not None and now - seen < REPLAYED):
        return None
    return max(seen, now - LOOKBACK)


def late_window() -> timedelta:
    """The workspace's catch-up window."""
    return timedelta(days=workspace_get().late_within_days)
