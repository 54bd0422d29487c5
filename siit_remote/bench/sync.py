"""A full sync against a bare pull of the same pages, over real HTTP from the simulator.

Each size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from siit_remote.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[2]
LATENCY_MS = 60
TOKEN = "ra_test_simulator"  # noqa: S105 - opens nothing but the simulator


@contextmanager
def remote(size: int) -> Iterator[str]:
    """The simulator as a process of its own; yields its address."""
    command = [sys.executable, "-m", "integrations.simulator", "--size", str(size), "--plain",
               "--latency", str(LATENCY_MS), "--token", TOKEN]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            if process.stdout is None:
                raise RuntimeError("the simulator has no output")
            yield str(json.loads(process.stdout.readline())["base_url"])
        finally:
            process.terminate()


def one_size(size: int, *, rounds: int) -> dict[str, Any]:
    """Medians over ``rounds`` first syncs of one company, each in a fresh process and database.

    The last of them also measures what the database part costs.
    """
    with remote(size) as base_url:
        runs = [
            run_alone("one_sync", base_url, TOKEN, str(rounds if last else 0))
            for last in (number == rounds - 1 for number in range(rounds))
        ]
    found = runs[-1]
    ratios = [run["sync"] / run["bare"] for run in runs]
    found["ratio"], found["spread"] = statistics.median(ratios), max(ratios) - min(ratios)
    found["changed_ratio"] = statistics.median(run["changed"] / run["changed_bare"] for run in runs)
    for name in ("sync", "bare", "changed", "peak_kb"):
        found[name] = statistics.median(run[name] for run in runs)
    found["requests"] = max(run["requests"] for run in runs)
    return found


def run_alone(module: str, *arguments: str, database: str = "") -> dict[str, Any]:
    """Run a module of this package in its own process, on an empty SQLite file of its own.

    ``database`` is the address of another, empty one.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": database or f"sqlite:///{folder}/bench.sqlite3",
            "CACHE_URL": "",
            "DJANGO_SETTINGS_MODULE": "siit_remote.settings",
            "LOG_LEVEL": "ERROR",
            # As in production: in development Django keeps every statement in memory.
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "localhost",
            "OUTBOUND_ALLOW_PRIVATE": "127.0.0.0/8",
        }
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", f"siit_remote.bench.{module}", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(*, quick: bool) -> list[Figure]:
    """Small and large company; ratios within each process."""
    sizes = (500, 1_000) if quick else (5_000, 20_000)
    runs = {size: one_size(size, rounds=3) for size in sizes}
    figures = [figure for size, run in runs.items() for figure in _figures(size, run)]
    small, large = (runs[size]["peak_kb"] for size in sizes)
    figures.append(
        Figure(
            name=f"peak memory with {sizes[1]} workers, against {sizes[0]}",
            value=large / small,
            goal=1.2,
            unit="×",
            note=f"{large / 1024:.0f} MB, {small / 1024:.0f} MB, all of the process",
        )
    )
    return figures


def _figures(size: int, run: dict[str, Any]) -> list[Figure]:
    pages = math.ceil(size / 100)
    constant = run["requests"] - pages - run["ending_pages"]
    return [
        Figure(
            name=f"full sync of {size} workers, against a bare pull",
            value=run["ratio"],
            goal=1.35,
            unit="×",
            note=f"{run['sync']:.1f} s, bare {run['bare']:.1f} s, spread {run['spread']:.2f}",
        ),
        Figure(
            name=f"sync of {size} with 1 % changed, against a bare pull",
            value=run["changed_ratio"],
            goal=1.35,
            unit="×",
            note=f"{run['changed']:.1f} s",
        ),
        Figure(
            name=f"requests of that sync, beyond ⌈{size}/100⌉ and the pages of endings",
            value=constant,
            goal=5,
            unit="",
            note=f"{run['requests']} in all, {run['ending_pages']} of them pages of endings",
        ),
        Figure(
            name=f"rows written by a second, identical sync of {size}",
            value=run["resync_writes"],
            goal=0,
            unit="",
            note=f"beside its own: {', '.join(run['resync_tables'])}",
        ),
        Figure(
            name=f"that second sync without the network, against update_or_create of {size}",
            value=run["resync"] / run["naive"],
            goal=0.1,
            unit="×",
            note=f"{run['resync']:.2f} s, row by row {run['naive']:.2f} s",
        ),
        Figure(
            name=f"storing a first import of {size}, against bulk_create(update_conflicts)",
            value=run["store"] / run["bulk_create"],
            goal=1.5,
            unit="×",
            note=f"{run['store']:.2f} s, bare {run['bulk_create']:.2f} s",
        ),
    ]
