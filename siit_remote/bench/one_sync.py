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

from integrations.connectors.base import Feed, PeopleSource  # noqa: E402 - models need the set-up
from integrations.models import Connection  # noqa: E402
from integrations.services import client_for, connection_save, connection_test  # noqa: E402
from integrations.sync import SyncReport, run_sync, setup_finish  # noqa: E402
from people.models import SourceRecord  # noqa: E402
from siit_remote.bench import resync, store  # noqa: E402
from siit_remote.lib import clock  # noqa: E402

ENDINGS = (
    "/v2/offboardings",
    "/v1/direct-offboardings",
    "/v1/contractors/cor-termination-requests",
)


class Peer:
    """The bare limit: one session, every page read, nothing kept."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}"}

    def pull(self) -> float:
        """Seconds to read every page of people."""
        start = time.perf_counter()
        with requests.Session() as session:
            session.headers.update(self._headers)
            cursor: str | None = ""
            while cursor is not None:
                params = {"limit": "100", **({"cursor": cursor} if cursor else {})}
                url = f"{self._base_url}/v1/employments/bulk"
                cursor = session.get(url, params=params, timeout=60).json()["next_cursor"]
        return time.perf_counter() - start

    def ending_pages(self) -> int:
        """Pages of the lists that say when somebody leaves; an empty list is a page too."""
        pages = 0
        for path in ENDINGS:
            answer = requests.get(
                f"{self._base_url}{path}",
                params={"page": "1", "page_size": "100", "include_confidential": "true"},
                headers=self._headers,
                timeout=60,
            )
            pages += max(1, int(answer.json()["data"]["total_pages"]))
        return pages

    def rename_job(self, employment_id: str, title: str) -> None:
        """Change one worker at the simulator."""
        url = f"{self._base_url}/_control/update"
        body = {"employment_id": employment_id, "job_title": title}
        requests.post(url, json=body, timeout=60).raise_for_status()


def _connect(base_url: str, token: str) -> Connection:
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
    return row


def _applied(report: SyncReport) -> SyncReport:
    if report.status != "applied":
        raise SystemExit(f"The sync was {report.status}: {report.error}{report.held_reason}")
    return report


def _feed(row: Connection) -> Feed:
    source = client_for(row)
    if not isinstance(source, PeopleSource):
        raise SystemExit("The connection is not a source of people.")
    return source.fetch_people(today=clock.now().date(), progress=lambda words: None)


def main(base_url: str, token: str, rounds: str) -> None:
    """First sync between two bare pulls, one with 1 % changed, then ``rounds`` without network."""
    row, peer = _connect(base_url, token), Peer(base_url, token)
    before = peer.pull()
    start = time.perf_counter()
    report = _applied(setup_finish(row, actor=None, now=clock.now()))
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    between = peer.pull()
    speaking = SourceRecord.objects.filter(is_primary=True).values_list("external_id", flat=True)
    changing = list(speaking)[::100]
    for employment_id in changing:
        peer.rename_job(employment_id, f"Changed at {time.time_ns()}")
    row.refresh_from_db()
    start = time.perf_counter()
    changed = _applied(run_sync(row, trigger="cli"))
    changed_taken = time.perf_counter() - start
    if changed.updated != len(changing):
        raise SystemExit(f"{changed.updated} people changed instead of {len(changing)}.")
    found: dict[str, Any] = {
        "sync": taken,
        "bare": (before + between) / 2,
        "changed": changed_taken,
        "changed_bare": (between + peer.pull()) / 2,
        "requests": report.requests,
        "ending_pages": peer.ending_pages(),
        "peak_kb": peak,
    }
    if int(rounds):
        row.refresh_from_db()
        feed = _feed(row)
        found |= resync.measure(row, feed, rounds=int(rounds))
        found |= store.measure(row, feed, rounds=int(rounds))
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
