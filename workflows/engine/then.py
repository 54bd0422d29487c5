"""The directory as it was: what is known now, with every later change undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from integrations.models import AppAccess
from people.models import LegalEntity, PersonChange
from people.plan import DATES
from workflows.nodes import PlannedPerson, PlanningWorld

_CHUNK = 500


def world_then(world: PlanningWorld, *, at: datetime) -> PlanningWorld:
    """``world`` (loaded now) as it was at the moment ``at`` (UTC).

    Who was not known yet is left out. Protection has no history and is as it is now.
    """
    people = people_then(world.people, at=at)
    happenings = tuple(item for item in world.happenings if item.at <= at)
    return replace(world, people=people, happenings=happenings)


def people_then(people: Mapping[int, PlannedPerson], *, at: datetime) -> dict[int, PlannedPerson]:
    """These people as they were at ``at``; two queries for each five hundred."""
    there = [person for person in people.values() if person.first_seen_at <= at]
    ids = [person.id for person in there]
    later = _changes(ids, after=at)
    known = _date_changes_before(
        [pk for pk, fields in later.items() if not fields.keys().isdisjoint(DATES)], at=at
    )
    held = _held_then(ids, at=at)
    zones = dict(LegalEntity.objects.values_list("name", "timezone")) if later else {}
    return {
        person.id: _undone(
            person,
            later.get(person.id, {}),
            known_at=known.get(person.id, {}),
            apps=held.get(person.id, []),
            entity_zones=zones,
        )
        for person in there
    }


def sources_then(person_id: int, *, at: datetime, present: Mapping[str, str]) -> dict[str, str]:
    """Field → key of the source its value came from at ``at``; ``present`` is how it is now."""
    found = dict(present)
    rows = PersonChange.objects.filter(person_id=person_id).order_by("-at", "-pk")
    undone: set[str] = set()
    for field, moment, source in rows.values_list("field", "at", "source"):
        if moment > at:
            undone.add(field)
            found.pop(field, None)
        elif field in undone:
            undone.discard(field)
            found[field] = source
    return found


def _changes(ids: list[int], *, after: datetime) -> dict[int, dict[str, Any]]:
    """Person → field → the value it had before its first change after that moment."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for start in range(0, len(ids), _CHUNK):
        rows = PersonChange.objects.filter(person_id__in=ids[start : start + _CHUNK], at__gt=after)
        for pk, field, before in rows.order_by("-at", "-pk").values_list(
            "person_id", "field", "before"
        ):
            found[pk][field] = before
    return found


def _date_changes_before(ids: Iterable[int], *, at: datetime) -> dict[int, dict[str, datetime]]:
    """When the dates these people had at ``at`` had become known."""
    wanted = list(ids)
    found: dict[int, dict[str, datetime]] = defaultdict(dict)
    for start in range(0, len(wanted), _CHUNK):
        rows = PersonChange.objects.filter(
            person_id__in=wanted[start : start + _CHUNK], at__lte=at, field__in=DATES
        ).order_by("at", "pk")
        for pk, field, moment in rows.values_list("person_id", "field", "at"):
            found[pk][field] = moment
    return found


def _held_then(ids: list[int], *, at: datetime) -> dict[int, list[str]]:
    given = (AppAccess.State.GRANTED, AppAccess.State.REVOKING)
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(ids), _CHUNK):
        rows = AppAccess.objects.filter(
            Q(state__in=given) | Q(ended_at__gt=at),
            person_id__in=ids[start : start + _CHUNK],
            since__lte=at,
        ).order_by("application__key")
        for pk, key in rows.values_list("person_id", "application__key"):
            found[pk].append(key)
    return found


def _undone(
    person: PlannedPerson,
    before: Mapping[str, Any],
    *,
    known_at: Mapping[str, datetime],
    apps: list[str],
    entity_zones: Mapping[str, str],
) -> PlannedPerson:
    facts = {**person.facts, "person.apps": apps}
    if not before:
        return replace(person, facts=facts)
    for field, value in before.items():
        facts[f"person.{field}"] = _date(value) if field in DATES else value
    known = {name: moment for name, moment in person.known_at.items() if name not in before}
    for field in before:
        if field in DATES and facts[f"person.{field}"] is not None:
            known[field] = known_at.get(field, person.first_seen_at)
    zone = person.timezone
    if "timezone" in before or "legal_entity" in before:
        entity = str(facts.get("person.legal_entity") or "")
        own = str(facts.get("person.timezone") or "")
        zone = own or entity_zones.get(entity, "") or zone
    return replace(
        person,
        facts=facts,
        known_at=known,
        timezone=zone,
        country=str(before.get("country", person.country) or ""),
        work_email=str(before.get("work_email") or person.work_email),
    )


def _date(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else None
