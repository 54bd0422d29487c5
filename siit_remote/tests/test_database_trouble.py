"""A database that is not prepared, or not there, is said in one line by every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from siit_remote.management.database import database_trouble

COMMANDS = ("worker", "run_due", "list_runs", "demo --reset")


def _said(command: str, database: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "DATABASE_URL": database},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.django_db
def test_prepared_database_is_no_trouble() -> None:
    assert database_trouble() == ""


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_command_on_an_empty_database_says_what_to_do(command: str, tmp_path: Path) -> None:
    code, said = _said(command, f"sqlite:///{tmp_path}/empty.sqlite3")
    assert code == 1, said
    assert "Traceback" not in said
    assert "manage.py migrate" in said


@pytest.mark.slow
def test_database_that_is_not_there_is_said_in_a_line(tmp_path: Path) -> None:
    code, said = _said("list_runs", f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3")
    assert (code, "Traceback" in said) == (1, False)
    assert "The database cannot be reached: unable to open database file" in said
