"""Deciding: once, by the one who was asked, never about oneself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from people.choices import PersonStatus
from people.models import Person
from siit_remote.audit.models import AuditEntry
from workflows.approvals import DecisionRefusedError, approval_decide
from workflows.models import Approval, Delegation, Run, StepRun, Workflow, WorkflowVersion

T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

Make = Callable[..., Person]


def person_make(name: str, **values: Any) -> Person:
    values.setdefault("status", PersonStatus.ACTIVE)
    return Person.objects.create(
        work_email=f"{name}@acme.test",
        full_name=name.title(),
        created_at=T0,
        updated_at=T0,
        **values,
    )


def approval_make(**values: Any) -> Approval:
    ana, boss = person_make("ana"), person_make("boss")
    workflow = Workflow.objects.create(key="w", name="W", draft_saved_at=T0, created_at=T0)
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document={}, digest="d", published_at=T0
    )
    run = Run.objects.create(
        workflow=workflow,
        version=version,
        person=ana,
        trigger="manual",
        anchor="x",
        key="k",
        status=Run.Status.WAITING,
        due_at=T0,
        created_at=T0,
    )
    step = StepRun.objects.create(
        run=run,
        key="ask",
        action="approval.request",
        position=0,
        idempotency_key="i",
        created_at=T0,
    )
    defaults = {"due_at": T0 + timedelta(days=3), "title": "Laptop: Ana"}
    return Approval.objects.create(
        step=step, subject=ana, approver=boss, asked_at=T0, **{**defaults, **values}
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("approve", "status"), [(True, "approved"), (False, "rejected")])
def test_decision_is_kept_audited_and_wakes_the_run(approve: bool, status: str) -> None:
    approval = approval_make()
    decided = approval_decide(
        approval.pk, by=approval.approver, approve=approve, comment="Because.", now=T0
    )
    assert decided.approval.status == status
    assert (decided.approval.decided_by, decided.approval.decided_at) == (approval.approver, T0)
    assert decided.approval.comment == "Because."
    assert Run.objects.get().wake_at == T0
    (entry,) = AuditEntry.objects.filter(action="approval.decided")
    assert entry.detail["decision"] == status


@pytest.mark.django_db
def test_rejection_needs_a_word() -> None:
    approval = approval_make()
    with pytest.raises(DecisionRefusedError, match="why"):
        approval_decide(approval.pk, by=approval.approver, approve=False, comment=" ", now=T0)
    approval.refresh_from_db()
    assert approval.status == "pending"


@pytest.mark.django_db
def test_only_the_one_who_was_asked_decides() -> None:
    approval = approval_make()
    colleague = person_make("colleague")
    for by in (colleague, approval.subject):
        with pytest.raises(DecisionRefusedError):
            approval_decide(approval.pk, by=by, approve=True, comment="", now=T0)
    approval.refresh_from_db()
    assert (approval.status, approval.decided_by) == ("pending", None)
    assert not AuditEntry.objects.filter(action="approval.decided").exists()


@pytest.mark.django_db
def test_approver_who_left_decides_nothing_even_with_a_stale_object() -> None:
    approval = approval_make()
    stale = approval.approver
    Person.objects.filter(pk=stale.pk).update(status=PersonStatus.ENDED)
    with pytest.raises(DecisionRefusedError):
        approval_decide(approval.pk, by=stale, approve=True, comment="", now=T0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (date(2026, 11, 2), None, True),
        (date(2026, 11, 1), date(2026, 11, 2), True),
        (date(2026, 11, 3), None, False),
        (date(2026, 10, 1), date(2026, 11, 1), False),
    ],
)
def test_delegate_decides_between_the_dates(
    starts: date, ends: date | None, expected: bool
) -> None:
    approval = approval_make()
    other = person_make("other")
    Delegation.objects.create(
        approver=approval.approver, delegate=other, starts_on=starts, ends_on=ends, created_at=T0
    )
    if expected:
        approval_decide(approval.pk, by=other, approve=True, comment="", now=T0)
        approval.refresh_from_db()
        assert approval.decided_by == other
    else:
        with pytest.raises(DecisionRefusedError):
            approval_decide(approval.pk, by=other, approve=True, comment="", now=T0)


@pytest.mark.django_db
def test_delegation_counts_by_the_approvers_own_date() -> None:
    approval = approval_make()
    other = person_make("other")
    Person.objects.filter(pk=approval.approver_id).update(timezone="Pacific/Auckland")
    Delegation.objects.create(
        approver=approval.approver, delegate=other, starts_on=date(2026, 11, 3), created_at=T0
    )
    evening = datetime(2026, 11, 2, 20, 0, tzinfo=UTC)
    approval_decide(approval.pk, by=other, approve=True, comment="", now=evening)


@pytest.mark.django_db
def test_delegate_never_decides_about_themselves() -> None:
    approval = approval_make()
    Delegation.objects.create(
        approver=approval.approver,
        delegate=approval.subject,
        starts_on=date(2026, 11, 1),
        created_at=T0,
    )
    with pytest.raises(DecisionRefusedError):
        approval_decide(approval.pk, by=approval.subject, approve=True, comment="", now=T0)


@pytest.mark.django_db
def test_delegate_of_somebody_who_left_decides_nothing() -> None:
    approval = approval_make()
    other = person_make("other")
    Delegation.objects.create(
        approver=approval.approver, delegate=other, starts_on=date(2026, 11, 1), created_at=T0
    )
    Person.objects.filter(pk=approval.approver_id).update(status=PersonStatus.ENDED)
    with pytest.raises(DecisionRefusedError):
        approval_decide(approval.pk, by=other, approve=True, comment="", now=T0)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["approved", "rejected", "expired", "cancelled"])
def test_what_is_settled_stays(status: str) -> None:
    approval = approval_make(status=status)
    with pytest.raises(DecisionRefusedError):
        approval_decide(approval.pk, by=approval.approver, approve=True, comment="", now=T0)
    approval.refresh_from_db()
    assert approval.status == status


@pytest.mark.django_db
def test_second_one_hears_who_was_first() -> None:
    approval = approval_make()
    approval_decide(approval.pk, by=approval.approver, approve=True, comment="", now=T0)
    with pytest.raises(DecisionRefusedError, match="Already approved by Boss"):
        approval_decide(approval.pk, by=approval.approver, approve=False, comment="No", now=T0)


@pytest.mark.django_db
def test_after_its_time_nothing_is_decided() -> None:
    approval = approval_make()
    later = T0 + timedelta(days=4)
    with pytest.raises(DecisionRefusedError, match="time"):
        approval_decide(approval.pk, by=approval.approver, approve=True, comment="", now=later)


@pytest.mark.django_db
def test_run_that_ended_asks_nothing_any_more() -> None:
    approval = approval_make()
    Run.objects.update(status=Run.Status.CANCELLED)
    with pytest.raises(DecisionRefusedError):
        approval_decide(approval.pk, by=approval.approver, approve=True, comment="", now=T0)


@pytest.mark.django_db
def test_unknown_approval_is_refused() -> None:
    with pytest.raises(DecisionRefusedError):
        approval_decide(10**9, by=person_make("x"), approve=True, comment="", now=T0)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_one_decides(tmp_path: Path) -> None:
    approval = approval_make()
    boss = approval.approver
    outcomes: list[str] = []
    barrier = threading.Barrier(8)
    path = str(tmp_path / "race.sqlite3")
    in_memory = connection.vendor == "sqlite"
    if in_memory:
        # A database in memory is locked as a whole between threads; a file is what people run.
        with sqlite3.connect(path) as copy:
            connection.ensure_connection()
            connection.connection.backup(copy)
            # As a database that was migrated is: turning one over is nothing to be raced for.
            copy.execute("PRAGMA journal_mode=WAL")

    def decide(number: int) -> None:
        own = connections["default"]
        if in_memory:
            own.settings_dict = {**own.settings_dict, "NAME": path}
        barrier.wait()
        try:
            approval_decide(
                approval.pk, by=boss, approve=number % 2 == 0, comment=f"n{number}", now=T0
            )
            outcomes.append(f"n{number}")
        except DecisionRefusedError:
            outcomes.append("refused")
        finally:
            own.close()

    def decided(sql: str) -> Any:
        if in_memory:
            with sqlite3.connect(path) as copy:
                return copy.execute(sql).fetchone()[0]
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0]

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    won = [outcome for outcome in outcomes if outcome != "refused"]
    assert (len(outcomes), len(won)) == (8, 1)
    assert decided("SELECT comment FROM workflows_approval") == won[0]
    count = "SELECT count(*) FROM audit_auditentry WHERE action = 'approval.decided'"
    assert decided(count) == 1
