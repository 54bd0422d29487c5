"""Run pytest on a PostgreSQL of its own: ``python -m siit_remote.tests.with_postgres …``."""

from __future__ import annotations

import os
import subprocess
import sys

from siit_remote.bench.postgres import postgres_server


def main(arguments: list[str]) -> int:
    """Start the server, run, stop; pytest's exit code."""
    with postgres_server() as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            env={**os.environ, "DATABASE_URL": server.address()},
            check=False,
        )
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
