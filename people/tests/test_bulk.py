"""Rows by the thousand: the same rows as the ORM would write, in bounded pieces."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection

from people import bulk
from people.bulk import chunked, rows_insert, rows_upsert
from people.models import LifecycleEvent, Person, SourceRecord
from people.tests.build import NOW

pytestmark = pytest.mark.django_db


def _person(number: int, **values: Any) -> dict[str, Any]:
    return {
        "work_email": f"p{number}@acme.test",
        "created_at": NOW,
        "updated_at": NOW,
        **values,
    }


def test_inserted_rows_are_those_that_the_orm_would_write() -> None:
    values: dict[str, Any] = {
        "full_name": "Zoë “Z” O'Hara % %s",
        "start_date": date(2026, 2, 28),
        "problems": ["no_manager"],
        "custom": {"Größe": [1, None, {"a": "b"}]},
        "protected": True,
    }
    assert rows_insert(Person, [_person(1, **values)]) == 1
    Person.objects.create(**_person(2, **values))
    ours, theirs = Person.objects.order_by("work_email").values()
    for row in (ours, theirs):
        del row["id"], row["work_email"]
    assert ours == theirs


def test_missing_json_is_null_in_the_database_as_with_the_orm() -> None:
    rows_insert(Person, [_person(1)])
    pk = Person.objects.get().pk
    rows_insert(LifecycleEvent, [{"kind": "person.added", "person_id": pk, "at": NOW, "key": "k"}])
    assert LifecycleEvent.objects.filter(before__isnull=True, after__isnull=True).count() == 1


def test_upsert_writes_only_the_columns_it_is_told() -> None:
    row = {
        "source": "remote",
        "external_id": "e-1",
        "values": {"a": 1},
        "digest": "one",
        "first_seen_at": NOW,
        "changed_at": NOW,
    }
    rows_upsert(SourceRecord, [row], unique=("source", "external_id"), update=("digest",))
    later = NOW + timedelta(days=1)
    changed = {**row, "digest": "two", "values": {"a": 2}, "first_seen_at": later}
    rows_upsert(SourceRecord, [changed], unique=("source", "external_id"), update=("digest",))
    found = SourceRecord.objects.get()
    assert (found.digest, found.values, found.first_seen_at) == ("two", {"a": 1}, NOW)


def test_refused_rows_are_left_out_only_when_that_is_wished() -> None:
    rows_insert(Person, [_person(1)])
    rows_insert(Person, [_person(1), _person(2)], ignore=True)
    assert Person.objects.count() == 2
    with pytest.raises(IntegrityError):
        rows_insert(Person, [_person(2)])


@pytest.mark.parametrize("parameters", [0, 20_000])
def test_rows_are_taken_piece_by_piece(monkeypatch: pytest.MonkeyPatch, parameters: int) -> None:
    """As many at once as one statement may carry parameters, and never more than a thousand."""
    columns = sum(not (field.primary_key or field.generated) for field in Person._meta.fields)
    if parameters:
        monkeypatch.setattr(bulk, "_PARAMETERS", parameters)
    part = min(1_000, (parameters or 32_766) // columns)
    made: list[int] = []
    counts: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(2 * part + 1):
            made.append(number)
            yield _person(number)

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        counts.append(len(made))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert rows_insert(Person, rows()) == 2 * part + 1
    assert counts == [part, 2 * part, 2 * part + 1]
    assert Person.objects.count() == 2 * part + 1


def test_chunks_hold_at_most_so_many() -> None:
    assert list(chunked(range(3), 2)) == [[0, 1], [2]]
