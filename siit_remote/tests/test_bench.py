"""The benchmark compares like with like."""

from __future__ import annotations

import pytest

from siit_remote.bench.figures import Figure
from siit_remote.bench.rules import agreed, rules_make


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_every_engine_finds_the_same_matches(seed: int) -> None:
    assert 0 < agreed(rules_make(60, seed=seed)) < 60


def test_a_figure_over_its_goal_says_so() -> None:
    figure = Figure(name="x", value=1.4, goal=1.35, unit="×")
    assert not figure.reached
    assert figure.line().startswith("OVER")
    assert figure.to_data()["reached"] is False
