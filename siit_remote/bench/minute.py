"""The engine's pass of one minute, against one query for what it would look at of everybody.

Its planning alone: what carrying out costs stands in :mod:`siit_remote.bench.queue`.
"""

from __future__ import annotations

from siit_remote.bench.figures import Figure
from siit_remote.bench.sync import run_alone

WORKFLOWS = 100
DUE = 100


def measure(*, quick: bool) -> list[Figure]:
    """Nobody due, and a hundred, in a large and a very large company."""
    sizes = (2_000,) if quick else (20_000, 100_000)
    return [figure for size in sizes for figure in _figures(size)]


def _figures(size: int) -> list[Figure]:
    run = run_alone("one_minute", str(size), str(WORKFLOWS), "5")
    select = f"everybody in one SELECT {run['select'] * 1e3:.0f} ms"
    what = f"one minute's pass, {WORKFLOWS} workflows × {size:,} people"
    return [
        Figure(
            name=f"{what}, nobody due, against one SELECT of everybody",
            value=run["quiet"] / run["select"],
            goal=0.25,
            unit="×",
            note=f"{run['quiet'] * 1e3:.0f} ms, {select}, a look at everything "
            f"{run['whole']:.1f} s",
        ),
        Figure(
            name=f"{what}, {DUE} due, against the same",
            value=run["due"] / run["select"],
            goal=1.0,
            unit="×",
            note=f"{run['due'] * 1e3:.0f} ms",
        ),
    ]
