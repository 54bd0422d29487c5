"""A full sync against a bare pull of the same pages, over real HTTP from the simulator.

Each size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import math
import os
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


def one_size(size: int) -> dict[str, Any]:
    """Measure one company in a fresh process and database."""
    with remote(size) as base_url, tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "DJANGO_SETTINGS_MODULE": "siit_remote.settings",
            "LOG_LEVEL": "ERROR",
        }
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "siit_remote.bench.one_sync", base_url, TOKEN],
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
    runs = {size: one_size(size) for size in sizes}
    figures: list[Figure] = []
    for size, run in runs.items():
        figures += [
            Figure(
                name=f"full sync of {size} workers, against a bare pull",
                value=run["sync"] / run["bare"],
                goal=1.35,
                unit="×",
                note=f"{run['sync']:.1f} s, bare {run['bare']:.1f} s",
            ),
            Figure(
                name=f"requests of that sync, beyond ⌈{size}/100⌉",
                value=run["requests"] - math.ceil(size / 100),
                goal=5,
                unit="",
                note=f"{run['requests']} in all; one more asks whose token it is",
            ),
            Figure(
                name=f"rows of people written by a second, identical sync of {size}",
                value=run["writes"],
                goal=0,
                unit="",
                note=f"{run['again']:.1f} s",
            ),
        ]
    small, large = (runs[size]["peak_kb"] for size in sizes)
    figures.append(
        Figure(
            name=f"peak memory with {sizes[1]} workers, against {sizes[0]}",
            value=large / small,
            goal=1.2,
            unit="×",
            note=f"{large // 1024} MB, {small // 1024} MB",
        )
    )
    return figures
