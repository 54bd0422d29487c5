"""Measured by :mod:`siit_remote.bench.sync` in a process of its own: prints one JSON line."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

import django
import requests
from django.core.management import call_command

django.setup()

from django.db import connection as database  # noqa: E402 - models need the set-up above

from integrations.services import connection_save, connection_test  # noqa: E402
from integrations.sync import run_sync, setup_finish  # noqa: E402
from siit_remote.lib import clock  # noqa: E402

_WRITES = ("INSERT", "UPDATE", "DELETE")
_BOOKKEEPING = ("integrations_", "audit_", "django_q", "siit_cache")
"""Tables that record the sync itself; every other write would be a change of the directory."""


def bare_pull(base_url: str, token: str) -> float:
    """Seconds to read every page with one session and keep nothing."""
    start = time.perf_counter()
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            answer = session.get(f"{base_url}/v1/employments/bulk", params=params, timeout=60)
            cursor = answer.json()["next_cursor"]
    return time.perf_counter() - start


def main(base_url: str, token: str) -> None:
    """First sync, bare pull, second sync."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    row = connection_save(
        key="remote",
        connector="remote",
        config={"base_url": base_url},
        secrets={"api_token": token},
    )
    connection_test(row)
    row.refresh_from_db()
    start = time.perf_counter()
    report = setup_finish(row, actor=None, now=clock.now())
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if report.status != "applied":
        raise SystemExit(f"The sync was {report.status}: {report.error}{report.held_reason}")
    bare = bare_pull(base_url, token)
    writes: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(_WRITES) and not any(t in sql for t in _BOOKKEEPING):
            writes.append(sql.split("(")[0][:80])
        return execute(sql, params, many, context)

    row.refresh_from_db()
    start = time.perf_counter()
    with database.execute_wrapper(watch):
        run_sync(row, trigger="cli")
    again = time.perf_counter() - start
    found = {
        "sync": taken,
        "bare": bare,
        "again": again,
        "requests": report.requests,
        "writes": len(writes),
        "peak_kb": peak,
    }
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
