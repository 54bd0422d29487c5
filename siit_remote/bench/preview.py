"""How many match each of 100 workflows, against one query each and against the one-pass limit.

Once on SQLite, once on a PostgreSQL of its own.
"""

from __future__ import annotations

from typing import Any

from siit_remote.bench.figures import Figure
from siit_remote.bench.postgres import postgres_server
from siit_remote.bench.sync import run_alone

WORKFLOWS = 100


def measure(*, quick: bool) -> list[Figure]:
    """Ratios on both databases."""
    people, rounds = ("2000", "3") if quick else ("100000", "5")
    arguments = (people, str(WORKFLOWS), rounds)
    figures = _figures("SQLite", people, run_alone("one_preview", *arguments))
    with postgres_server() as server:
        run = run_alone("one_preview", *arguments, database=server.address())
        figures += _figures("PostgreSQL", people, run)
    return figures


def _figures(database: str, people: str, run: dict[str, Any]) -> list[Figure]:
    where = f"{WORKFLOWS} workflows × {int(people):,} people, {database}"
    note = (
        f"{run['ours']:.2f} s, one query each {run['queries']:.2f} s, "
        f"one aggregate {run['aggregate']:.2f} s"
    )
    return [
        Figure(
            name=f"preview counts of {where}, against one filter().count() each",
            value=run["ours"] / run["queries"],
            goal=1.3,
            unit="×",
            note=note,
        ),
    ]
