"""The directory as it was at a moment: present values with every later change taken back.

Nothing is stored for it beyond :class:`~people.models.PersonChange`, which is written with each
change. What those rows do not record (data problems, protection, sources of values) has no past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from people.folding import email_key
from people.models import Person, PersonAlias, PersonChange
from people.plan import FIELDS
from people.resolving import CUSTOM

if TYPE_CHECKING:
    from django.db.models import QuerySet

_COLUMNS = tuple(
    {"team": "team__name", "legal_entity": "legal_entity__name", "manager": "manager_id"}.get(
        name, name
    )
    for name in FIELDS
)
_CHUNK = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonThen:
    """One person as the directory had them.

    ``values`` are JSON values by field: dates as ISO text, team and legal entity by name, the
    manager as primary key (or as the address that was written down, where nobody has it any more).
    """

    id: int
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Full name, else the address."""
        return str(self.values["full_name"] or self.values["work_email"])


def directory_as_of(
    moment: datetime, *, people: QuerySet[Person] | None = None
) -> dict[int, PersonThen]:
    """Everybody (or ``people``) whom the directory had at the aware ``moment``, by primary key.

    A person who came later is not among them. A few queries, whatever the number of people.
    """
    wanted = Person.objects.all() if people is None else people
    wanted = wanted.filter(created_at__lte=moment).order_by("pk")
    found = {
        pk: _present(plain)
        for pk, *plain in wanted.values_list("pk", *_COLUMNS).iterator(chunk_size=_CHUNK)
    }
    changes = PersonChange.objects.filter(at__gt=moment).order_by("-pk")
    if people is not None:
        changes = changes.filter(person__in=people.order_by().values("pk"))
    _take_back(found, changes.values_list("person_id", "field", "before").iterator(_CHUNK))
    _name_managers(found)
    return {pk: PersonThen(id=pk, values=values) for pk, values in found.items()}


def person_as_of(person: Person, *, moment: datetime) -> PersonThen | None:
    """One person at the aware ``moment``; ``None`` when the directory did not have them yet."""
    return directory_as_of(moment, people=Person.objects.filter(pk=person.pk)).get(person.pk)


def _present(plain: Iterable[Any]) -> dict[str, Any]:
    values = dict(zip(FIELDS, plain, strict=True))
    for name, value in values.items():
        if isinstance(value, date):
            values[name] = value.isoformat()
    values["team"] = values["team"] or ""
    values["legal_entity"] = values["legal_entity"] or ""
    values["custom"] = dict(values["custom"])
    return values


def _take_back(
    found: Mapping[int, dict[str, Any]], changes: Iterable[tuple[int, str, Any]]
) -> None:
    """Newest first, so that the oldest has the last word."""
    for pk, field, before in changes:
        values = found.get(pk)
        if values is None:
            continue
        if field.startswith(CUSTOM):
            name = field.removeprefix(CUSTOM)
            if before is None:
                values["custom"].pop(name, None)
            else:
                values["custom"][name] = before
        elif field in values:
            values[field] = before


def _name_managers(found: Mapping[int, dict[str, Any]]) -> None:
    """Changes name managers by address; whose it was then counts before whose it is now."""
    named = {
        email_key(values["manager"])
        for values in found.values()
        if isinstance(values["manager"], str)
    }
    if not named:
        return
    owners: dict[str, int] = dict(
        PersonAlias.objects.filter(email__in=named).values_list("email", "person_id")
    )
    owners.update(Person.objects.filter(work_email__in=named).values_list("work_email", "pk"))
    owners.update({email_key(values["work_email"]): pk for pk, values in found.items()})
    for values in found.values():
        if isinstance(values["manager"], str):
            values["manager"] = owners.get(email_key(values["manager"]), values["manager"])
