"""What conditions and templates know of a person: plain values by field key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import QuerySet

from integrations.models import AppAccess
from people.models import Person
from workflows.fields import CUSTOM_PREFIX, FIELDS

_COLUMNS = tuple(
    (key, spec.orm) for key, spec in FIELDS.items() if key.startswith("person.") and spec.orm
)
_ORM = tuple(orm for _, orm in _COLUMNS)
_KEYS = tuple(key for key, _ in _COLUMNS)
_CHUNK = 1_000


def person_facts(person: Person) -> dict[str, object]:
    """The facts of one person as the database has them now (two queries)."""
    found = dict(facts_for(Person.objects.filter(pk=person.pk)))
    return found[person.pk]


def facts_for(people: QuerySet[Person]) -> Iterator[tuple[int, dict[str, object]]]:
    """(id, facts) of everybody in the queryset, in its order, without model instances."""
    rows = people.values_list("pk", "custom", *_ORM).iterator(chunk_size=_CHUNK)
    chunk: list[tuple[Any, ...]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield from _with_apps(chunk)
            chunk = []
    yield from _with_apps(chunk)


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


def _with_apps(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, dict[str, object]]]:
    held = held_apps(row[0] for row in rows) if rows else {}
    for pk, custom, *values in rows:
        facts: dict[str, object] = dict(zip(_KEYS, values, strict=True))
        facts["person.apps"] = held.get(pk, [])
        facts.update(_custom_facts(custom))
        yield pk, facts


def _custom_facts(custom: object) -> Iterator[tuple[str, object]]:
    if isinstance(custom, Mapping):
        for name, value in custom.items():
            yield f"{CUSTOM_PREFIX}{name}", value


def facts_to_data(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON: dates as ISO text, everything else as it is."""
    return {
        key: value.isoformat() if isinstance(value, date) else value for key, value in facts.items()
    }
