"""While the directory cannot be trusted nothing is taken from anybody; the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from integrations.models import Connection, SyncRun
from people.models import Workspace
from siit_remote.lib import clock
from workflows.engine.freshness import directory_trouble
from workflows.engine.service import run_due
from workflows.models import Run
from workflows.tests.engine.conftest import DUE, END, T0
from workflows.tests.engine.nodes import EffectAction

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connected HR system; the machine's clock stands a day after DUE."""
    monkeypatch.setattr(clock, "system_now", lambda: DUE + timedelta(days=1))
    return Connection.objects.create(
        key="remote", connector="remote", name="Remote", status="ready",
        created_at=T0, finished_at=T0,
    )  # fmt: skip


def _sync(remote: Connection, status: str, at: datetime) -> SyncRun:
    return SyncRun.objects.create(connection=remote, status=status, started_at=at, finished_at=at)


FRESH = DUE - timedelta(hours=2)


@pytest.mark.parametrize(
    ("status", "at", "words"),
    [
        ("applied", FRESH, ""),
        ("held", FRESH, "is held"),
        ("failed", FRESH, "failed"),
        ("applied", DUE - timedelta(hours=9), "more than 8 hours ago"),
    ],
)
def test_destructive_steps_wait_and_others_go_on(
    person_make: Make,
    workflow_make: Make,
    remote: Connection,
    status: str,
    at: datetime,
    words: str,
) -> None:
    person_make("ana", end_date=END)
    workflow_make("tell", steps=[{"key": "one", "action": "test.effect"}])
    workflow_make("take", steps=[{"key": "one", "action": "test.destroy"}])
    _sync(remote, status, at)
    run_due(now=DUE)
    told, taken = Run.objects.get(workflow__key="tell"), Run.objects.get(workflow__key="take")
    assert told.status == Run.Status.DONE
    assert taken.status == (Run.Status.WAITING if words else Run.Status.DONE)
    assert words in taken.reason
    if words:
        assert len(EffectAction.effects) == 1
        assert "sync again" in taken.reason.lower()
        assert taken.reason.endswith("it goes on by itself.")
        _sync(remote, "applied", DUE + timedelta(minutes=1))
        assert run_due(now=DUE + timedelta(minutes=6)).finished == 1
    assert len(EffectAction.effects) == 2


@pytest.mark.parametrize("status", ["held", "failed"])
def test_command_takes_nothing_from_anybody_either(
    person_make: Make, workflow_make: Make, remote: Connection, settings: Any, status: str
) -> None:
    settings.ALLOW_TIME_TRAVEL = True
    person_make("ana", end_date=END)
    workflow_make("take", steps=[{"key": "one", "action": "test.destroy"}])
    _sync(remote, status, FRESH)
    said = StringIO()
    call_command("run_due", "--at", DUE.isoformat(), stdout=said)
    assert "1 waiting" in said.getvalue()
    assert EffectAction.effects == []
    assert Run.objects.get().reason.endswith("it goes on by itself.")


def test_how_stale_is_a_setting(remote: Connection) -> None:
    _sync(remote, "applied", DUE - timedelta(hours=9))
    assert "more than 8 hours ago" in directory_trouble(now=DUE)
    Workspace.objects.update_or_create(pk=1, defaults={"directory_stale_hours": 12})
    assert directory_trouble(now=DUE) == ""


def test_a_running_or_discarded_sync_says_nothing(remote: Connection) -> None:
    _sync(remote, "applied", FRESH)
    _sync(remote, "discarded", FRESH)
    _sync(remote, "running", DUE)
    assert directory_trouble(now=DUE) == ""


def test_a_set_clock_does_not_age_the_directory(
    remote: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sync(remote, "applied", DUE)
    monkeypatch.setattr(clock, "system_now", lambda: DUE + timedelta(minutes=5))
    assert directory_trouble(now=DUE + timedelta(days=30)) == ""


def test_who_is_disconnected_is_nobodys_source(remote: Connection) -> None:
    _sync(remote, "failed", FRESH)
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    assert directory_trouble(now=DUE) == ""
