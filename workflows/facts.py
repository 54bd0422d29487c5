"""What conditions and templates know of a person: plain values by field key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from integrations.models import AppAccess
from people.models import Person
from workflows.fields import CUSTOM_PREFIX, FIELDS

_COLUMNS = tuple(
    (key, spec.orm) for key, spec in FIELDS.items() if key.startswith("person.") and spec.orm
)
_APPS = "person.apps"
_CHUNK = 1_000


def person_facts(person: Person) -> dict[str, object]:
    """The facts of one person as the database has them now (two queries)."""
    found = dict(facts_for(Person.objects.filter(pk=person.pk)))
    return found[person.pk]


def facts_for(people: QuerySet[Person]) -> Iterator[tuple[int, dict[str, object]]]:
    """(id, facts) of everybody in the queryset, in its order, without model instances."""
    return ((row[0], facts) for row, facts in facts_beside(people, ("pk",)))


def facts_beside(
    people: QuerySet[Person], columns: tuple[str, ...], *, fields: Collection[str] | None = None
) -> Iterator[tuple[tuple[Any, ...], dict[str, object]]]:
    """Values of ``columns`` (the first is ``pk``) and facts of everybody, in one query.

    ``fields`` are the only facts that are wanted, by their key; what they spare is not read.
    """
    chosen = [pair for pair in _COLUMNS if fields is None or pair[0] in fields]
    custom = fields is None or any(key.startswith(CUSTOM_PREFIX) for key in fields)
    apps = fields is None or _APPS in fields
    keys, width = tuple(key for key, _ in chosen), len(columns)
    asked = (*columns, *(orm for _, orm in chosen), *(["custom"] if custom else []))
    rows = people.values_list(*asked).iterator(chunk_size=_CHUNK)
    while chunk := list(islice(rows, _CHUNK)):
        held = held_apps(row[0] for row in chunk) if apps else {}
        for row in chunk:
            # The custom values stand behind the last key.
            facts: dict[str, object] = dict(zip(keys, row[width:], strict=False))
            if apps:
                facts[_APPS] = held.get(row[0], [])
            if custom:
                facts.update(_custom_facts(row[-1]))
            yield row[:width], facts


def held_apps(person_ids: Iterable[int]) -> dict[int, list[str]]:
    """Keys of the applications each person holds, sorted; people without any are left out."""
    pairs = (
        AppAccess.objects.filter(AppAccess.HELD, person_id__in=list(person_ids))
        .order_by("application__key")
        .values_list("person_id", "application__key")
    )
    held: dict[int, list[str]] = {}
    for person_id, key in pairs:
        held.setdefault(person_id, []).append(key)
    return held


def _custom_facts(custom: object) -> Iterator[tuple[str, object]]:
    if isinstance(custom, Mapping):
        for name, value in custom.items():
            yield f"{CUSTOM_PREFIX}{name}", value


def facts_to_data(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON: dates as ISO text, everything else as it is."""
    return {
        key: value.isoformat() if isinstance(value, date) else value for key, value in facts.items()
    }
