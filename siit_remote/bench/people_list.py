"""The list of people at 100,000, against the plain admin changelist and a plain LIKE.

Once on SQLite, once on a PostgreSQL of its own.
"""

from __future__ import annotations

from typing import Any

from siit_remote.bench.figures import Figure
from siit_remote.bench.postgres import postgres_server
from siit_remote.bench.sync import run_alone


def measure(*, quick: bool) -> list[Figure]:
    """Ratios on both databases."""
    people, rounds = ("2000", "3") if quick else ("100000", "7")
    figures = _figures("SQLite", people, run_alone("one_people_list", people, rounds))
    with postgres_server() as server:
        run = run_alone("one_people_list", people, rounds, database=server.address())
        figures += _figures("PostgreSQL", people, run)
    return figures


def _figures(database: str, people: str, run: dict[str, Any]) -> list[Figure]:
    where = f"{int(people):,} people, {database}"

    def figure(name: str, ours: str, peer: str, goal: float) -> Figure:
        return Figure(
            name=f"{name}, {where}",
            value=run[ours] / run[peer],
            goal=goal,
            unit="×",
            note=f"{run[ours] * 1e3:.1f} ms against {run[peer] * 1e3:.1f} ms",
        )

    return [
        figure("25 rows, their query against the plain admin's page", "rows", "plain_page", 0.35),
        figure("search for one person, against LIKE in three columns", "search", "like", 0.2),
        figure("search that finds nobody, against LIKE in three columns",
               "search_none", "like_none", 0.2),
        figure("page with filter and search, against the plain admin's", "page_search",
               "plain_search", 1.0),
        figure("first page, against the plain admin's", "page", "plain_page", 1.5),
    ]  # fmt: skip
