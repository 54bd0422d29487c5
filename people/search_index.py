"""The index behind the search: trigrams, kept in step by the database itself.

SQLite: an FTS5 table over ``people_person`` and three triggers. PostgreSQL: a ``pg_trgm`` index.
Both only narrow the search down; what is found is what a plain look-up would find
(:mod:`people.searching`). Without the module or the extension the search reads the whole table.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

TABLE = "people_person"
INDEX = "people_search"
TRIGRAM = 3
"""Shorter words have no trigram: no index of this kind can help them."""

_FORGET = (
    f"INSERT INTO {INDEX}({INDEX}, rowid, search_text) VALUES('delete', old.id, old.search_text);"
)
_LEARN = f"INSERT INTO {INDEX}(rowid, search_text) VALUES (new.id, new.search_text);"  # noqa: S608 - constants
_SQLITE = {
    INDEX: f"CREATE VIRTUAL TABLE {INDEX} USING fts5(search_text, content='{TABLE}', "
    "content_rowid='id', tokenize='trigram case_sensitive 1')",
    f"{INDEX}_insert": f"CREATE TRIGGER {INDEX}_insert AFTER INSERT ON {TABLE} BEGIN {_LEARN} END",
    f"{INDEX}_delete": f"CREATE TRIGGER {INDEX}_delete AFTER DELETE ON {TABLE} BEGIN {_FORGET} END",
    f"{INDEX}_update": f"CREATE TRIGGER {INDEX}_update AFTER UPDATE OF id, search_text ON {TABLE} "
    "WHEN old.id <> new.id OR old.search_text <> new.search_text "
    f"BEGIN {_FORGET} {_LEARN} END",
}
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
_POSTGRES = f"CREATE INDEX {INDEX} ON {TABLE} USING gin (search_text gin_trgm_ops)"


def index_ensure(connection: BaseDatabaseWrapper) -> None:
    """Make what is missing of the index. Cheap when nothing is; safe to repeat.

    A later migration that rebuilds the table on SQLite takes the triggers with it: therefore this
    runs after every ``migrate``, not only once.
    """
    if TABLE not in connection.introspection.table_names():
        return
    if connection.vendor == "sqlite":
        _sqlite_ensure(connection)
    elif connection.vendor == "postgresql":
        _postgres_ensure(connection)


def sqlite_index_stands(connection: BaseDatabaseWrapper) -> bool:
    """Whether the table and all its triggers are there, so that the index can be trusted."""
    return _sqlite_parts(connection) == _SQLITE.keys()


def _sqlite_parts(connection: BaseDatabaseWrapper) -> set[str]:
    names = list(_SQLITE)
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM sqlite_master WHERE name IN ({marks})", names)  # noqa: S608 - marks only
        return {name for (name,) in cursor.fetchall()}


def _sqlite_ensure(connection: BaseDatabaseWrapper) -> None:
    present = _sqlite_parts(connection)
    missing = [name for name in _SQLITE if name not in present]
    if not missing:
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for name in missing:
                cursor.execute(_SQLITE[name])
            cursor.execute(f"INSERT INTO {INDEX}({INDEX}) VALUES('rebuild')")
    except Error as error:
        logger.warning("This SQLite has no FTS5 trigrams; search reads everybody: %s", error)


def _postgres_ensure(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [INDEX])
        if cursor.fetchone()[0]:
            return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(EXTENSION)
            cursor.execute(_POSTGRES)
    except Error as error:
        logger.warning(
            "Search reads everybody: pg_trgm is not there. Let an administrator of the database "
            "run CREATE EXTENSION pg_trgm, then run migrate again. (%s)",
            error,
        )


def index_drop(connection: BaseDatabaseWrapper) -> None:
    """Take the index away; the search goes on without it."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in list(_SQLITE)[1:]:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"DROP TABLE IF EXISTS {INDEX}")
        elif connection.vendor == "postgresql":
            cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")


def after_migrate(*, using: str, **_: Any) -> None:
    """Receiver of Django's ``post_migrate``."""
    index_ensure(transaction.get_connection(using))
