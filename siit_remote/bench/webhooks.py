"""Webhooks taken in, one after the other, beside a view that keeps one row and asks nothing."""

from __future__ import annotations

from siit_remote.bench.figures import Figure
from siit_remote.bench.sync import run_alone


def measure(*, quick: bool) -> list[Figure]:
    """The time until the 202, and how many a second one process takes in."""
    run = run_alone("one_webhooks", "100" if quick else "2000")
    return [
        Figure(
            name="webhook accepted (signature, once, kept, bell), p95 against a bare view",
            value=run["ours_p95"] / run["bare_p95"],
            goal=3.0,
            unit="×",
            note=f"p95 {run['ours_p95'] * 1e3:.1f} ms, bare {run['bare_p95'] * 1e3:.1f} ms; "
            f"{run['per_second']:.0f} a second, bare {run['bare_per_second']:.0f}",
        )
    ]
