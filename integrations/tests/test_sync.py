"""A sync from claim to report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django_q.models import OrmQ

from integrations.errors import IncompleteError, TransientError, UnauthorizedError
from integrations.models import SyncRun
from integrations.sync import SyncRefusedError, run_sync, setup_finish
from integrations.sync_lease import sync_claim, sync_progress
from integrations.tests.people_source import FakeSource, connection
from people.models import LegalEntity, LifecycleEvent, Person, PersonChange, SourceRecord
from people.records import SkippedRecord
from people.tests.build import NOW, boss, day, picture, worker
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock, lease

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=4)


def staff(count: int) -> list:
    return [worker(f"w{number:04}") for number in range(count)]


def test_sync_applies_a_feed_and_reports_it() -> None:
    source = FakeSource(
        [boss(), worker("w1"), worker("w2", work_email="")],
        [SkippedRecord(external_id="w3", name="No Id", reason="Unreadable.")],
        ({"id": "ent-1", "name": "Acme SAS", "country": "FRA"},),
    )
    report = run_sync(connection(), trigger="cli", now=NOW, client=source)
    assert list(report.to_data()) == [
        "status",
        "created",
        "updated",
        "unchanged",
        "ended",
        "skipped",
        "conflicts",
        "requests",
        "seconds",
        "held_reason",
        "error",
    ]
    assert (report.status, report.created, report.requests) == ("applied", 2, 3)
    assert [row["remote_id"] for row in report.skipped] == ["w3", "w2"]
    assert LegalEntity.objects.get().country == "FRA"
    run = SyncRun.objects.get()
    assert (run.seen, run.lease_until, run.finished_at) == (4, None, NOW)
    assert [row["work_email"] for row in run.names["created"]] == ["boss@acme.test", "w1@acme.test"]
    assert OrmQ.objects.count() == 1
    assert AuditEntry.objects.get(action="sync.applied").correlation == f"sync:{run.pk}"


def test_identical_sync_writes_only_its_own_row() -> None:
    target, source = connection(), FakeSource([boss(), worker("w1")])
    run_sync(target, trigger="cli", now=NOW, client=source)
    before, bells, audits = picture(), OrmQ.objects.count(), AuditEntry.objects.count()
    report = run_sync(target, trigger="cli", now=LATER, client=source)
    assert (report.status, report.created, report.updated, report.unchanged) == ("applied", 0, 0, 2)
    assert picture() == before
    assert (OrmQ.objects.count(), AuditEntry.objects.count()) == (bells, audits)
    assert SyncRun.objects.count() == 2


def test_unchanged_thousands_cost_a_fixed_number_of_queries(
    django_assert_max_num_queries: object,
) -> None:
    target, source = connection(), FakeSource(staff(2000))
    run_sync(target, trigger="cli", now=NOW, client=source)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        run_sync(target, trigger="cli", now=LATER, client=source)


def test_dry_run_writes_nothing_even_before_the_setup_is_finished() -> None:
    target = connection(finished=False)
    report = run_sync(target, trigger="cli", now=NOW, client=FakeSource(staff(3)), dry_run=True)
    assert (report.status, report.created) == ("applied", 3)
    assert not Person.objects.exists()
    assert not SyncRun.objects.exists()


def test_unfinished_connection_is_refused() -> None:
    with pytest.raises(SyncRefusedError, match="not finished"):
        run_sync(connection(finished=False), trigger="cli", now=NOW, client=FakeSource(staff(1)))
    assert not SyncRun.objects.exists()


def test_setup_finish_imports_the_baseline_once() -> None:
    target, user = connection(finished=False), User.objects.create(username="hana")
    report = setup_finish(target, actor=user, now=NOW, client=FakeSource(staff(3)))
    assert (report.status, report.created) == ("applied", 3)
    target.refresh_from_db()
    assert (target.status, target.finished_at) == ("ready", NOW)
    assert target.account["company_id"] == "c-1"
    assert set(Person.objects.values_list("baseline_at", flat=True)) == {NOW}
    assert set(LifecycleEvent.objects.values_list("baseline", flat=True)) == {True}
    assert AuditEntry.objects.filter(action="connection.finished", actor=user).count() == 1
    setup_finish(target, actor=user, now=LATER, client=FakeSource([*staff(3), worker("new")]))
    assert Person.objects.get(work_email="new@acme.test").baseline_at is None


def test_failed_first_import_leaves_the_setup_unfinished() -> None:
    target = connection(finished=False)
    report = setup_finish(
        target, actor=None, now=NOW, client=FakeSource(error=TransientError("Remote is down."))
    )
    target.refresh_from_db()
    assert (report.status, report.error) == ("failed", "Remote is down.")
    assert (target.finished_at, target.status) == (None, "draft")


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (UnauthorizedError("Unauthorized: make a new token."), "unauthorized", "needs_attention"),
        (TransientError("Remote is down."), "transient", "ready"),
        (IncompleteError("Remote's count differs."), "incomplete", "ready"),
    ],
)
def test_error_of_the_feed_applies_nothing(error: Exception, code: str, status: str) -> None:
    target = connection()
    run_sync(target, trigger="cli", now=NOW, client=FakeSource(staff(2)))
    before = picture()
    report = run_sync(target, trigger="cli", now=LATER, client=FakeSource(error=error))
    assert (report.status, report.error) == ("failed", str(error))
    assert SyncRun.objects.first().error_code == code
    target.refresh_from_db()
    assert (target.status, target.last_error) == (status, str(error))
    assert picture() == before


def test_empty_feed_fails_when_people_are_known() -> None:
    target = connection()
    run_sync(target, trigger="cli", now=NOW, client=FakeSource(staff(2)))
    report = run_sync(target, trigger="cli", now=LATER, client=FakeSource([]))
    assert report.status == "failed"
    assert "2 employments are known" in report.error
    assert not SourceRecord.objects.filter(missing_since__isnull=False).exists()


def test_error_of_ours_never_leaves_a_sync_running() -> None:
    with pytest.raises(ZeroDivisionError):
        run_sync(connection(), trigger="cli", now=NOW, client=FakeSource(error=ZeroDivisionError()))
    assert SyncRun.objects.get().status == "failed"


def test_only_one_sync_runs_at_a_time() -> None:
    target = connection()
    SyncRun.objects.create(
        connection=target,
        started_at=NOW,
        lease_holder=lease.holder(),
        lease_until=clock.system_now() + timedelta(minutes=5),
    )
    with pytest.raises(SyncRefusedError, match="is running"):
        run_sync(target, trigger="cli", now=NOW, client=FakeSource(staff(1)))


@pytest.mark.parametrize(
    ("holder", "minutes"),
    [("elsewhere/boot/1/2", -1), (lease.holder() + "9", 5)],
    ids=["expired", "dead process"],
)
def test_sync_of_a_dead_holder_is_taken_over(holder: str, minutes: int) -> None:
    target = connection()
    dead = SyncRun.objects.create(
        connection=target,
        started_at=NOW,
        lease_holder=holder,
        lease_until=clock.system_now() + timedelta(minutes=minutes),
    )
    assert run_sync(target, trigger="cli", now=NOW, client=FakeSource(staff(1))).status == "applied"
    dead.refresh_from_db()
    assert (dead.status, dead.error_code) == ("failed", "interrupted")


def test_sync_that_lost_its_lease_applies_nothing() -> None:
    target, source = connection(), FakeSource(staff(2))
    source.during = lambda: SyncRun.objects.update(lease_holder="another") and None
    report = run_sync(target, trigger="cli", now=NOW, client=source)
    assert report.status == "running"
    assert not Person.objects.exists()


def test_first_import_of_thousands_is_written_in_bulk() -> None:
    people = staff(1500)
    reports = [replace(one, manager_external_id=people[0].external_id) for one in people]
    run_sync(connection(), trigger="cli", now=NOW, client=FakeSource(reports))
    first = Person.objects.get(work_email="w0000@acme.test")
    assert first.reports.count() == 1499
    assert first.problems == ["manager_self"]


def test_day_asked_for_is_the_workspaces() -> None:
    source = FakeSource(staff(1))
    run_sync(connection(), trigger="cli", now=NOW.replace(hour=23), client=source)
    assert source.asked_for == day(0)
    assert PersonChange.objects.count() == 0


def test_progress_that_only_counts_is_written_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = sync_claim(connection(), trigger="manual", actor=None, now=NOW)
    seconds = iter([10.0, 10.4, 10.6, 10.7, 10.8])
    monkeypatch.setattr("integrations.sync_lease.time.monotonic", lambda: next(seconds))
    report = sync_progress(run)
    seen = []
    for words in ("Read 100 people", "Read 200 people", "Read 300 people", "Read 400 people"):
        report(words)
        run.refresh_from_db()
        seen.append(run.progress)
    report("Comparing 400 workers")
    run.refresh_from_db()
    assert [*seen, run.progress] == [
        "Read 100 people",
        "Read 100 people",
        "Read 300 people",
        "Read 300 people",
        "Comparing 400 workers",
    ]
