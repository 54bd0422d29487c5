"""The benchmark compares like with like."""

from __future__ import annotations

import pytest
from django.db import connection as database

from people.models import Team
from siit_remote.bench.figures import Figure
from siit_remote.bench.rules import agreed, rules_make
from siit_remote.bench.stopwatch import Ledger


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_every_engine_finds_the_same_matches(seed: int) -> None:
    assert 0 < agreed(rules_make(60, seed=seed)) < 60


def test_a_figure_over_its_goal_says_so() -> None:
    figure = Figure(name="x", value=1.4, goal=1.35, unit="×")
    assert not figure.reached
    assert figure.line().startswith("OVER")
    assert figure.to_data()["reached"] is False


@pytest.mark.django_db
def test_the_ledger_counts_written_rows_by_table_and_no_reads() -> None:
    ledger = Ledger()
    with database.execute_wrapper(ledger):
        Team.objects.create(name="Design")
        Team.objects.filter(name="Design").update(name="Art")
        assert Team.objects.count() == 1
        Team.objects.all().delete()
    assert ledger.rows["people_team"] == 3
