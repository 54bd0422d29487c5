"""What people belong to, as objects with pages: teams, legal entities, locations, types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from people.choices import PersonStatus, WorkerType
from people.countries import country_name
from people.defaults import workspace_get
from people.models import EmploymentType, LegalEntity, Person, Team, WorkerTypeMapping
from people.zones import single_zone, zones_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

HERE = Q(status__in=(PersonStatus.ACTIVE, PersonStatus.OFFBOARDING))
"""Who works here now."""
_COMING, _LEAVING = Q(status=PersonStatus.HIRED), Q(status=PersonStatus.OFFBOARDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One row of a list: a name, where it leads, how many are there, and what is worth knowing."""

    key: Any
    name: str
    here: int
    coming: int
    leaving: int
    notes: tuple[str, ...] = ()
    warning: str = ""
    lead: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of some people have a value of something that matters."""

    label: str
    have: int
    of: int

    @property
    def missing(self) -> int:
        """How many lack it."""
        return self.of - self.have


def _counted(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """With the numbers of their people."""

    def under(condition: Q) -> Q:
        name, value = condition.children[0]  # type: ignore[misc] # one comparison each
        return Q(**{f"people__{name}": value})

    counted: QuerySet[Any] = queryset.annotate(
        here=Count("people", filter=under(HERE)),
        coming=Count("people", filter=under(_COMING)),
        leaving=Count("people", filter=under(_LEAVING)),
    )
    return counted


def teams() -> list[Place]:
    """Every team with its numbers."""
    return [
        Place(key=row.pk, name=row.name, here=row.here, coming=row.coming, leaving=row.leaving)
        for row in _counted(Team.objects.all())
    ]


def entities() -> list[Place]:
    """Every legal entity with its country, zone, language and lead."""
    return [
        Place(
            key=row.pk,
            name=row.name,
            here=row.here,
            coming=row.coming,
            leaving=row.leaving,
            lead=row.lead,
            notes=tuple(filter(None, (country_name(row.country) if row.country else "",
                                      row.timezone, row.language))),
            warning="" if row.timezone or single_zone(row.country) else "No time zone",
        )
        for row in _counted(LegalEntity.objects.select_related("lead"))
    ]  # fmt: skip


def locations() -> list[Place]:
    """Every country that somebody is in, by name."""
    rows = (
        Person.objects.exclude(country="")
        .order_by()
        .values("country")
        .annotate(
            here=Count("pk", filter=HERE),
            coming=Count("pk", filter=_COMING),
            leaving=Count("pk", filter=_LEAVING),
        )
    )
    found = [
        Place(
            key=row["country"],
            name=country_name(row["country"]),
            here=row["here"],
            coming=row["coming"],
            leaving=row["leaving"],
            notes=(_zone_words(row["country"]),),
        )
        for row in rows
    ]
    return sorted(found, key=lambda place: place.name)


def _zone_words(country: str) -> str:
    zones = zones_of(country)
    if len(zones) == 1:
        return zones[0]
    return f"{len(zones)} time zones" if zones else "Not a country code"


def employment_types() -> list[tuple[EmploymentType, list[str], int]]:
    """Each type, the worker types that are mapped to it, and how many people have it."""
    numbers = dict(
        Person.objects.filter(HERE).order_by().values_list("employment_type").annotate(Count("pk"))
    )
    mapped: dict[int, list[str]] = {}
    for row in WorkerTypeMapping.objects.all():
        mapped.setdefault(row.employment_type_id, []).append(str(row.get_worker_type_display()))
    return [
        (row, mapped.get(row.pk, []), numbers.get(row.key, 0))
        for row in EmploymentType.objects.all()
    ]


def worker_types_unmapped() -> list[tuple[str, int]]:
    """Worker types without an employment type, and how many people that concerns."""
    mapped = set(WorkerTypeMapping.objects.values_list("worker_type", flat=True))
    numbers = dict(
        Person.objects.filter(HERE).order_by().values_list("worker_type").annotate(Count("pk"))
    )
    return [
        (str(label), numbers.get(value, 0))
        for value, label in WorkerType.choices
        if value not in mapped and numbers.get(value)
    ]


def coverage(people: QuerySet[Person]) -> tuple[Coverage, ...]:
    """What workflows need of people and how many have it; in one query."""
    wanted: Sequence[tuple[str, str, Q]] = (
        ("manager", "Manager", ~Q(manager=None)),
        ("zone", "Time zone of their own", ~Q(timezone="")),
        ("start", "Start date", ~Q(start_date=None)),
        ("type", "Employment type", ~Q(employment_type="")),
    )
    found = people.filter(HERE).aggregate(
        of=Count("pk"), **{key: Count("pk", filter=test) for key, _, test in wanted}
    )
    return tuple(Coverage(label=label, have=found[key], of=found["of"]) for key, label, _ in wanted)


def zone_in_use(entity: LegalEntity) -> tuple[str, str]:
    """The zone in which days of its people without one are counted, and where that comes from."""
    if entity.timezone:
        return entity.timezone, "set here"
    own = single_zone(entity.country)
    if own:
        return own, "the only one of the country, for people there"
    return workspace_get().timezone, "the workspace's, for want of one"
