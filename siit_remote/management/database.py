"""Whether the database can be worked with, in a line that says what to do."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

_PREPARE = "run `manage.py migrate` and `manage.py createcachetable` first (`make run` does both)."


def database_trouble() -> str:
    """What keeps commands from working; empty where the database is reached and prepared."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
        tables = set(connection.introspection.table_names())
    except DatabaseError as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        return f"The database cannot be reached: {first.rstrip('.')}. Check DATABASE_URL."
    if behind or settings.CACHES["default"]["LOCATION"] not in tables:
        return f"The database is not prepared: {_PREPARE}"
    return ""


def database_ready_or_refuse() -> None:
    """Raise ``CommandError`` while the database cannot be worked with."""
    trouble = database_trouble()
    if trouble:
        raise CommandError(trouble)
