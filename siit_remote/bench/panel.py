"""The designer's panel in a company of 100,000, and looking for gaps in one of 20,000.

Both are waited for, by a person or by the schedule, so these are seconds and no ratios.
"""

from __future__ import annotations

from typing import Any

from siit_remote.bench.figures import Figure
from siit_remote.bench.postgres import postgres_server
from siit_remote.bench.sync import run_alone

WORKFLOWS = 100
PANEL, GAPS = 100_000, 20_000


def measure(*, quick: bool) -> list[Figure]:
    """On both databases."""
    figures = []
    for part, people, goal in (("panel", PANEL, 1.0), ("gaps", GAPS, 60.0)):
        size = people // 50 if quick else people
        arguments = (part, str(size), str(WORKFLOWS), "3")
        figures.append(_figure(part, "SQLite", size, goal, run_alone("one_panel", *arguments)))
        with postgres_server() as server:
            run = run_alone("one_panel", *arguments, database=server.address())
        figures.append(_figure(part, "PostgreSQL", size, goal, run))
    return figures


def _figure(part: str, database: str, people: int, goal: float, run: dict[str, Any]) -> Figure:
    return Figure(
        name=f"{part} × {WORKFLOWS} workflows × {people:,} people, {database}",
        value=run["seconds"],
        goal=goal,
        unit="s",
        note=f"{run['processor']:.2f} s of our processor time",
    )
