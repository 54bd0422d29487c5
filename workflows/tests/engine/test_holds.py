"""The brake before the first effect: who is held, who may release, and what never slips past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db.models import QuerySet

from people.defaults import workspace_get
from people.limits import limits_of
from people.models import Person, Workspace
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.roles import HR_ADMIN, roles_set_up, user_roles_set
from workflows.engine.service import run_due
from workflows.holds import held_rows, hold_discard, hold_release, holds_open, list_seal
from workflows.limit_settings import limits_change
from workflows.models import Hold, Run, WorkflowVersion
from workflows.runs import run_release, runs_start
from workflows.services import RefusedError
from workflows.tests.engine.conftest import DUE, END
from workflows.tests.engine.nodes import EffectAction

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
EXAMPLE = {"hold_above": {"people": 2, "percent": 100, "per_hours": 24}}


@pytest.fixture
def second() -> User:
    """Somebody who may release and has done nothing yet."""
    roles_set_up()
    user = User.objects.create_user("second", "second@acme.test")
    user_roles_set(user, roles=[HR_ADMIN])
    return User.objects.get(pk=user.pk)


def _company(
    person_make: Make, *, leavers: int, everybody: int = 8, end: Any = END
) -> list[Person]:
    return [
        person_make(f"p{index}", **({"end_date": end} if index < leavers else {}))
        for index in range(everybody)
    ]


def _release(hold: Hold, user: User, *, now: datetime = DUE, **given: Any) -> int:
    rows = held_rows(hold)
    values: dict[str, Any] = {
        "run_ids": [row.run.pk for row in rows],
        "seal": list_seal(rows),
        "named": "",
        "reason": "It is the end of the season.",
        **given,
    }
    return hold_release(hold, now=now, actor=user, **values)


@pytest.mark.parametrize(("leavers", "held"), [(1, 0), (2, 0), (3, 3)])
def test_a_company_of_eight_is_guarded_from_three_leavers_on(
    person_make: Make, workflow_make: Make, leavers: int, held: int
) -> None:
    _company(person_make, leavers=leavers)
    workflow_make()
    report = run_due(now=DUE)
    assert (report.held, report.started) == (held, leavers - held)
    assert len(EffectAction.effects) == leavers - held
    if held:
        hold = Hold.objects.get()
        assert hold.reason.startswith("3 of 8 people within 24 hours; the limit is 10 %.")
        assert [row.person.full_name for row in held_rows(hold)] == ["P0", "P1", "P2"]


def test_a_slow_leak_is_caught_by_the_week(person_make: Make, workflow_make: Make) -> None:
    """Two a day stay below the daily limit; on the fourth day the week's is passed."""
    people = _company(person_make, leavers=0, everybody=40)
    workflow_make(
        limits={
            "hold_above": {"people": 5, "percent": 100},
            "hold_above_week": {"people": 6, "percent": 100},
        }
    )
    held = []
    for day in range(4):
        for person in people[2 * day : 2 * day + 2]:
            Person.objects.filter(pk=person.pk).update(end_date=END + timedelta(days=day))
        held.append(run_due(now=DUE + timedelta(days=day)).held)
    assert held == [0, 0, 0, 2]
    assert Hold.objects.get().reason.startswith("8 people within 7 days; the limit is 6.")


def test_workflows_together_pass_the_limit_of_the_workspace(
    person_make: Make, workflow_make: Make
) -> None:
    people = _company(person_make, leavers=2, everybody=40)
    for person in people[2:4]:
        Person.objects.filter(pk=person.pk).update(
            start_date=END, known_at={"start_date": "2026-11-01T07:00:00+00:00"}
        )
    Workspace.objects.update_or_create(
        pk=1, defaults={"workspace_limit_people": 3, "workspace_limit_percent": 100}
    )
    workflow_make("leave")
    workflow_make("join", trigger={"type": "test.day", "params": {"field": "start_date"}})
    assert run_due(now=DUE).held == 4
    assert EffectAction.effects == []
    assert {hold.scope for hold in Hold.objects.all()} == {"workspace"}
    assert "over all workflows" in Hold.objects.first().reason  # type: ignore[union-attr]


def test_what_is_held_counts_so_that_nothing_drips_past(
    person_make: Make, workflow_make: Make
) -> None:
    people = _company(person_make, leavers=3, everybody=40)
    workflow_make(limits=EXAMPLE)
    assert run_due(now=DUE).held == 3
    Person.objects.filter(pk=people[5].pk).update(
        end_date=END, known_at={"end_date": (DUE + timedelta(hours=1)).isoformat()}
    )
    assert run_due(now=DUE + timedelta(hours=1)).held == 1
    assert EffectAction.effects == []


def test_manual_runs_are_counted_and_their_starter_may_not_release(
    person_make: Make, workflow_make: Make, second: User
) -> None:
    people = _company(person_make, leavers=0, everybody=40)
    workflow = workflow_make(limits=EXAMPLE)
    starter = User.objects.create_user("starter", is_superuser=True)
    runs = runs_start(workflow, people[:3], now=DUE, actor=starter)
    assert {run.status for run in runs} == {Run.Status.HELD}
    run_due(now=DUE)
    assert EffectAction.effects == []
    hold = Hold.objects.get()
    with pytest.raises(RefusedError, match="You started these runs"):
        _release(hold, starter)
    with pytest.raises(RefusedError, match="on a held list"):
        run_release(runs[0], reason="quick", now=DUE, actor=second)
    assert _release(hold, second) == 3
    run_due(now=DUE)
    assert len(EffectAction.effects) == 3


def test_who_published_or_changed_the_limits_is_no_second_person(
    person_make: Make, workflow_make: Make, second: User
) -> None:
    _company(person_make, leavers=3, everybody=40)
    publisher = User.objects.create_user("publisher", is_superuser=True)
    workflow_make(limits=EXAMPLE)
    QuerySet.update(WorkflowVersion.objects.all(), published_by=publisher)
    with clock.fixed(DUE):
        run_due(now=DUE)
        hold = Hold.objects.get()
        with pytest.raises(RefusedError, match="You published this workflow"):
            _release(hold, publisher)
        before = limits_of(workspace_get())
        assert limits_change(before | {"workflow_limit_people": 99}, reason="season", actor=second)
        with pytest.raises(RefusedError, match="You changed the limits"):
            _release(hold, second)
    assert AuditEntry.objects.get(action="limits.changed").detail["changes"] == {
        "workflow_limit_people": [20, 99]
    }
    assert Run.objects.filter(status=Run.Status.HELD).count() == 3


def test_raising_a_limit_lets_nothing_go_that_is_held(
    person_make: Make, workflow_make: Make
) -> None:
    people = _company(person_make, leavers=3, everybody=8)
    workflow_make()
    run_due(now=DUE)
    limits_change({"workflow_limit_percent": 100}, reason="season", actor=None)
    run_due(now=DUE + timedelta(minutes=1))
    assert EffectAction.effects == []
    Person.objects.filter(pk=people[5].pk).update(
        end_date=END, known_at={"end_date": (DUE + timedelta(hours=1)).isoformat()}
    )
    assert run_due(now=DUE + timedelta(hours=1)).started == 1


def test_only_the_chosen_go_and_only_the_list_that_was_seen(
    person_make: Make, workflow_make: Make, second: User
) -> None:
    people = _company(person_make, leavers=4, everybody=40)
    workflow_make(limits=EXAMPLE)
    run_due(now=DUE)
    hold = Hold.objects.get()
    seen = held_rows(hold)
    with pytest.raises(RefusedError, match="Say why"):
        _release(hold, second, reason=" ")
    assert _release(hold, second, run_ids=[seen[0].run.pk]) == 1
    with pytest.raises(RefusedError, match="has changed since you saw it"):
        _release(hold, second, seal=list_seal(seen))
    rows = held_rows(hold)
    ids = [row.run.pk for row in rows]
    hold_discard(hold, run_ids=ids[:1], seal=list_seal(rows), reason="wrong", now=DUE, actor=second)
    run_due(now=DUE)
    assert len(EffectAction.effects) == 1
    by_person = {run.person_id: run.status for run in Run.objects.all()}
    assert [by_person[person.pk] for person in people[:4]] == ["done", "cancelled", "held", "held"]
    assert holds_open().get().waiting == 2
    assert _release(hold, second) == 2
    hold.refresh_from_db()
    assert hold.status == Hold.Status.RELEASED
    with pytest.raises(RefusedError, match="not held any more"):
        _release(hold, second, seal=list_seal([]))


def test_who_no_longer_matches_drops_out_before_any_effect(
    person_make: Make, workflow_make: Make, second: User
) -> None:
    people = _company(person_make, leavers=4, everybody=40)
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    workflow_make(limits=EXAMPLE, conditions={"combinator": "and", "rules": [rule]})
    run_due(now=DUE)
    hold = Hold.objects.get()
    Person.objects.filter(pk=people[0].pk).update(worker_type="direct_employee")
    Person.objects.filter(pk=people[1].pk).update(end_date=None)
    Person.objects.filter(pk=people[2].pk).update(end_date=END + timedelta(days=30))
    run_due(now=DUE + timedelta(minutes=1))
    assert [row.person.pk for row in held_rows(hold)] == [people[3].pk]
    reasons = {run.person_id: (run.status, run.reason) for run in Run.objects.all()}
    assert reasons[people[0].pk][1].startswith("No longer matches")
    assert "removed" in reasons[people[1].pk][1]
    assert reasons[people[2].pk][0] == Run.Status.SUPERSEDED
    assert _release(hold, second) == 1
    run_due(now=DUE + timedelta(minutes=2))
    assert len(EffectAction.effects) == 1


def test_what_nobody_releases_is_not_run_and_the_owner_hears_of_it(
    person_make: Make, workflow_make: Make, second: User
) -> None:
    _company(person_make, leavers=3, everybody=40)
    workflow = workflow_make(limits=EXAMPLE, owner="owner@acme.test")
    workflow.owner = "owner@acme.test"
    workflow.save()
    for minutes in range(3):
        run_due(now=DUE + timedelta(minutes=minutes))
    told = sorted(message.to[0] for message in mail.outbox)
    assert told == ["owner@acme.test", "second@acme.test"]
    assert "3 people within 24 hours; the limit is 2." in mail.outbox[0].body
    assert "P0" not in mail.outbox[0].body
    run_due(now=DUE + timedelta(days=7))
    hold = Hold.objects.get()
    assert hold.status == Hold.Status.EXPIRED
    assert {run.status for run in Run.objects.all()} == {Run.Status.CANCELLED}
    assert mail.outbox[-1].to == ["owner@acme.test"]
    assert mail.outbox[-1].subject.startswith("Not run:")
    assert AuditEntry.objects.filter(action="hold.expired").count() == 1
    run_due(now=DUE + timedelta(days=8))
    assert EffectAction.effects == []


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_protected_person_needs_a_named_release(
    person_make: Make, workflow_make: Make, second: User, by_hand: bool
) -> None:
    ceo = person_make("ceo", protected=True, **({} if by_hand else {"end_date": END}))
    workflow = workflow_make(
        steps=[
            {"key": "tell", "action": "test.effect"},
            {"key": "take", "action": "test.destroy"},
        ]
    )
    if by_hand:
        starter = User.objects.create_user("starter", is_superuser=True)
        runs_start(workflow, [ceo], now=DUE, actor=starter)
    run_due(now=DUE)
    run_due(now=DUE + timedelta(minutes=1))
    assert len(EffectAction.effects) == 1
    hold = Hold.objects.get()
    assert hold.kind == Hold.Kind.PROTECTED
    if by_hand:
        with pytest.raises(RefusedError, match="You started"):
            _release(hold, starter, named="ceo@acme.test")
    with pytest.raises(RefusedError, match="Type the work email"):
        _release(hold, second, named="somebody@acme.test")
    assert _release(hold, second, named=" CEO@acme.test ") == 1
    run_due(now=DUE + timedelta(minutes=2))
    assert len(EffectAction.effects) == 2
    run = Run.objects.get()
    assert (run.status, run.protection_released_by) == (Run.Status.DONE, "second")
