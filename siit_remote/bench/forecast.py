"""Ninety days ahead for a hundred workflows, against one indexed query per day and workflow.

Once on SQLite, once on a PostgreSQL of its own.
"""

from __future__ import annotations

from typing import Any

from siit_remote.bench.figures import Figure
from siit_remote.bench.postgres import postgres_server
from siit_remote.bench.sync import run_alone

WORKFLOWS = 100


def measure(*, quick: bool) -> list[Figure]:
    """One figure for each database; loading everybody counts as ours."""
    people, rounds = ("1000", "3") if quick else ("100000", "3")
    arguments = (people, str(WORKFLOWS), rounds)
    run = run_alone("one_forecast", *arguments)
    figures = [_figure("SQLite", people, run), _calendar(people, run)]
    with postgres_server() as server:
        run = run_alone("one_forecast", *arguments, database=server.address())
        return [*figures, _figure("PostgreSQL", people, run)]


def _calendar(people: str, run: dict[str, Any]) -> Figure:
    return Figure(
        name=f"the same as a calendar, {int(people):,} people, against the forecast",
        value=run["calendar"] / run["ours"],
        goal=2.0,
        unit="×",
        note=f"{run['calendar']:.2f} s, {run['runs']} events",
    )


def _figure(database: str, people: str, run: dict[str, Any]) -> Figure:
    return Figure(
        name=f"forecast 90 days × {WORKFLOWS} workflows × {int(people):,} people, {database}, "
        "against queries",
        value=run["ours"] / run["queries"],
        goal=0.5,
        unit="×",
        note=f"{run['ours']:.2f} s, queries {run['queries']:.2f} s, due lists alone "
        f"{run['lists'] * 1e3:.0f} ms; {run['runs']} runs to come",
    )
