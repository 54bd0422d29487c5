"""What the Mapping page of a connection shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count

from integrations.models import Connection
from integrations.setup_page import MappedField, TypeRow, field_notes, mapped_fields, type_rows
from integrations.setup_summary import SHOWN
from people.choices import WorkerType
from people.models import Person, SourceRecord

_SAMPLE = 200
_EXAMPLES = 3
_RELATED = {"team": "team__name", "legal_entity": "legal_entity__name"}


def counted_types(connection: Connection) -> list[dict[str, Any]]:
    """How many live records have each worker type, and what the source calls it."""
    rows = (
        SourceRecord.objects.filter(source=connection.key, is_live=True, person__isnull=False)
        .order_by()
        .values_list("values__worker_type", "values__worker_type_raw")
        .annotate(Count("pk"))
    )
    raw: dict[str, Counter[str]] = {}
    for kind, words, count in rows:
        raw.setdefault(kind or WorkerType.OTHER.value, Counter())[words or "–"] += count
    order = [WorkerType.OTHER, *(kind for kind in WorkerType if kind != WorkerType.OTHER)]
    return [
        {
            "worker_type": kind.value,
            "count": sum(raw.get(kind.value, Counter()).values()),
            "raw": sorted(raw.get(kind.value, Counter()).items()),
        }
        for kind in order
    ]


def connection_types(connection: Connection, *, mapping: Mapping[str, str]) -> list[TypeRow]:
    """Worker types with their numbers, mapped as in ``mapping``."""
    return type_rows(counted_types(connection), mapping=mapping)


def connection_fields(connection: Connection, *, hidden: Collection[str]) -> list[MappedField]:
    """Each field with its coverage among the people of this source, and a few examples."""
    notes = field_notes(connection)
    known = SourceRecord.objects.filter(source=connection.key, person__isnull=False)
    people = Person.objects.filter(pk__in=known.values("person_id"))
    names = [name for name in SHOWN if not notes or name in notes]
    columns = [_column(name) for name in names]
    filled = Counter[str]()
    elsewhere = Counter[str]()
    examples: dict[str, list[str]] = {name: [] for name in names}
    total = 0
    for sources, *values in people.values_list("value_sources", *columns).iterator(chunk_size=2000):
        total += 1
        for name, value in zip(names, values, strict=True):
            if value in (None, ""):
                continue
            filled[name] += 1
            source = sources.get(name, connection.key)
            elsewhere[name] += source not in (connection.key, "country", "inferred", "dates")
            found = examples[name]
            if len(found) < _EXAMPLES and total <= _SAMPLE and str(value) not in found:
                found.append(str(value))
    rows = [
        {
            "field": name,
            "filled": filled[name],
            "elsewhere": elsewhere[name],
            "examples": examples[name],
        }
        for name in names
    ]
    return mapped_fields(rows, total=total, notes=notes, hidden=hidden)


def _column(name: str) -> str:
    return "manager__work_email" if name == "manager" else _RELATED.get(name, name)
