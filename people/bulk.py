"""Rows by the thousand, written without building a model instance for each.

A first import writes three rows for every worker. ``bulk_create`` spends most of its time on
preparing each value of each instance; here a column is prepared only if its type needs it. Values
are trusted to fit their columns, as with ``bulk_create``.

One statement carries as many rows as the database takes: SQLite's search index is brought to disk
after every statement, which costs more than all the rest of a row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

CHUNK = 500
_ROWS = 1_000
_PARAMETERS = 32_766
"""SQLite's usual limit since 3.32; PostgreSQL's is twice that."""
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
    marks = f"({', '.join(['%s'] * len(columns))})"
    # Names come from the models; every value is a parameter.
    beginning = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES "  # noqa: S608
    written = 0
    with connection.cursor() as cursor:
        for part in chunked(rows, min(_ROWS, _parameters_at_once() // len(columns))):
            parameters = [
                prepare(row.get(column, default)) if prepare else row.get(column, default)
                for row in part
                for column, default, prepare in columns
            ]
            cursor.execute(f"{beginning}{', '.join([marks] * len(part))}{ending}", parameters)
            written += len(part)
    return written


def _parameters_at_once() -> int:
    """Of one statement. Django's own figure for SQLite is that of versions before 3.32."""
    if connection.vendor != "sqlite":
        return _PARAMETERS
    connection.ensure_connection()
    allowed: int = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return min(_PARAMETERS, allowed)


def _preparation(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    if isinstance(field, _AS_IT_IS):
        return None
    database = connections[DEFAULT_DB_ALIAS]
    if isinstance(field, models.JSONField):
        return _json_text
    if not isinstance(field, models.DateField):
        return partial(field.get_db_prep_save, connection=database)
    if not isinstance(field, models.DateTimeField):
        return partial(_day, adapt=database.ops.adapt_datefield_value)
    # Thousands of rows share one moment.
    known: dict[Any, Any] = {None: None}

    def prepare(value: Any) -> Any:
        if value not in known:
            known[value] = field.get_db_prep_save(value, database)
        return known[value]

    return prepare


def _day(value: date | None, *, adapt: Callable[[date], Any]) -> Any:
    return None if value is None else adapt(value)


def _json_text(value: Any) -> str | None:
    """As Django writes it, without asking the database for an adapter each time."""
    if value is None:
        return None
    if not value and isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return str(value) if isinstance(value, JsonText) else _encode(value)


_encode = json.JSONEncoder().encode
