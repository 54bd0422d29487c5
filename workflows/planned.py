"""What the planner looks at: everybody as plain values, what has happened, and what applies when.

Loaded in bulk and free of the database, so that one pass can judge very many people.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from people.choices import ContractStatus, PersonStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

# Plain texts compare faster than members of an Enum; this runs for every person and moment.
_HIRED, _ACTIVE, _OFFBOARDING, _ENDED = (
    str(status.value)
    for status in (
        PersonStatus.HIRED,
        PersonStatus.ACTIVE,
        PersonStatus.OFFBOARDING,
        PersonStatus.ENDED,
    )
)
_CONTRACT_ACTIVE, _CONTRACT_ENDED = (
    str(status.value) for status in (ContractStatus.ACTIVE, ContractStatus.ENDED)
)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def facts_on(facts: Mapping[str, Any], day: date) -> Mapping[str, Any]:
    """Carry forward what a calendar day alone decides: the status that follows from the dates.

    Where it decides nothing, these are the facts themselves, not a copy.
    """
    start, end = facts.get("person.start_date"), facts.get("person.end_date")
    status, contract = facts.get("person.status"), facts.get("person.contract_status")
    if status == _HIRED and start is not None and start <= day:
        status = _OFFBOARDING if end is not None else _ACTIVE
        contract = _CONTRACT_ACTIVE
    if status in (_ACTIVE, _OFFBOARDING) and end is not None and end < day:
        status, contract = _ENDED, _CONTRACT_ENDED
    words, terms = str(status), str(contract or "")
    if facts.get("person.status") == words and facts.get("person.contract_status") == terms:
        return facts
    return {**facts, "person.status": words, "person.contract_status": terms}


def steady_until(facts: Mapping[str, Any]) -> date:
    """The first day on which :func:`facts_on` may say something else than ``facts``."""
    status, contract = facts.get("person.status"), facts.get("person.contract_status")
    if not isinstance(status, str) or not isinstance(contract, str):
        return date.min
    start, end = facts.get("person.start_date"), facts.get("person.end_date")
    if status == _HIRED and start is not None:
        return _day(start)
    if status in (_ACTIVE, _OFFBOARDING) and end is not None:
        return _day(end)
    return date.max


def _day(value: Any) -> date:
    return value if type(value) is date else date.min


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPerson:
    """One person as the planner sees everybody: loaded in bulk, no model instance."""

    id: int
    label: str
    work_email: str
    facts: Mapping[str, Any]
    timezone: str
    """Resolved: person, else country with one zone, else entity, else workspace."""
    country: str
    known_at: Mapping[str, datetime]
    baseline_at: datetime | None
    first_seen_at: datetime
    protected: bool = False
    _steady_until: date = attribute(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once until when no day decides anything."""
        object.__setattr__(self, "_steady_until", steady_until(self.facts))

    def facts_on(self, day: date) -> Mapping[str, Any]:
        """:func:`facts_on` of the person."""
        return self.facts if day < self._steady_until else facts_on(self.facts, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event or request the planner may react to: an outbox row, without the ORM."""

    id: int
    kind: str
    person_id: int
    at: datetime
    field: str = ""
    before: Any = None
    after: Any = None
    service: str = ""
    baseline: bool = False
    facts: Mapping[str, Any] = attribute(default_factory=dict)
    """Further facts for conditions, as ``request.form.model``."""


class Occurrence(NamedTuple):
    """A trigger applies to a person: the anchor it hangs on and the moment it is due (UTC).

    A tuple, because one pass may make hundreds of thousands of them.
    """

    person_id: int
    anchor: str
    due_at: datetime
    timezone: str
    known_at: datetime
    """When it became known that this would be due."""
    change: Mapping[str, Any] = _NOTHING
    """Facts of what set it off, by full name: ``change.field``, ``request.form.model`` …"""
    request_id: int | None = None


class Moment(NamedTuple):
    """An occurrence that some people share: anchor, due moment and zone are the same for all."""

    anchor: str
    due_at: datetime
    timezone: str
    people: Sequence[PlannedPerson]
    field: str = ""
    """The date of each that it hangs on; it became known with that. Blank: with the person."""
    known_at: datetime | None = None
    """When it became known, where that is the same for all."""
    change: Mapping[str, Any] = _NOTHING
    request_id: int | None = None

    def occurrence(self, person: PlannedPerson, known_at: datetime) -> Occurrence:
        """That of one of them."""
        return Occurrence(
            person.id,
            self.anchor,
            self.due_at,
            self.timezone,
            known_at,
            self.change,
            self.request_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open interval of moments in UTC: ``start < due_at <= end``."""

    start: datetime
    end: datetime


class Cohort(NamedTuple):
    """People who share a date, a time zone and a country, and so the moment that follows."""

    day: date
    timezone: str
    country: str
    people: list[PlannedPerson]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningWorld:
    """Everything a trigger may look at; the same for live, preview and forecast."""

    people: Mapping[int, PlannedPerson]
    happenings: tuple[Happening, ...]
    workspace_timezone: str
    only: Callable[[PlannedPerson], bool] | None = None
    """Leaves out of :meth:`likely_places` whom nothing can be said for anyway."""
    _cohorts: dict[str, _Cohorts] = attribute(default_factory=dict, repr=False, compare=False)

    def likely_places(self) -> list[Cohort]:
        """Those whom ``only`` does not leave out, together with who shares a zone and a country.

        For who looks at everybody again and again. The cohorts' day says nothing.
        """
        places = self._of("").all
        if self.only is None:
            return places
        return [place._replace(people=list(filter(self.only, place.people))) for place in places]

    def dated(self, field: str, first: date, last: date) -> Iterable[Cohort]:
        """Those whose date ``field`` lies from ``first`` to ``last``; found without asking all."""
        return self._of(field).between(first, last)

    def dated_yearly(self, field: str) -> Mapping[tuple[int, int], list[Cohort]]:
        """Month and day → those whose date ``field`` it is, of any year."""
        return self._of(field).yearly

    def _of(self, field: str) -> _Cohorts:
        kept = self._cohorts.get(field)
        # A world of other people, made from this one, shares the dict but not what is in it.
        if kept is None or kept.people is not self.people:
            kept = self._cohorts[field] = _Cohorts(self.people, field)
        return kept


class _Cohorts:
    """Everybody together with who shares one date, a zone and a country; "" is no date at all."""

    def __init__(self, people: Mapping[int, PlannedPerson], field: str) -> None:
        self.people = people
        name = f"person.{field}"
        found: dict[tuple[date, str, str], list[PlannedPerson]] = {}
        for person in people.values():
            value = person.facts.get(name) if field else date.min
            if isinstance(value, date):
                key = (value, person.timezone, person.country)
                found.setdefault(key, []).append(person)
        self.all = [Cohort(*key, found[key]) for key in sorted(found)]
        self._days = [cohort.day for cohort in self.all]
        self.yearly: dict[tuple[int, int], list[Cohort]] = {}
        for cohort in self.all:
            self.yearly.setdefault((cohort.day.month, cohort.day.day), []).append(cohort)

    def between(self, first: date, last: date) -> list[Cohort]:
        """The cohorts from ``first`` to ``last``, by their date."""
        return self.all[bisect_left(self._days, first) : bisect_right(self._days, last)]


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from ``first`` to ``last``."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)
