"""The directory as it was at a moment: present values with every later change taken back.

Nothing is stored for it beyond :class:`~people.models.PersonChange`, which is written with each
change. What those rows do not record (data problems, protection, sources of values) has no past.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from people.folding import SEARCHED, email_key
from people.models import Person, PersonAlias, PersonChange
from people.plan import CUSTOM, FIELDS
from people.searching import holds, words_of

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
    changes = PersonChange.objects.all()
    if people is not None:
        changes = changes.filter(person__in=people.order_by().values("pk"))
    for pk, before in changes_after(moment, changes=changes).items():
        if pk in found:
            _take_back(found[pk], before)
    _name_managers(found)
    return {pk: PersonThen(id=pk, values=values) for pk, values in found.items()}


def person_as_of(person: Person, *, moment: datetime) -> PersonThen | None:
    """One person at the aware ``moment``; ``None`` when the directory did not have them yet."""
    return directory_as_of(moment, people=Person.objects.filter(pk=person.pk)).get(person.pk)


def changes_after(
    moment: datetime, *, changes: QuerySet[PersonChange]
) -> dict[int, dict[str, Any]]:
    """Person → field → the JSON value it had at the aware ``moment``, where it changed since.

    ``changes``: which people and fields are looked at. Every look into the past rests on this.
    """
    found: dict[int, dict[str, Any]] = {}
    rows = changes.filter(at__gt=moment).order_by("-at", "-pk")
    # Newest first, so that the oldest change has the last word.
    for pk, field, before in rows.values_list("person_id", "field", "before").iterator(_CHUNK):
        found.setdefault(pk, {})[field] = before
    return found


def sources_as_of(
    person_id: int, *, moment: datetime, present: Mapping[str, str]
) -> dict[str, str]:
    """Field → key of the source its value came from at ``moment``; ``present``: how it is now."""
    found = dict(present)
    rows = PersonChange.objects.filter(person_id=person_id).order_by("-at", "-pk")
    undone: set[str] = set()
    for field, at, source in rows.values_list("field", "at", "source"):
        if at > moment:
            undone.add(field)
            found.pop(field, None)
        elif field in undone:
            undone.discard(field)
            found[field] = source
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One line of the list of then: no more than what orders and narrows it."""

    id: int
    name: str
    status: str


def listed_as_of(moment: datetime, *, text: str = "", hidden: Collection[str] = ()) -> list[Listed]:
    """Everybody whom the directory had at ``moment`` and in whom ``text`` is found, by name.

    Only the columns that are looked at are read, so that a hundred thousand people are a list of
    short lines; :func:`directory_as_of` tells the rest of one page. ``hidden``: fields that
    whoever looks may not see, and by which nobody is found.
    """
    words = words_of(text)
    searched = [name for name in SEARCHED if name not in hidden] if words else []
    names = list(dict.fromkeys(("full_name", "work_email", "status", *searched)))
    before = changes_after(moment, changes=PersonChange.objects.filter(field__in=names))
    rows = Person.objects.filter(created_at__lte=moment).order_by().values_list("pk", *names)
    found = []
    for pk, *plain in rows.iterator(chunk_size=_CHUNK):
        values = dict(zip(names, plain, strict=True)) | before.get(pk, {})
        if words and not holds(words, (str(values[name] or "") for name in searched)):
            continue
        name = str(values["full_name"] or values["work_email"])
        found.append(Listed(id=pk, name=name, status=str(values["status"])))
    return sorted(found, key=lambda line: (line.name.lower(), line.id))


def _present(plain: Iterable[Any]) -> dict[str, Any]:
    values = dict(zip(FIELDS, plain, strict=True))
    for name, value in values.items():
        if isinstance(value, date):
            values[name] = value.isoformat()
    values["team"] = values["team"] or ""
    values["legal_entity"] = values["legal_entity"] or ""
    values["custom"] = dict(values["custom"])
    return values


def _take_back(values: dict[str, Any], before: Mapping[str, Any]) -> None:
    for field, value in before.items():
        if field.startswith(CUSTOM):
            name = field.removeprefix(CUSTOM)
            if value is None:
                values["custom"].pop(name, None)
            else:
                values["custom"][name] = value
        elif field in values:
            values[field] = value


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
