"""Which connections the schedule syncs, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

import integrations.sync as sync_module
from integrations.models import SyncRun
from integrations.tasks import sync_connections, sync_is_due, sync_one
from integrations.tests.people_source import FakeSource, connection
from people.models import Person
from people.tests.build import NOW, worker
from siit_remote.lib import clock

pytestmark = pytest.mark.django_db
EVERY = timedelta(hours=4)


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch) -> FakeSource:
    fake = FakeSource([worker("w1")])
    monkeypatch.setattr(sync_module, "client_for", lambda connection, **_: fake)
    return fake


def test_schedule_syncs_a_ready_connection_once_per_interval() -> None:
    connection()
    with clock.fixed(NOW):
        assert (sync_connections(), sync_connections()) == (1, 0)
    with clock.fixed(NOW + EVERY):
        assert sync_connections() == 1
    assert set(SyncRun.objects.values_list("trigger", flat=True)) == {"schedule"}


@pytest.mark.parametrize("values", [{"status": "disconnected"}, {"finished_at": None}])
def test_schedule_leaves_others_alone(values: dict[str, object]) -> None:
    target = connection()
    type(target).objects.update(**values)
    assert sync_connections() == 0


@pytest.mark.parametrize(
    ("status", "code", "minutes", "due"),
    [
        ("failed", "transient", 29, False),
        ("failed", "transient", 30, True),
        ("failed", "config", 30, False),
        ("held", "", 30, False),
        ("applied", "", 240, True),
    ],
)
def test_passing_failures_are_tried_again_sooner(
    status: str, code: str, minutes: int, due: bool
) -> None:
    target = connection()
    SyncRun.objects.create(connection=target, started_at=NOW, status=status, error_code=code)
    assert sync_is_due(target, now=NOW + timedelta(minutes=minutes), every=EVERY) is due


def test_sync_asked_for_in_the_browser_names_who_asked() -> None:
    target, user = connection(), User.objects.create(username="hana")
    sync_one(target.pk, user.pk)
    run = SyncRun.objects.get()
    assert (run.trigger, run.requested_by, run.status) == ("manual", user, "applied")
    assert Person.objects.count() == 1


def test_sync_of_an_unfinished_connection_is_only_logged() -> None:
    sync_one(connection(finished=False).pk, None)
    sync_one(10**6, None)
    assert not SyncRun.objects.exists()
