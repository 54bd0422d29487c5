"""A database by the way an installation came to it: ``python -m siit_remote.tests.schemas …``.

Named migrations (as ``people.0005_person_merge``) and what they need are applied first, one by one
as an installation from before the squashed ones did; then ``migrate`` goes on. Prints the schema.
"""

from __future__ import annotations

import json
import re
import sys

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

_POSTGRES = {
    "columns": """
        SELECT table_name, column_name, udt_name, character_maximum_length, is_nullable,
               column_default, is_identity, generation_expression
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0""",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
}


def one_by_one(names: list[str]) -> None:
    """Apply the named migrations as if nothing replaced them."""
    executor = MigrationExecutor(connection)
    executor.loader = MigrationLoader(connection, replace_migrations=False)
    executor.migrate([tuple(name.split(".")) for name in names])
    for app, name in executor.loader.replacements:
        executor.recorder.record_unapplied(app, name)


def parts_of(sql: str) -> list[str]:
    """The columns and constraints of a ``CREATE TABLE``, sorted: added later, they stand last."""
    head, _, body = sql.partition("(")
    parts, depth = [""], 0
    for letter in body.rpartition(")")[0]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [
        head.replace('"', "").strip(),
        *sorted(re.sub(r"\s+", " ", part.strip()) for part in parts),
    ]


def schema() -> dict[str, list[list[object]]]:
    """Everything the database was told to have, in an order of its own."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            found: dict[str, list[list[object]]] = {}
            for kind, query in _POSTGRES.items():
                cursor.execute(query)
                found[kind] = sorted(([*row] for row in cursor.fetchall()), key=repr)
            return found
        cursor.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL")
        rows = [[kind, *(parts_of(sql) if kind == "table" else [sql])] for kind, sql in cursor]
        return {"all": sorted(rows, key=repr)}


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:]:
        one_by_one(sys.argv[1:])
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps(schema()))
