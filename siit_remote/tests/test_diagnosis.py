"""Doctor names what is wrong, and only that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django_q.models import Schedule

from integrations.models import Connection, SyncRun
from people.choices import EventKind
from people.models import LifecycleEvent, Person
from siit_remote import beats
from siit_remote.diagnosis import diagnose
from siit_remote.lib import clock
from siit_remote.schedules import schedules_set_up
from siit_remote.staleness import stale_report
from workflows.models import Task

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def _healthy(now: datetime = NOW) -> None:
    schedules_set_up(now=now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "system_now", lambda: now)
        beats.beat(beats.CANARY)
        beats.beat(beats.SCHEDULE)


def _connection(**values: Any) -> Connection:
    return Connection.objects.create(
        **{
            "key": "remote",
            "connector": "remote",
            "name": "Remote",
            "status": "ready",
            "created_at": NOW - timedelta(days=9),
            "finished_at": NOW - timedelta(days=9),
            **values,
        }
    )


def _synced(connection: Connection, at: datetime, status: str = "applied") -> SyncRun:
    return connection.syncs.create(status=status, started_at=at, finished_at=at)


def _wrong(now: datetime = NOW) -> dict[str, str]:
    return {result.id: result.detail for result in diagnose(now=now) if not result.ok}


def test_sound_installation_has_nothing_to_say() -> None:
    _healthy()
    _synced(_connection(), NOW - timedelta(hours=1))
    assert _wrong() == {}


def test_silent_worker_is_named() -> None:
    _healthy()
    assert set(_wrong(NOW + timedelta(minutes=4))) == {"worker"}


def test_worker_that_never_was_is_named() -> None:
    schedules_set_up(now=NOW)
    assert set(_wrong()) == {"worker"}


def test_stale_and_held_syncs_are_named() -> None:
    _healthy()
    connection = _connection()
    _synced(connection, NOW - timedelta(hours=9))
    _synced(connection, NOW - timedelta(hours=1), status="held")
    assert set(_wrong()) == {"sync", "held"}


def test_connection_that_needs_attention_is_named_with_its_reason() -> None:
    _healthy()
    _synced(_connection(status="needs_attention", last_error="Unauthorized"), NOW)
    assert _wrong() == {"connections": "remote needs attention: Unauthorized"}


def test_secret_of_a_lost_key_is_named(settings: Any) -> None:
    _healthy()
    connection = _connection()
    _synced(connection, NOW)
    connection.set_secrets({"api_token": "ra_test_x"})
    connection.save()
    assert _wrong() == {}
    settings.FIELD_ENCRYPTION_KEYS = ["another key that was never used for this row"]
    assert set(_wrong()) == {"encryption"}


def test_unread_event_is_named_after_five_minutes() -> None:
    _healthy()
    person = Person.objects.create(work_email="a@acme.test", created_at=NOW, updated_at=NOW)
    LifecycleEvent.objects.create(
        kind=EventKind.values[0], person=person, at=NOW - timedelta(minutes=4), key="k"
    )
    assert _wrong() == {}
    LifecycleEvent.objects.update(at=NOW - timedelta(minutes=6))
    assert _wrong() == {"queue": "1 changes of people have not been looked at"}


def test_missing_and_unreadable_schedules_are_named() -> None:
    _healthy()
    Schedule.objects.filter(name="siit: heartbeat").delete()
    Schedule.objects.create(name="theirs", func="siit_remote.tasks.heartbeat", args="oops(")
    found = _wrong()["schedules"]
    assert "“siit: heartbeat” is missing" in found
    assert "“theirs”" in found


def test_command_exits_with_1_and_prints_what_to_do() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("doctor", json=True, stdout=out)
    document = json.loads(out.getvalue())
    assert stop.value.code == 1
    assert document["ok"] is False
    assert all(check["hint"] for check in document["checks"] if not check["ok"])


def test_stale_directory_opens_one_task_per_outage() -> None:
    connection = _connection()
    _synced(connection, NOW - timedelta(hours=9))
    for _ in range(3):
        assert stale_report(now=NOW) == 1
    assert Task.objects.count() == 1
    _synced(connection, NOW)
    assert stale_report(now=NOW) == 0
    assert stale_report(now=NOW + timedelta(hours=9)) == 1
    assert Task.objects.count() == 2
