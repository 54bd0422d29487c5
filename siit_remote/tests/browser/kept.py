"""Databases as they were made once, put back before each test that asks for them.

To empty some hundred tables and to make a company again takes longer than most tests.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

Made = TypeVar("Made")
EMPTY = "empty"


class Kept:
    """Copies of the whole database by name, with what making it returned."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[sqlite3.Connection, object]] = {}

    def put(self, name: str, make: Callable[[], Made]) -> Made:
        """The database as ``make`` left it, and a copy of what it returned.

        On another database than SQLite it is made anew each time.
        """
        if connection.vendor != "sqlite":
            return make()
        if name not in self._found:
            made = make()
            copy = sqlite3.connect(":memory:", check_same_thread=False)
            _database().backup(copy)
            self._found[name] = (copy, made)
            return deepcopy(made)
        copy, kept = self._found[name]
        copy.backup(_database())
        cache.clear()
        return deepcopy(kept)  # type: ignore[return-value]

    def empty(self) -> None:
        """As the migrations left it."""
        if connection.vendor == "sqlite":
            self.put(EMPTY, lambda: None)
        else:
            call_command("flush", verbosity=0, interactive=False)


def _database() -> sqlite3.Connection:
    connection.ensure_connection()
    found: sqlite3.Connection = connection.connection
    # Nothing here has to survive the machine going down.
    found.execute("PRAGMA synchronous = OFF")
    return found
