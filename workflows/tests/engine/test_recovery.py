"""A database put back to an earlier day takes nothing from anybody until a person has looked."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import OperationalError

from integrations.models import Delivery
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from workflows.engine.freshness import directory_trouble
from workflows.engine.service import run_due
from workflows.models import Installation, RecoveryHold, Run
from workflows.recovery import (
    installation,
    recovery_begin,
    recovery_end,
    recovery_open,
    recovery_seal,
    recovery_trouble,
    recovery_watch,
)
from workflows.retention import old_forget
from workflows.tests.engine.conftest import DUE, END
from workflows.tests.engine.nodes import EffectAction
from workflows.witness import witness_path, witness_trouble

Make = Callable[..., Any]
Watch = Callable[[], bool]
LATER = DUE + timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Where the witness of this test lies."""
    settings.WITNESS_FOLDER = str(tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture
def watch(db: None, folder: Path, django_capture_on_commit_callbacks: Any) -> Watch:
    """One look as the worker takes it, committed."""

    def look() -> bool:
        with django_capture_on_commit_callbacks(execute=True):
            return recovery_watch(now=DUE)

    return look


def _witness() -> Path:
    path = witness_path(installation().identity)
    assert path is not None
    return path


def _put_back() -> None:
    Installation.objects.update(position=1, seen_at=DUE - timedelta(days=1))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="copies the file of the database")
@pytest.mark.django_db(transaction=True)
def test_after_a_restore_destructive_steps_wait_until_a_person_lets_them_go_on(
    person_make: Make, workflow_make: Make, folder: Path, tmp_path: Path
) -> None:
    person_make("ana", end_date=END)
    workflow_make("tell", steps=[{"key": "one", "action": "test.effect"}])
    workflow_make("take", steps=[{"key": "one", "action": "test.destroy"}])
    recovery_watch(now=DUE - timedelta(hours=1))
    with closing(sqlite3.connect(tmp_path / "dump.sqlite3")) as dump:
        connection.connection.backup(dump)
        assert run_due(now=DUE).finished == 2
        recovery_watch(now=DUE)
        done = len(EffectAction.effects)
        dump.backup(connection.connection)
    assert Run.objects.count() == 0

    run_due(now=DUE + timedelta(minutes=10))
    told, taken = Run.objects.get(workflow__key="tell"), Run.objects.get(workflow__key="take")
    assert (told.status, taken.status) == (Run.Status.DONE, Run.Status.WAITING)
    assert len(EffectAction.effects) == done + 1
    assert "was put back to" in taken.reason
    assert taken.reason == directory_trouble(now=DUE)
    assert AuditEntry.objects.filter(action="recovery.begun").count() == 1

    run_due(now=DUE + timedelta(minutes=20))
    assert Run.objects.get(pk=taken.pk).status == Run.Status.WAITING
    hold = recovery_open()
    assert hold is not None
    assert recovery_end(seal=recovery_seal(hold), reason="Compared", now=DUE, actor=None)
    assert run_due(now=DUE + timedelta(minutes=30)).finished == 1
    assert len(EffectAction.effects) == done + 2
    assert not recovery_watch(now=DUE)
    assert recovery_open() is None


def test_each_look_moves_the_count_on_and_nobody_else_can_read_the_witness(watch: Watch) -> None:
    assert [watch(), watch(), watch()] == [False, False, False]
    assert json.loads(_witness().read_text())["position"] == 3
    assert stat.S_IMODE(_witness().stat().st_mode) == 0o600
    assert stat.S_IMODE(_witness().parent.stat().st_mode) == 0o700
    assert recovery_trouble() == ""


def test_a_second_restore_is_noticed_as_the_first_was(watch: Watch) -> None:
    watch(), watch()
    for _ in range(2):
        _put_back()
        assert watch()
        hold = recovery_open()
        assert hold is not None
        assert (hold.stands_at, hold.found_by_witness) == (DUE - timedelta(days=1), True)
        assert recovery_end(seal=recovery_seal(hold), reason="Seen", now=LATER, actor=None)
        assert not watch()
    assert RecoveryHold.objects.count() == 2


def test_other_machines_with_older_and_newer_witnesses_find_it_once(
    watch: Watch, folder: Path, settings: Any
) -> None:
    watch(), watch(), watch()
    _put_back()
    assert watch()
    hold = recovery_open()
    assert hold is not None
    recovery_end(seal=recovery_seal(hold), reason="Seen", now=LATER, actor=None)
    other = folder.with_name("other")
    other.mkdir()
    (other / _witness().name).write_text(
        json.dumps({"position": 3, "seen_at": LATER.isoformat()}), encoding="utf-8"
    )
    settings.WITNESS_FOLDER = str(other)
    assert not watch()
    assert recovery_open() is None


def test_forgetting_what_is_old_is_no_restore(watch: Watch) -> None:
    watch(), watch()
    old = LATER - timedelta(days=400)
    Delivery.objects.create(operation="x", target="y", started_at=old)
    assert old_forget(now=LATER)["calls"] == 1
    AuditEntry.objects.all().delete()
    assert not watch()
    assert recovery_trouble() == ""


def test_another_installation_is_not_measured_by_this_ones_witness(watch: Watch) -> None:
    watch(), watch(), watch()
    mine = _witness()
    Installation.objects.all().delete()
    assert not watch()
    assert recovery_trouble() == ""
    assert _witness() != mine
    assert json.loads(mine.read_text())["position"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 4000,
        '{"position": "9", "seen_at": "2026-11-24T08:00:00+00:00"}',
        '{"position": 1' + "0" * 400 + ', "seen_at": "2026-11-24T08:00:00+00:00"}',
        '{"position": 9, "seen_at": "2026-11-24T08:00:00"}',
        '{"position": 9, "seen_at": "0001-01-01T00:00:00+23:00"}',
    ],
)
def test_a_witness_without_sense_is_set_aside_said_and_begun_anew(watch: Watch, text: str) -> None:
    watch()
    recovery_begin(reason="Restored", now=DUE, actor=None)
    _witness().write_text(text, encoding="utf-8")
    assert not watch()
    assert json.loads(_witness().read_text())["position"] == 2
    assert "made no sense" in witness_trouble(installation().identity)
    # What is held stays held.
    assert recovery_trouble() != ""
    _put_back()
    assert watch()


def test_a_witness_that_cannot_be_read_or_written_stops_nothing_and_is_said(
    watch: Watch, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file where the folder should be", encoding="utf-8")
    assert not watch()
    assert "cannot be" in caplog.text
    assert "cannot be" in witness_trouble(installation().identity)
    assert Installation.objects.get().position == 1


def test_without_a_folder_nothing_is_watched(watch: Watch, settings: Any) -> None:
    settings.WITNESS_FOLDER = ""
    assert not watch()
    assert not Installation.objects.exists()


def test_what_was_rolled_back_never_reaches_the_witness(watch: Watch) -> None:
    watch()
    with pytest.raises(OperationalError), transaction.atomic():
        recovery_watch(now=DUE)
        raise OperationalError
    assert not watch()
    assert json.loads(_witness().read_text())["position"] == 2


@pytest.mark.django_db
def test_only_the_hold_that_was_looked_at_is_ended() -> None:
    assert recovery_begin(reason="Restored", now=DUE, actor=None)
    assert not recovery_begin(reason="Again", now=LATER, actor=None)
    hold = RecoveryHold.objects.get()
    seal = recovery_seal(hold)
    hold.opened_at = LATER
    hold.save()
    assert not recovery_end(seal=seal, reason="Seen", now=LATER, actor=None)
    assert recovery_trouble() != ""
    assert recovery_end(seal=recovery_seal(hold), reason="Seen", now=LATER, actor=None)
    assert not recovery_end(seal=recovery_seal(hold), reason="Seen", now=LATER, actor=None)
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["recovery.begun", "recovery.ended"]


@pytest.mark.django_db
def test_at_most_one_hold_is_on() -> None:
    RecoveryHold.objects.create(opened_at=clock.system_now())
    with pytest.raises(IntegrityError), transaction.atomic():
        RecoveryHold.objects.create(opened_at=clock.system_now())
