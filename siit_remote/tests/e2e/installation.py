"""A whole installation in a folder, driven by the commands as an operator would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from siit_remote.tests.e2e.peers import free_port

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Installation:
    """Runs ``manage.py`` in processes of their own against one SQLite file."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        database = f"sqlite:///{self.folder / 'siit.sqlite3'}"
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "SIIT_CRASH_AT"},
            "DATABASE_URL": database,
            "DEBUG": "true",
            "ALLOW_TIME_TRAVEL": "true",
            "EMAIL_URL": f"filemail://{self.folder / 'mail'}",
            "DJANGO_SETTINGS_MODULE": "siit_remote.settings",
            "LOG_LEVEL": "ERROR",
            **self.environment,
        }
        self.plain("migrate", "--verbosity", "0")
        self.plain("createcachetable")

    def plain(
        self, *arguments: str, check: bool = True, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; raises ``AssertionError`` with its output when it must succeed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **extra},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"{' '.join(arguments)} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def json(self, *arguments: str, check: bool = True, **extra: str) -> Any:
        """Run a command with ``--json`` and read what it printed."""
        done = self.plain(*arguments, "--json", check=check, **extra)
        return json.loads(done.stdout)

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Begin a command without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **extra},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def web(self) -> Iterator[str]:
        """The installation's pages on loopback; their address."""
        place = f"127.0.0.1:{free_port()}"
        server = self.start("runserver", place, "--noreload")
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    requests.get(f"http://{place}/healthz", timeout=5).raise_for_status()
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            else:
                raise AssertionError("The web server did not come up.")
            yield f"http://{place}"
        finally:
            server.terminate()
            server.wait(timeout=30)

    def secret(self, name: str, value: str) -> str:
        """Write a secret file and return its path."""
        path = self.folder / name
        path.write_text(f"{value}\n")
        path.chmod(0o600)
        return str(path)

    def document(self, name: str, text: str) -> str:
        """Write a document file and return its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)
