"""How well the directory is filled, and where its sources disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from people.choices import PersonStatus
from people.fields_registry import DirectoryField
from people.folding import email_key
from people.models import Person, SourceRecord
from people.plan import CUSTOM, DATES

if TYPE_CHECKING:
    from django.db.models import QuerySet

STAFF = (PersonStatus.HIRED, PersonStatus.ACTIVE, PersonStatus.OFFBOARDING)
_RELATIONS = frozenset({"manager", "team", "legal_entity"})
_CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of the current people have a value."""

    have: int
    people: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means everybody."""
        return self.have * 100 // self.people if self.people else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Competing:
    """One person whose sources say different things: the values by source, as they came."""

    person_id: int
    values: tuple[tuple[str, Any], ...]
    """Source → value; for a manager, their name or address."""


def staff() -> QuerySet[Person]:
    """Current people: upcoming, active and leaving ones; no accounts of outsiders."""
    return Person.objects.filter(status__in=STAFF)


def fields_coverage(fields: Sequence[DirectoryField]) -> dict[str, Coverage]:
    """Coverage of each field over current people, in one query."""
    counts = {
        f"n{number}": Count("pk", filter=_has_value(found)) for number, found in enumerate(fields)
    }
    row: dict[str, int] = staff().order_by().aggregate(people=Count("pk"), **counts)
    return {
        found.key: Coverage(have=row[f"n{number}"], people=row["people"])
        for number, found in enumerate(fields)
    }


def _has_value(found: DirectoryField) -> Q:
    if found.is_custom:
        name = found.key.removeprefix(CUSTOM)
        # A JSON null is a value that an admin set to “nothing”.
        return Q(custom__has_key=name) & ~Q(**{f"custom__{name}": None})
    if found.key in DATES or found.key in _RELATIONS:
        return Q(**{f"{found.key}__isnull": False})
    return ~Q(**{found.key: ""})


@dataclass(slots=True)
class _Managers:
    """Two sources may name one manager in different ways: by their id and by address."""

    owners: Mapping[tuple[str, str], int] = field(default_factory=dict)
    emails: Mapping[str, int] = field(default_factory=dict)

    def key(self, source: str, values: Mapping[str, Any]) -> object:
        found = self.owners.get((source, values.get("manager_external_id") or ""))
        if found is not None:
            return found
        email = email_key(values.get("manager_email") or values.get("manager_user_email") or "")
        return self.emails.get(email, email or _plain(values.get("manager_name")))


def competing_values(fields: Sequence[DirectoryField]) -> dict[str, list[Competing]]:
    """For each field the current people whose sources disagree, by person.

    Compared is what each source's leading record says; blanks never disagree, nor do capitals and
    spaces. An ended employment is not heard beside a live one.
    """
    asked = [found for found in fields if found.sourced]
    several = _people_with_several_sources()
    managers = _managers() if any(found.key == "manager" for found in asked) else _Managers()
    answer: dict[str, list[Competing]] = {found.key: [] for found in asked}
    for person_id, records in _heard(several):
        for found in asked:
            said = _said(found.key, records, managers)
            if len({key for key, _, _ in said}) > 1:
                values = tuple((source, value) for _, source, value in said)
                answer[found.key].append(Competing(person_id=person_id, values=values))
    return answer


def _people_with_several_sources() -> QuerySet[Any]:
    rows = SourceRecord.objects.filter(is_primary=True, person__status__in=STAFF)
    grouped = rows.order_by().values("person_id").annotate(n=Count("source", distinct=True))
    return grouped.filter(n__gt=1).values("person_id")


_Record = tuple[str, Mapping[str, Any]]


def _heard(people: QuerySet[Any]) -> Iterator[tuple[int, list[_Record]]]:
    """Person after person, the leading records that are asked."""
    rows = (
        SourceRecord.objects.filter(is_primary=True, person_id__in=people)
        .order_by("person_id", "source")
        .values_list("person_id", "source", "is_live", "values")
    )
    current, found = 0, list[tuple[bool, _Record]]()
    for person_id, source, live, values in rows.iterator(chunk_size=_CHUNK):
        if person_id != current and found:
            yield current, _live_first(found)
            found = []
        current = person_id
        found.append((live, (source, values)))
    if found:
        yield current, _live_first(found)


def _live_first(records: Sequence[tuple[bool, _Record]]) -> list[_Record]:
    live = [record for alive, record in records if alive]
    return live or [record for _, record in records]


def _said(
    key: str, records: Sequence[_Record], managers: _Managers
) -> list[tuple[object, str, Any]]:
    """(what is compared, source, what is shown) of every source that has a value."""
    found = []
    for source, values in records:
        if key == "manager":
            names = ("manager_name", "manager_email", "manager_user_email", "manager_external_id")
            shown = next((values[name] for name in names if values.get(name)), "")
            compared = managers.key(source, values) if shown else ""
        else:
            shown = _value(key, values)
            compared = email_key(str(shown or "")) if key == "work_email" else _plain(shown)
        if compared not in ("", None):
            found.append((compared, source, shown))
    return found


def _value(key: str, values: Mapping[str, Any]) -> Any:
    if key.startswith(CUSTOM):
        custom = values.get("custom") or {}
        return custom.get(key.removeprefix(CUSTOM))
    return values.get(key)


def _plain(value: Any) -> object:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def _managers() -> _Managers:
    rows = SourceRecord.objects.filter(person__isnull=False).values_list(
        "source", "external_id", "person_id"
    )
    owners = {(source, external): person for source, external, person in rows.iterator()}
    emails = dict(Person.objects.values_list("work_email", "pk").iterator())
    return _Managers(owners=owners, emails=emails)


def names_of(person_ids: Collection[int]) -> dict[int, Person]:
    """Those people, to be named on a page."""
    return Person.objects.select_related("team").in_bulk(list(person_ids))


def said_of(person: Person, found: DirectoryField) -> list[tuple[str, Any]]:
    """What each source's leading record says of one person's field: (source, value)."""
    if not found.sourced:
        return []
    rows = person.source_records.filter(is_primary=True).order_by("source")
    records = _live_first(
        [
            (row.is_live, (row.source, row.values))
            for row in rows.only("source", "is_live", "values")
        ]
    )
    return [(source, shown) for _, source, shown in _said(found.key, records, _Managers())]
