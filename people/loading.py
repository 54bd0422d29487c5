"""Read the directory and its policy into plain values, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db.models import Min

from people.bulk import chunked
from people.defaults import workspace_get
from people.models import (
    CustomField,
    FieldOverride,
    FieldPolicy,
    LegalEntity,
    Person,
    PersonAlias,
    SourceRecord,
    WorkerTypeMapping,
    Workspace,
)
from people.packing import ValuesShelf
from people.plan import (
    DATES,
    TEXTS,
    Directory,
    KnownPerson,
    KnownRecord,
    Policy,
    RecordKey,
    SharedSources,
    shared,
)
from people.sources import sources_connected

if TYPE_CHECKING:
    from django.db.models import QuerySet

_CHUNK = 2_000
_PLAIN = (
    "work_email",
    *(name for name in TEXTS if name not in ("team", "legal_entity")),
    *DATES,
    "remote_id",
    "display_id",
    "employment_type",
    "status",
    "timezone",
    "language",
    "custom",
)
_COLUMNS = (
    "pk",
    "team__name",
    "legal_entity__name",
    "manager_id",
    "value_sources",
    "problems",
    "problem_notes",
    *_PLAIN,
)
_NOTHING: dict[str, Any] = {}
_NO_ALIAS: frozenset[str] = frozenset()
_NOTHING_FED: Mapping[RecordKey, str] = {}
_RECORD = (
    "source",
    "external_id",
    "person_id",
    "digest",
    "is_live",
    "is_primary",
    "skip_reason",
    "missing_since",
)


def directory_lock() -> None:
    """Stand in line for changing the directory; call inside a transaction.

    PostgreSQL locks the settings row; SQLite has only one writer anyway.
    """
    workspace = workspace_get()
    Workspace.objects.select_for_update().get(pk=workspace.pk)


def digests_load(*, fed: Mapping[RecordKey, str] = _NOTHING_FED) -> Directory:
    """Only what tells whether anything changed: stored records without values, no people.

    ``fed``: as for :func:`directory_load`.
    """
    return Directory(records=_records(fed))


def directory_of(person_ids: Collection[int]) -> Directory:
    """Some people whole; of everybody else who they are, and whom their records belong to.

    Enough to resolve these people alone.
    """
    whole = directory_load(only=person_ids)
    people = dict(whole.people)
    aliases = _aliases()
    others = Person.objects.exclude(pk__in=person_ids).order_by("pk")
    rows = others.values_list("pk", "work_email", "status", "manager_id")
    for pk, email, status, manager in rows.iterator(chunk_size=_CHUNK):
        people[pk] = KnownPerson(
            id=pk,
            values={"work_email": email, "status": status, "manager": manager},
            aliases=frozenset(aliases[pk]) if pk in aliases else _NO_ALIAS,
        )
    return replace(whole, people=people)


def _aliases() -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for person_id, email in PersonAlias.objects.values_list("person_id", "email"):
        found.setdefault(person_id, set()).add(email)
    return found


def directory_load(
    *, fed: Mapping[RecordKey, str] = _NOTHING_FED, only: Collection[int] | None = None
) -> Directory:
    """Everybody and every source record.

    ``fed``: keys and digests of the records that are about to be compared. What is stored of those
    is only needed where it decides about the new one: an end that was deduced once stays as it was.
    """
    overrides: dict[int, dict[str, Any]] = {}
    for person_id, name, value in FieldOverride.objects.values_list("person_id", "field", "value"):
        overrides.setdefault(person_id, {})[name] = value
    aliases = _aliases()
    people: dict[int, KnownPerson] = {}
    sources_seen: SharedSources = {}
    shelf = ValuesShelf()
    same: dict[tuple[str, ...], tuple[str, ...]] = {}
    asked = Person.objects.all() if only is None else Person.objects.filter(pk__in=only)
    rows = asked.order_by("pk").values_list(*_COLUMNS).iterator(chunk_size=_CHUNK)
    for pk, team, entity, manager, sources, problems, notes, *plain in rows:
        values = dict(zip(_PLAIN, plain, strict=True))
        values.update(team=team or "", legal_entity=entity or "", manager=manager)
        people[pk] = KnownPerson(
            id=pk,
            values=shelf.packed_person(values),
            value_sources=shared(sources, sources_seen),
            problems=same.setdefault(tuple(problems), tuple(problems)),
            notes=same.setdefault(tuple(notes), tuple(notes)),
            overrides=overrides.get(pk, _NOTHING),
            aliases=frozenset(aliases[pk]) if pk in aliases else _NO_ALIAS,
        )
    records = _records(fed)
    _values_add(records, fed=fed, only=only)
    return Directory(people=people, records=records, entity_names=entity_names())


def _records(fed: Mapping[RecordKey, str]) -> dict[RecordKey, KnownRecord]:
    # Most of what is stored is what is fed: the texts of both are held once.
    keys = {key: key for key in fed}
    sources: dict[str, str] = {}
    found: dict[RecordKey, KnownRecord] = {}
    rows = SourceRecord.objects.values_list(*_RECORD).iterator(chunk_size=_CHUNK)
    for source, external_id, person_id, digest, *rest in rows:
        key = (sources.setdefault(source, source), external_id)
        key = keys.get(key, key)
        same = fed.get(key, "")
        found[key] = KnownRecord(
            source=key[0],
            external_id=key[1],
            person_id=person_id,
            digest=same if same == digest else digest,
            **dict(zip(_RECORD[4:], rest, strict=True)),
        )
    return found


def _values_add(
    records: dict[RecordKey, KnownRecord],
    *,
    fed: Mapping[RecordKey, str],
    only: Collection[int] | None,
) -> None:
    parts: Iterable[QuerySet[SourceRecord]] = [SourceRecord.objects.all()]
    if only is not None:
        parts = [SourceRecord.objects.filter(person_id__in=only)]
    elif fed:
        wanted = [key[1] for key, found in records.items() if key not in fed or not found.is_live]
        parts = (SourceRecord.objects.filter(external_id__in=ids) for ids in chunked(wanted))
    shelf = ValuesShelf()
    for rows in parts:
        columns = rows.values_list("source", "external_id", "values")
        for source, external_id, values in columns.iterator(chunk_size=_CHUNK):
            key = (source, external_id)
            records[key] = replace(records[key], values=shelf.packed(values))


def entity_names() -> dict[str, str]:
    """Names of legal entities by the source's id."""
    rows = LegalEntity.objects.exclude(external_id="").values_list("external_id", "name")
    return dict(rows)


def policy_load(*, sources_by_age: tuple[str, ...] = ()) -> Policy:
    """How values are chosen. ``sources_by_age`` defaults to connections as old as they are."""
    if not sources_by_age:
        sources_by_age = sources_by_first_use()
    return Policy(
        field_sources={
            name: tuple(sources)
            for name, sources in FieldPolicy.objects.values_list("field", "sources")
        },
        sources_by_age=sources_by_age,
        employment_types=dict(
            WorkerTypeMapping.objects.values_list("worker_type", "employment_type__key")
        ),
        entity_timezones={
            name: zone for name, zone in LegalEntity.objects.values_list("name", "timezone") if zone
        },
        workspace_timezone=workspace_get().timezone,
        custom_off=frozenset(
            CustomField.objects.filter(enabled=False).values_list("key", flat=True)
        ),
    )


def sources_by_first_use() -> tuple[str, ...]:
    """Connections in the order in which they were made, then what else ever delivered somebody."""
    connected = (info.key for info in sources_connected())
    return tuple(dict.fromkeys([*connected, *sources_known()]))


def sources_known() -> tuple[str, ...]:
    """Keys of the sources that ever delivered somebody, oldest first."""
    rows = SourceRecord.objects.order_by().values("source").annotate(first=Min("first_seen_at"))
    return tuple(row["source"] for row in rows.order_by("first", "source"))
