"""From an event to its action, through the worker, beside tasks of the bare queue.

The same cluster of django-q2 with the same settings carries out both. Its poll decides how soon
either begins; ours adds the planning of a run, and its records, to what the bare task does.
"""

from __future__ import annotations

from siit_remote.bench.figures import Figure
from siit_remote.bench.sync import run_alone


def measure(*, quick: bool) -> list[Figure]:
    """How soon one action begins, and how long many take."""
    run = run_alone("one_queue", *(("5", "50") if quick else ("25", "500")))
    return [
        Figure(
            name="event → action begun, p95 against a task of bare django-q2",
            value=run["ours_p95"] / run["bare_p95"],
            goal=1.2,
            unit="×",
            note=f"p95 {run['ours_p95']:.2f} s, bare {run['bare_p95']:.2f} s; poll {run['poll']} s",
        ),
        Figure(
            name=f"{run['burst']} actions of {run['burst']} runs, against as many bare tasks",
            value=run["ours_burst"] / run["bare_burst"],
            goal=1 / 0.7,
            unit="×",
            note=f"{run['burst'] / run['ours_burst']:.0f} a second, "
            f"bare {run['burst'] / run['bare_burst']:.0f}",
        ),
    ]
