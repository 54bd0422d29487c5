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

from integrations.connectors.base import PeopleSource  # noqa: E402 - models need the set-up above
from integrations.services import client_for, connection_save, connection_test  # noqa: E402
from integrations.sync import setup_finish  # noqa: E402
from siit_remote.bench import resync  # noqa: E402
from siit_remote.lib import clock  # noqa: E402


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


def main(base_url: str, token: str, rounds: str) -> None:
    """First sync, bare pull, then ``rounds`` more syncs of the same people (0: none)."""
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
    found: dict[str, Any] = {
        "sync": taken,
        "bare": bare_pull(base_url, token),
        "requests": report.requests,
        "peak_kb": peak,
    }
    if int(rounds):
        row.refresh_from_db()
        source = client_for(row)
        if not isinstance(source, PeopleSource):
            raise SystemExit("The connection is not a source of people.")
        feed = source.fetch_people(today=clock.now().date(), progress=lambda words: None)
        found |= resync.measure(row, feed, rounds=int(rounds))
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
