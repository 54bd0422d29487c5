"""The acceptance list of the engine, by number: what others shipped as bugs."""

# ruff: noqa: F811 - fixtures are asked for by name

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from integrations.models import Connection
from people.models import Person, Role
from siit_remote.lib import clock
from workflows.approvals import DecisionRefusedError, approval_decide
from workflows.engine import execute, starting
from workflows.engine.outlook import preview
from workflows.engine.service import run_due
from workflows.engine.starting import runs_plan
from workflows.engine.world import planned_version
from workflows.models import Approval, Run, StepRun, Workflow, WorkflowVersion
from workflows.nodes import APPROVERS, TRIGGERS, Wait
from workflows.one_pass import pass_once
from workflows.runs import runs_start
from workflows.services import digest_of, workflow_act
from workflows.tests.engine.conftest import (  # noqa: F401 - fixtures
    DUE,
    END,
    T0,
    _nodes,
    person_make,
    workflow_make,
)
from workflows.tests.engine.nodes import EffectAction
from workflows.timing import moment_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
DAY = timedelta(days=1)
ON_END = {"type": "person.end_date", "params": {"at": "09:00"}}
PAUSE = [
    {"key": "pause", "wait": {"for": {"days": 2}}},
    {"key": "one", "action": "test.effect"},
]


def _only(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {
        "combinator": "and",
        "rules": [{"field": field, "operator": operator, "value": value}],
    }


def test_item_01_a_date_equal_to_the_day_of_the_last_pass_still_fires(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make(trigger=ON_END)
    assert run_due(now=DUE - timedelta(hours=2)).started == 0
    assert run_due(now=DUE).started == 1
    assert run_due(now=DUE + timedelta(hours=2)).started == 0


@pytest.mark.parametrize(
    ("policy", "status", "effects", "words"),
    [
        ("run", "done", 1, ""),
        ("ask", "held", 0, "known after its own moment"),
        ("skip", "cancelled", 0, "known after its own moment; skipped"),
    ],
)
def test_item_02_a_date_entered_after_its_own_moment_runs_late_and_says_so(
    person_make: Make, workflow_make: Make, policy: str, status: str, effects: int, words: str
) -> None:
    """Or it is asked about, or passed over: never without a row that says so."""
    person_make("ana", end_date=END, known=(DUE + DAY).isoformat())
    late = {"policy": policy, "within_days": 3}
    workflow_make(trigger={**ON_END, "params": {"at": "09:00", "late": late}})
    run_due(now=DUE + DAY + timedelta(hours=3))
    run = Run.objects.get()
    assert (run.late, run.status) == (True, status)
    assert words in run.reason
    assert len(EffectAction.effects) == effects


@pytest.mark.parametrize(
    ("to", "due"),
    [
        (END - 3 * DAY, DUE - 3 * DAY),
        (END + 9 * DAY, DUE + 9 * DAY),
        (None, None),
        (END - 23 * DAY, None),
    ],
)
def test_item_03_a_date_moved_earlier_later_cleared_or_into_the_past(
    person_make: Make, workflow_make: Make, to: date | None, due: datetime | None
) -> None:
    """Into the past before the workflow went live there is nothing to do."""
    ana = person_make("ana", end_date=END)
    workflow_make(trigger=ON_END)
    run_due(now=DUE - 5 * DAY)
    Person.objects.filter(pk=ana.pk).update(end_date=to)
    for days in range(-4, 11):
        run_due(now=DUE + days * DAY)
    runs = list(Run.objects.all())
    assert [run.due_at for run in runs] == ([due] if due else [])
    assert len(EffectAction.effects) == len(runs)


@pytest.mark.parametrize("direction", ["before", "after"])
def test_item_04_an_offset_is_said_in_words_without_a_sign(direction: str) -> None:
    trigger = TRIGGERS.get("person.end_date")
    assert trigger is not None
    words = trigger.sentence({"direction": direction, "days": 3})
    assert f"3 days {direction} the end date" in words
    assert not re.search(r"[-−]\s*\d", words)


@pytest.mark.parametrize(
    ("born", "year", "expected"),
    [
        (date(2000, 2, 29), 2027, date(2027, 2, 28)),
        (date(2000, 2, 29), 2028, date(2028, 2, 29)),
        (date(1990, 12, 31), 2026, date(2026, 12, 31)),
        (date(1990, 1, 1), 2027, date(2027, 1, 1)),
    ],
)
def test_item_05_leap_days_and_the_end_of_the_year(
    person_make: Make, workflow_make: Make, born: date, year: int, expected: date
) -> None:
    person_make("ana", date_of_birth=born)
    workflow_make(trigger={"type": "person.birthday", "params": {"at": "09:00"}})
    moment = datetime(expected.year, expected.month, expected.day, 8, tzinfo=UTC)
    assert run_due(now=moment - timedelta(minutes=1)).started == 0
    assert run_due(now=moment).started == 1
    assert Run.objects.get().anchor == expected.isoformat()
    assert Run.objects.get().anchor.startswith(str(year))


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        # Paris skips 02:00–03:00 on 28 March 2027: the first instant after the gap.
        (date(2027, 3, 28), "02:30", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        # … and has 02:30 twice on 25 October 2026: the first of both.
        (date(2026, 10, 25), "02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_item_06_a_local_time_that_is_skipped_or_happens_twice(
    day: date, at: str, expected: datetime
) -> None:
    found = moment_of(day, offset_days=0, at=at, timezone="Europe/Paris")
    assert found is not None
    assert abs(found - expected) <= timedelta(seconds=1)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2027, 3, 28), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        (date(2027, 10, 31), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),
    ],
)
def test_item_06_it_starts_once_where_the_clocks_change(
    person_make: Make, workflow_make: Make, day: date, expected: datetime
) -> None:
    person_make("ana", end_date=day)
    workflow_make(trigger={"type": "person.end_date", "params": {"at": "02:30"}})
    assert run_due(now=expected - timedelta(minutes=1)).started == 0
    assert run_due(now=expected + timedelta(seconds=1)).started == 1
    assert run_due(now=expected + timedelta(hours=1)).started == 0
    assert len(EffectAction.effects) == 1


def test_item_07_a_wait_follows_the_person_to_another_country(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    until = {"anchor": "person.end_date", "direction": "after", "days": 1, "at": "09:00"}
    workflow_make(
        steps=[
            {"key": "pause", "wait": {"until": until}},
            {"key": "one", "action": "test.effect"},
        ]
    )
    run_due(now=DUE)
    assert StepRun.objects.get().wake_at == DUE + DAY
    Person.objects.filter(pk=ana.pk).update(country="USA", timezone="America/New_York")
    assert run_due(now=DUE + DAY).finished == 0
    in_new_york = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
    assert StepRun.objects.get(key="pause").wake_at == in_new_york
    assert run_due(now=in_new_york).finished == 1


def test_item_08_one_pass_has_one_moment(
    person_make: Make, workflow_make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_make("ana", end_date=END)
    person_make("bob", end_date=END)
    workflow_make(
        steps=[{"key": "one", "action": "test.effect"}, {"key": "two", "action": "test.effect"}]
    )
    real = clock.now
    asked: list[str] = []

    def now() -> datetime:
        asked.append("asked")
        return real()

    monkeypatch.setattr(clock, "now", now)
    pass_once(now=DUE, within=DAY)
    assert asked == []
    moments = {(run.created_at, run.started_at, run.finished_at) for run in Run.objects.all()}
    assert moments == {(DUE, DUE, DUE)}
    assert {step.finished_at for step in StepRun.objects.all()} == {DUE}


def test_item_09_today_is_the_day_of_the_pass_not_of_saving(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END, probation_end_date=END + 5 * DAY)
    person_make("bob", end_date=END, probation_end_date=T0.date() + 5 * DAY)
    workflow_make(conditions=_only("person.probation_end_date", "in_next_days", 7))
    run_due(now=DUE)
    assert [run.person.work_email for run in Run.objects.all()] == ["ana@acme.test"]


def test_item_10_two_schedulers_that_saw_the_same_make_one_run(
    person_make: Make, workflow_make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have judged before either writes; processes do it in the tests of a killed engine."""
    person_make("ana", end_date=END)
    workflow_make()
    write = starting._write

    def twice(batches: Any, look: Any, *, now: datetime) -> Any:
        first = write(batches, look, now=now)
        assert write(batches, look, now=now).started == 0
        return first

    monkeypatch.setattr(starting, "_write", twice)
    assert runs_plan(now=DUE).started == 1
    assert Run.objects.count() == 1


def test_item_11_a_worker_killed_between_effect_and_record_repeats_nothing(
    person_make: Make, workflow_make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_make("ana", end_date=END)
    message = {"to": "person", "subject": "Bye", "body": "Bye"}
    workflow_make(steps=[{"key": "tell", "action": "message.send", "params": message}])

    class Killed(BaseException):
        """What a killed process leaves: no outcome."""

    def die(name: str) -> None:
        if name == "effect.after":
            raise Killed

    monkeypatch.setattr(execute.crash, "point", die)
    with pytest.raises(Killed):
        run_due(now=DUE)
    monkeypatch.setattr(execute.crash, "point", lambda name: None)
    Run.objects.update(lease_until=None)
    assert len(mail.outbox) == 1
    assert run_due(now=DUE).held == 1
    assert len(mail.outbox) == 1
    assert StepRun.objects.get().status == StepRun.Status.UNCERTAIN
    assert "may have been sent" in Run.objects.get().reason


def test_item_12_leaving_the_condition_mid_run_ends_it_before_the_next_effect(
    person_make: Make, workflow_make: Make
) -> None:
    ana = person_make("ana", end_date=END)
    workflow_make(conditions=_only("person.worker_type", "is", "contractor"), steps=PAUSE)
    run_due(now=DUE)
    Person.objects.filter(pk=ana.pk).update(worker_type="eor_employee")
    run_due(now=DUE + 2 * DAY)
    run = Run.objects.get()
    assert run.status == Run.Status.CANCELLED
    assert "No longer matches" in run.reason
    assert EffectAction.effects == []


def test_item_13_a_workflow_edited_mid_run_leaves_the_run_on_its_version(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow = workflow_make(steps=PAUSE)
    run_due(now=DUE)
    document = {**workflow.draft, "steps": [{"key": "other", "action": "test.effect"}]}
    # Edited and not published: nothing of it counts for anybody.
    Workflow.objects.filter(pk=workflow.pk).update(draft=document)
    run_due(now=DUE + DAY)
    assert list(StepRun.objects.values_list("key", flat=True)) == ["pause"]
    second = WorkflowVersion.objects.create(
        workflow=workflow, number=2, document=document, digest=digest_of(document), published_at=DUE
    )
    Workflow.objects.filter(pk=workflow.pk).update(live_version=second)
    bob = person_make("bob", end_date=END + 2 * DAY)
    run_due(now=DUE + 2 * DAY)
    run = Run.objects.exclude(person=bob).get()
    assert (run.version.number, run.status) == (1, Run.Status.DONE)
    assert list(run.steps.values_list("key", flat=True)) == ["pause", "one"]
    after = Run.objects.get(person=bob)
    assert (after.version.number, list(after.steps.values_list("key", flat=True))) == (2, ["other"])


@pytest.mark.parametrize("who", ["requester", "nobody", "inactive", "loop"])
def test_item_14_then_the_fallback_is_asked_and_never_the_subject(
    person_make: Make, workflow_make: Make, who: str
) -> None:
    ana, boss, hr = (person_make(name) for name in ("ana", "boss", "hr"))
    Role.objects.create(name="hr").members.add(hr, ana)
    approver: dict[str, Any] = {"type": "manager"}
    if who == "requester":
        approver = {"type": "person", "email": ana.work_email}
    elif who != "nobody":
        Person.objects.filter(pk=ana.pk).update(manager=boss)
    if who == "inactive":
        Person.objects.filter(pk=boss.pk).update(status="ended")
    if who == "loop":
        approver = {"type": "managers_manager"}
        Person.objects.filter(pk=boss.pk).update(manager=ana)
    Person.objects.filter(pk=ana.pk).update(end_date=END)
    params = {"approver": approver, "fallback": {"type": "role", "name": "hr"}}
    workflow_make(
        trigger=ON_END,
        steps=[
            {"key": "ask", "action": "approval.request", "params": params},
            {"key": "one", "action": "test.effect"},
        ],
    )
    Person.objects.filter(pk=ana.pk).update(known_at={"end_date": T0.isoformat()})
    run_due(now=DUE)
    assert [approval.approver for approval in Approval.objects.all()] == [hr]
    assert Run.objects.get().status == Run.Status.WAITING
    assert EffectAction.effects == []


@pytest.mark.parametrize("who", ["leaver", "nobody", "inactive", "loop"])
def test_item_14_no_manager_who_is_the_subject_empty_or_gone_is_asked(
    person_make: Make, who: str
) -> None:
    ana, boss = person_make("ana"), person_make("boss", status="active")
    managers = {"leaver": ana, "nobody": None, "inactive": boss, "loop": boss}
    ana.manager = managers[who]
    if who == "leaver":
        # The database refuses it; the resolver does not rely on that.
        ana.manager = ana
    else:
        ana.save()
    if who == "inactive":
        boss.status = "ended"
        boss.save()
    if who == "loop":
        boss.manager = ana
        boss.save()
    key = "managers_manager" if who == "loop" else "manager"
    approver = APPROVERS.get(key)
    assert approver is not None
    found = approver.resolve({}, subject=ana, facts={}, now=DUE)
    assert found.people == ()
    assert found.reason


def test_item_15_the_second_answer_and_the_one_after_expiry_are_refused(
    person_make: Make, workflow_make: Make
) -> None:
    approval = _asked(person_make, workflow_make, due_at=DUE + DAY)
    boss = approval.approver
    with pytest.raises(DecisionRefusedError, match="time to decide is over"):
        approval_decide(approval.pk, by=boss, approve=True, comment="", now=DUE + 2 * DAY)
    approval_decide(approval.pk, by=boss, approve=True, comment="", now=DUE)
    with pytest.raises(DecisionRefusedError, match="Already approved by Boss"):
        approval_decide(approval.pk, by=boss, approve=False, comment="no", now=DUE)


def test_item_15_of_two_who_are_asked_the_first_decides_and_the_run_goes_on_once(
    person_make: Make, workflow_make: Make
) -> None:
    """Both press at the same moment; in processes at once they do in the tests under fire."""
    person_make("ana", end_date=END)
    hr = Role.objects.create(name="hr")
    hr.members.add(person_make("bob"), person_make("eve"))
    role = {"type": "role", "name": "hr"}
    workflow_make(
        steps=[
            {
                "key": "ask",
                "action": "approval.request",
                "params": {"approver": role, "fallback": role, "rule": "any"},
            },
            {"key": "one", "action": "test.effect"},
        ]
    )
    run_due(now=DUE)
    first, second = Approval.objects.order_by("pk")
    approval_decide(first.pk, by=first.approver, approve=True, comment="", now=DUE)
    run_due(now=DUE + timedelta(minutes=1))
    with pytest.raises(DecisionRefusedError):
        approval_decide(second.pk, by=second.approver, approve=False, comment="no", now=DUE)
    run_due(now=DUE + timedelta(minutes=2))
    assert Run.objects.get().status == Run.Status.DONE
    assert len(EffectAction.effects) == 1


def test_item_16_opening_the_link_of_an_approval_never_decides(
    person_make: Make, workflow_make: Make
) -> None:
    approval = _asked(person_make, workflow_make)
    User.objects.create_user("boss", "boss@acme.test", "pw")
    client = Client()
    client.force_login(User.objects.get())
    for _ in range(20):
        assert client.get(f"/approvals/{approval.pk}/").status_code == 200
        assert client.head(f"/approvals/{approval.pk}/").status_code == 405
        for method in (client.get, client.head, client.options):
            assert method(f"/approvals/{approval.pk}/decide/?decision=approve").status_code == 405
    approval.refresh_from_db()
    assert approval.status == Approval.Status.PENDING


def _asked(person_make: Make, workflow_make: Make, **values: Any) -> Approval:
    ana, boss = person_make("ana", end_date=END), person_make("boss")
    workflow_make(steps=[{"key": "ask", "action": "test.effect"}])
    EffectAction.script = lambda ctx, params: Wait(reason="asked")
    run_due(now=DUE)
    return Approval.objects.create(
        step=StepRun.objects.get(), subject=ana, approver=boss, title="May it?", asked_at=DUE,
        **values,
    )  # fmt: skip


def test_item_17_who_is_shown_is_who_then_runs(person_make: Make, workflow_make: Make) -> None:
    for index, country in enumerate(("FRA", "ESP", "", "FRA", "DEU")):
        person_make(f"p{index}", end_date=END, country=country)
    conditions = _only("person.country", "in", ["FRA", "DEU"])
    workflow = workflow_make(
        conditions=conditions, limits={"hold_above": {"people": 9, "percent": 100}}
    )
    shown = preview(planned_version(workflow.live_version), now=DUE)
    assert not Run.objects.exists()
    run_due(now=DUE)
    ran = {run.person.work_email for run in Run.objects.all()}
    assert {row["person"] for row in shown["matched"]} == ran
    assert len(ran) == 3


@pytest.mark.parametrize(("days", "status"), [(2, "done"), (5, "held")])
def test_item_18_after_a_pause_the_catch_up_window_decides(
    person_make: Make, workflow_make: Make, days: int, status: str
) -> None:
    person_make("ana", end_date=END)
    workflow = workflow_make()
    run_due(now=DUE - timedelta(hours=1))
    workflow_act(workflow, "pause", reason="holidays", now=DUE, actor=None)
    run_due(now=DUE)
    assert not Run.objects.exists()
    back = DUE + days * DAY
    workflow.refresh_from_db()
    workflow_act(workflow, "resume", reason="", now=back, actor=None)
    run_due(now=back)
    run = Run.objects.get()
    assert (run.status, run.late) == (status, True)
    # Never silently left out: who is held says since when, who ran says that it was late.
    assert (f"due {days} days ago" in run.reason) == (status == "held")
    assert len(EffectAction.effects) == (status == "done")


def test_item_19_a_connection_lost_mid_run_holds_it_and_repeats_nothing(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    params = {"connection": "idp"}
    workflow_make(
        steps=[
            {"key": "one", "action": "test.effect"},
            {"key": "close", "action": "idp.suspend_account", "params": params},
        ]
    )
    idp = Connection.objects.create(
        key="idp", connector="scim", name="Identity", status="disconnected", created_at=T0
    )
    assert run_due(now=DUE).held == 1
    run = Run.objects.get()
    assert "“idp” is disconnected" in run.reason
    assert len(EffectAction.effects) == 1
    run_due(now=DUE + timedelta(minutes=20))
    assert Run.objects.get().status == Run.Status.HELD
    assert len(EffectAction.effects) == 1
    idp.delete()
    run_due(now=DUE + timedelta(minutes=40))
    assert "does not exist" in Run.objects.get().reason


def test_item_20_a_run_by_hand_obeys_conditions_and_limits(
    person_make: Make, workflow_make: Make
) -> None:
    people = [person_make(f"p{index}") for index in range(40)]
    stranger = person_make("eve", worker_type="eor_employee")
    workflow = workflow_make(
        conditions=_only("person.worker_type", "is", "contractor"),
        limits={"hold_above": {"people": 3, "percent": 100}},
    )
    runs = runs_start(workflow, [*people[:2], stranger], now=DUE, actor=None)
    assert [run.person for run in runs] == people[:2]
    assert {run.status for run in runs} == {Run.Status.QUEUED}
    more = runs_start(workflow, people[2:5], now=DUE + timedelta(minutes=1), actor=None)
    assert {run.status for run in more} == {Run.Status.HELD}
    run_due(now=DUE + timedelta(minutes=2))
    assert len(EffectAction.effects) == 2
