"""Ninety days ahead for twenty workflows, against one indexed query per day and workflow."""

from __future__ import annotations

from siit_remote.bench.figures import Figure
from siit_remote.bench.sync import run_alone

WORKFLOWS = 20


def measure(*, quick: bool) -> list[Figure]:
    """One figure; loading everybody counts as ours."""
    people = 200 if quick else 2_000
    run = run_alone("one_forecast", str(people), str(WORKFLOWS), "5")
    return [
        Figure(
            name=f"forecast 90 days × {WORKFLOWS} workflows × {people} people, against queries",
            value=run["ours"] / run["queries"],
            goal=0.5,
            unit="×",
            note=f"{run['ours']:.2f} s, queries {run['queries']:.2f} s; {run['runs']} runs to come",
        )
    ]
