"""A database that is put back to an earlier day repeats what it forgot, under the same keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from workflows.engine.service import run_due
from workflows.models import Run, StepRun
from workflows.tests.engine.conftest import DUE, END
from workflows.tests.engine.nodes import EffectAction

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def _keys() -> tuple[set[str], set[str]]:
    """Of every run, and of every step: what targets drop repeats by."""
    return (
        set(Run.objects.values_list("key", flat=True)),
        set(StepRun.objects.values_list("idempotency_key", flat=True)),
    )


def test_what_a_restored_database_does_again_carries_the_keys_it_had(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    with transaction.atomic():
        assert run_due(now=DUE).finished == 1
        before, sent = _keys(), list(EffectAction.effects)
        # The backup of the hour before: no run, no step, the planner's mark where it was.
        transaction.set_rollback(True)
    assert _keys() == (set(), set())
    assert run_due(now=DUE + timedelta(hours=1)).finished == 1
    assert _keys() == before
    assert sorted(EffectAction.effects[len(sent) :]) == sorted(sent)


def test_restored_database_holds_what_is_older_than_the_window(
    person_make: Make, workflow_make: Make
) -> None:
    """Days later nothing is done again by itself: a person looks first."""
    person_make("ana", end_date=END)
    workflow_make()
    with transaction.atomic():
        run_due(now=DUE)
        transaction.set_rollback(True)
    done = len(EffectAction.effects)
    assert run_due(now=DUE + timedelta(days=5)).held == 1
    assert len(EffectAction.effects) == done
