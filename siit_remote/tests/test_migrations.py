"""New installations make their tables in one step an app; older ones came there one by one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from siit_remote.bench.postgres import postgres_server

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
Databases = Callable[[str], str]

ALL_REPLACED = (
    "people.0010_calls_kept_days",
    "integrations.0012_bounces_to_follow",
    "workflows.0012_recovery_hold",
)
"""The last migration of each app that a squashed one stands for."""
HALF_WAY = ("workflows.0006_tasks_for_people",)
"""And with it what it needs of the other apps."""


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """The address of a new database of that name."""
    if request.param == "sqlite":
        yield lambda name: f"sqlite:///{tmp_path / name}.sqlite3"
        return
    with (
        postgres_server() as server,
        psycopg.connect(
            host=server.socket_folder, user="postgres", dbname="postgres", autocommit=True
        ) as admin,
    ):

        def create(name: str) -> str:
            admin.execute(f'CREATE DATABASE "{name}"')
            return server.address(name)

        yield create


def _schema(database: str, *first: str) -> dict[str, list[list[object]]]:
    done = subprocess.run(
        [sys.executable, "-m", "siit_remote.tests.schemas", *first],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "siit_remote.settings",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    schema: dict[str, list[list[object]]] = json.loads(done.stdout)
    return schema


def test_every_way_of_migrating_ends_at_the_same_schema(databases: Databases) -> None:
    anew = _schema(databases("anew"))
    text = json.dumps(anew)
    assert all(name in text for name in ("people_search", "one_open_access", "has_problems"))
    assert _schema(databases("older"), *ALL_REPLACED) == anew
    assert _schema(databases("half"), *HALF_WAY) == anew
