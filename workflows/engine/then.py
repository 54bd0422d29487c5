"""The directory as it was: what is known now, with every later change undone."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from integrations.models import AppAccess
from people.choices import PersonStatus
from people.history import changes_after
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


def _changes(ids: list[int], *, after: datetime) -> dict[int, dict[str, Any]]:
    """Person → field → the value it had before its first change after that moment."""
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = PersonChange.objects.filter(person_id__in=ids[start : start + _CHUNK])
        found |= changes_after(after, changes=rows)
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
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(ids), _CHUNK):
        rows = AppAccess.objects.filter(
            AppAccess.HELD | Q(ended_at__gt=at),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A person as they were from ``start`` on, until just before ``end`` (UTC)."""

    start: datetime
    end: datetime
    person: PlannedPerson


def spells(
    people: Mapping[int, PlannedPerson], *, since: datetime, until: datetime
) -> tuple[dict[int, PlannedPerson], list[Spell]]:
    """Those who stayed as they are from ``since`` to ``until``, and the spells of all others.

    What happens at ``until`` itself is still inside.
    """
    after = until + timedelta(microseconds=1)
    changed: dict[int, list[tuple[datetime, str, Any]]] = defaultdict(list)
    rows = PersonChange.objects.filter(at__gt=since, at__lte=until).order_by("-at", "-pk")
    for pk, at, field, before in rows.values_list("person_id", "at", "field", "before"):
        changed[pk].append((at, field, before))
    then = people_then({pk: people[pk] for pk in changed.keys() & people.keys()}, at=since)
    zones = dict(LegalEntity.objects.values_list("name", "timezone")) if changed else {}
    steady: dict[int, PlannedPerson] = {}
    found: list[Spell] = []
    for person in people.values():
        if person.id in changed:
            found += _spells_of(
                person, changed[person.id], first=then.get(person.id), since=since, until=after,
                zones=zones,
            )  # fmt: skip
        elif person.first_seen_at <= since:
            steady[person.id] = person
        else:
            found.append(Spell(start=person.first_seen_at, end=after, person=person))
    return steady, found


class Headcount:
    """How many people had not left, day by day, over the time that the spells tell of."""

    def __init__(self, steady: Mapping[int, PlannedPerson], others: Iterable[Spell]) -> None:
        here = [
            person.facts.get("person.end_date")
            for person in steady.values()
            if person.facts.get("person.status") != PersonStatus.ENDED
        ]
        self._staying = sum(end is None for end in here)
        self._ends = sorted(end for end in here if end is not None)
        self._others = [
            spell
            for spell in others
            if spell.person.facts.get("person.status") != PersonStatus.ENDED
        ]

    def at(self, moment: datetime) -> int:
        """The number at ``moment``; whose last day is over has left."""
        day = moment.date()
        changed = (spell for spell in self._others if spell.start <= moment < spell.end)
        ends = (spell.person.facts.get("person.end_date") for spell in changed)
        here = sum(bool(end is None or end >= day) for end in ends)
        return self._staying + len(self._ends) - bisect_left(self._ends, day) + here


def _spells_of(
    person: PlannedPerson,
    changes: list[tuple[datetime, str, Any]],
    *,
    first: PlannedPerson | None,
    since: datetime,
    until: datetime,
    zones: Mapping[str, str],
) -> list[Spell]:
    """One spell between every two changes; ``changes`` are the newest first."""
    begin = max(since, person.first_seen_at)
    known: dict[str, list[datetime]] = defaultdict(list)
    for at, field, _ in changes:
        known[field].append(at)
    found: list[Spell] = []
    end = until
    before: dict[str, Any] = {}
    for index, (at, field, value) in enumerate(changes):
        if index == 0 or at != changes[index - 1][0]:
            present = _undone(
                person,
                before,
                known_at=_known_then(first, known, end=end),
                apps=list(person.facts.get("person.apps") or []),
                entity_zones=zones,
            )
            found.append(Spell(start=max(at, begin), end=end, person=present))
            end = at
        before[field] = value
    if begin < end:
        oldest = first or _undone(person, before, known_at={}, apps=[], entity_zones=zones)
        found.append(Spell(start=begin, end=end, person=oldest))
    return [spell for spell in reversed(found) if spell.start < spell.end]


def _known_then(
    first: PlannedPerson | None, changes: Mapping[str, list[datetime]], *, end: datetime
) -> dict[str, datetime]:
    """Since when each date of a spell that ends at ``end`` had been known."""
    found = dict(first.known_at) if first is not None else {}
    for field, moments in changes.items():
        earlier = [at for at in moments if at < end]
        if earlier:
            found[field] = max(earlier)
    return found
