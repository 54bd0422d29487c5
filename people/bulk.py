"""Rows by the thousand, written without building a model instance for each.

A first import writes three rows for every worker. ``bulk_create`` spends most of its time on
preparing each value of each instance; here a column is prepared only if its type needs it, and one
statement serves a whole chunk. Values are trusted to fit their columns, as with ``bulk_create``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

CHUNK = 500
_AS_IT_IS = (models.CharField, models.TextField, models.BooleanField, models.ForeignKey)
Row = Mapping[str, Any]


class JsonText(str):
    """The value of a JSON column that is written out already."""

    __slots__ = ()


T = TypeVar("T")


def chunked(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """``items`` in lists of at most ``size``; only one of them is held at a time."""
    remaining = iter(items)
    while part := list(islice(remaining, size)):
        yield part


def rows_insert(model: type[models.Model], rows: Iterable[Row], *, ignore: bool = False) -> int:
    """Insert ``rows`` (column → value; what is not given is the field's default).

    ``ignore`` leaves out rows that a unique constraint refuses. Returns how many were handed over.
    """
    return _write(model, rows, ending=" ON CONFLICT DO NOTHING" if ignore else "")


def rows_upsert(
    model: type[models.Model], rows: Iterable[Row], *, unique: Sequence[str], update: Sequence[str]
) -> int:
    """Insert ``rows``, or write the columns ``update`` where the columns ``unique`` meet a row."""
    quote = connection.ops.quote_name
    target = ", ".join(quote(name) for name in unique)
    values = ", ".join(f"{quote(name)} = EXCLUDED.{quote(name)}" for name in update)
    return _write(model, rows, ending=f" ON CONFLICT ({target}) DO UPDATE SET {values}")


def _write(model: type[models.Model], rows: Iterable[Row], *, ending: str) -> int:
    fields = [
        field for field in model._meta.concrete_fields if not (field.primary_key or field.generated)
    ]
    columns = [(field.column, field.get_default(), _preparation(field)) for field in fields]
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column, _, _ in columns)
    marks = ", ".join(["%s"] * len(columns))
    # Names come from the models; every value is a parameter.
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks}){ending}"  # noqa: S608
    written = 0
    with connection.cursor() as cursor:
        for part in chunked(rows):
            parameters = [
                [
                    prepare(row.get(column, default)) if prepare else row.get(column, default)
                    for column, default, prepare in columns
                ]
                for row in part
            ]
            cursor.executemany(statement, parameters)
            written += len(part)
    return written


def _preparation(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    if isinstance(field, _AS_IT_IS):
        return None
    database = connections[DEFAULT_DB_ALIAS]
    if isinstance(field, models.JSONField):
        return _json_text
    if not isinstance(field, models.DateField):
        return partial(field.get_db_prep_save, connection=database)
    # Thousands of rows share few days and one moment.
    known: dict[Any, Any] = {None: None}

    def prepare(value: Any) -> Any:
        if value not in known:
            known[value] = field.get_db_prep_save(value, database)
        return known[value]

    return prepare


def _json_text(value: Any) -> str | None:
    """As Django writes it, without asking the database for an adapter each time."""
    if value is None:
        return None
    return str(value) if isinstance(value, JsonText) else _encode(value)


_encode = json.JSONEncoder().encode
