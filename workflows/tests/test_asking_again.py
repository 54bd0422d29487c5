"""A question that changes hands: who left, who stands in, side by side, asked back, asked anew."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.test import Client

from people.choices import PersonStatus
from people.models import Person
from siit_remote.tests.people_with_roles import small_company
from workflows.approvals import (
    DecisionRefusedError,
    approval_decide,
    approval_reassign,
    approval_send_back,
    approvals_approve,
)
from workflows.models import Approval, Delegation, Request, Run
from workflows.nodes import Lane, Wait
from workflows.request_changes import (
    RequestRefusedError,
    request_cancel,
    request_change,
    request_comment,
)
from workflows.standing_down import gone_stand_down
from workflows.standing_in import delegation_make
from workflows.tests.asking_kit import HR, T0, Pursue, asked, day, decide, person_make

pytestmark = pytest.mark.django_db


@pytest.fixture
def company_with_question(client: Client) -> Approval:
    """The manager is asked in a run that waits; the owner is signed in."""
    company = small_company()
    client.force_login(company.users["owner"])
    approval: Approval = company.objects["approval"]
    Run.objects.filter(pk=approval.step.run_id).update(status=Run.Status.WAITING)
    return approval


def test_approver_who_leaves_is_followed_by_the_next_up_the_chain(pursue: Pursue) -> None:
    pursue()
    Person.objects.filter(full_name="Boss").update(status=PersonStatus.ENDED)
    assert isinstance(pursue(), Wait)
    assert asked() == ["Chief"]
    closed = Approval.objects.get(approver__full_name="Boss")
    assert closed.closed_reason == "Boss has left. Chief is asked instead."
    assert [message.to for message in mail.outbox][1:] == [["chief@acme.test"]]


def test_next_up_the_chain_stays_although_the_fallback_could_be_asked(
    pursue: Pursue, hr: list[Person]
) -> None:
    pursue()
    Person.objects.filter(full_name="Boss").update(status=PersonStatus.ENDED)
    for hour in (9, 10):
        assert isinstance(pursue(at=day(0, hour)), Wait)
        assert asked() == ["Chief"]
    Person.objects.filter(full_name="Chief").update(status=PersonStatus.ENDED)
    pursue(at=day(0, 11))
    assert asked() == ["Bob", "Eve", "Kim"]


def test_approver_whose_account_is_switched_off_is_replaced_and_both_hear_of_it(
    pursue: Pursue,
) -> None:
    pursue()
    User.objects.create_user("boss", "boss@acme.test", is_active=False)
    assert isinstance(pursue(), Wait)
    assert asked() == ["Chief"]
    assert sorted(message.to[0] for message in mail.outbox[1:]) == [
        "boss@acme.test",
        "chief@acme.test",
    ]


def test_new_manager_is_asked_instead_of_the_former_who_may_decide_no_more(
    pursue: Pursue, ana: Person
) -> None:
    pursue()
    boss = Approval.objects.get()
    Person.objects.filter(pk=ana.pk).update(manager=Person.objects.get(full_name="Chief"))
    with pytest.raises(DecisionRefusedError, match="Chief decides this now"):
        approval_decide(boss.pk, by=boss.approver, approve=True, now=T0)
    assert isinstance(pursue(), Wait)
    assert (asked("cancelled"), asked()) == (["Boss"], ["Chief"])


def test_silence_is_given_to_the_fallback_at_once_where_it_is_reassigned(
    pursue: Pursue, hr: list[Person]
) -> None:
    params: dict[str, Any] = {"due": {"working_days": 1}, "on_no_response": "reassign"}
    pursue(**params)
    assert isinstance(pursue(at=day(2), **params), Wait)
    assert (asked("expired"), asked()) == (["Boss"], ["Bob", "Eve", "Kim"])


def test_stages_side_by_side_are_asked_at_once_and_need_both(
    pursue: Pursue, hr: list[Person]
) -> None:
    params: dict[str, Any] = {"also": [{"approver": HR, "rule": "any"}], "together": True}
    pursue(**params)
    assert asked() == ["Bob", "Boss", "Eve", "Kim"]
    decide("Kim")
    assert isinstance(pursue(**params), Wait)
    assert asked() == ["Boss"]
    decide("Boss")
    found = pursue(**params)
    assert isinstance(found, Lane)
    assert found.lanes == ("approved",)


def test_a_no_in_a_stage_side_by_side_ends_all(pursue: Pursue, hr: list[Person]) -> None:
    params: dict[str, Any] = {"also": [{"approver": HR, "rule": "any"}], "together": True}
    pursue(**params)
    decide("Kim", approve=False)
    found = pursue(**params)
    assert isinstance(found, Lane)
    assert (found.lanes, asked()) == (("rejected",), [])


def test_of_several_who_may_say_yes_the_second_hears_who_was_first(
    pursue: Pursue, hr: list[Person]
) -> None:
    pursue(approver=HR)
    decide("Eve")
    bob = Approval.objects.get(approver__full_name="Bob")
    with pytest.raises(DecisionRefusedError, match="Already approved by Eve on 2 Nov 2026"):
        approval_decide(bob.pk, by=bob.approver, approve=False, comment="No.", now=T0)
    pursue(approver=HR)
    with pytest.raises(DecisionRefusedError, match="Approved by Eve already"):
        approval_decide(bob.pk, by=bob.approver, approve=False, comment="No.", now=T0)


def test_question_back_waits_for_the_requester_and_returns_with_the_answer(
    pursue: Pursue, ana: Person
) -> None:
    pursue()
    row = Approval.objects.get()
    approval_send_back(row.pk, by=row.approver, question="Which screen?", now=T0)
    row.refresh_from_db()
    assert (row.status, mail.outbox[-1].to) == ("info", ["ana@acme.test"])
    assert isinstance(pursue(at=day(1)), Wait)
    assert len(mail.outbox) == 2, "no reminder while the requester is asked"
    request = Request.objects.get()
    assert request.status == "waiting"
    request_comment(request, "The large one.", by=ana, now=day(1))
    row.refresh_from_db()
    assert (row.status, row.due_at) == ("pending", day(8, 18))
    pursue(at=day(1))
    assert mail.outbox[-1].to == ["boss@acme.test"]
    assert list(request.notes.exclude(kind="event").values_list("kind", "text")) == [
        ("question", "Which screen?"),
        ("answer", "The large one."),
    ]


def test_question_back_without_an_answer_returns_to_the_approver(pursue: Pursue) -> None:
    params: dict[str, Any] = {"due": {"working_days": 2}}
    pursue(**params)
    row = Approval.objects.get()
    approval_send_back(row.pk, by=row.approver, question="Why?", now=T0)
    assert isinstance(pursue(at=day(3), **params), Wait)
    row.refresh_from_db()
    assert row.status == "pending"
    assert row.due_at is not None
    assert row.due_at > day(3)
    assert mail.outbox[-1].subject.startswith("No answer came")


def _with_field(request: Request) -> None:
    request.service.fields = [{"name": "model", "type": "text", "label": "Model"}]
    request.service.save()


def test_changed_request_voids_what_was_decided_and_asks_anew(
    pursue: Pursue, hr: list[Person], ana: Person
) -> None:
    params: dict[str, Any] = {"also": [{"approver": HR, "rule": "any"}]}
    pursue(**params)
    decide("Boss")
    pursue(**params)
    request = Request.objects.get()
    _with_field(request)
    old = Approval.objects.get(approver__full_name="Kim")
    assert request_change(request, {"model": "M4"}, revision=1, by=ana, now=T0)
    with pytest.raises(DecisionRefusedError, match="The request changed"):
        approval_decide(old.pk, by=old.approver, approve=True, now=T0)
    assert isinstance(pursue(**params), Wait)
    assert asked() == ["Boss"]
    assert Approval.objects.get(status="pending").round == 2
    assert Run.objects.get().change["request.form.model"] == "M4"


def test_change_of_an_earlier_version_is_refused(pursue: Pursue, ana: Person) -> None:
    pursue()
    request = Request.objects.get()
    _with_field(request)
    request_change(request, {"model": "M4"}, revision=1, by=ana, now=T0)
    with pytest.raises(RequestRefusedError, match="meanwhile"):
        request_change(request, {"model": "M5"}, revision=1, by=ana, now=T0)
    request.refresh_from_db()
    assert (request.form, request.revision) == ({"model": "M4"}, 2)


def test_same_answers_ask_nobody_anew(pursue: Pursue, ana: Person) -> None:
    pursue()
    request = Request.objects.get()
    assert not request_change(request, {}, revision=1, by=ana, now=T0)
    assert asked() == ["Boss"]


def test_request_taken_back_is_decided_by_nobody(pursue: Pursue, ana: Person) -> None:
    pursue()
    row = Approval.objects.get()
    request_cancel(Request.objects.get(), reason="Found one.", by=ana, now=T0)
    assert Request.objects.get().status == "cancelled"
    assert Run.objects.get().status == "cancelled"
    with pytest.raises(DecisionRefusedError, match="Taken back by Ana: Found one"):
        approval_decide(row.pk, by=row.approver, approve=True, now=T0)
    with pytest.raises(RequestRefusedError, match="closed already"):
        request_cancel(Request.objects.get(), reason="", by=ana, now=T0)


def test_request_waits_then_is_worked_on_and_closed_with_the_reason(pursue: Pursue) -> None:
    pursue()
    request = Request.objects.get()
    assert (request.status, request.status_reason) == (
        "waiting",
        "Waits for the decision of Boss.",
    )
    decide("Boss", approve=False)
    pursue()
    request.refresh_from_db()
    assert (request.status, request.status_reason) == ("resolved", "Rejected by Boss: Why.")


def test_question_moved_by_hand_is_the_other_ones(pursue: Pursue) -> None:
    pursue()
    row = Approval.objects.get()
    other = person_make("other")
    moved = approval_reassign(row.pk, to=other, reason="On leave", now=T0)
    pursue()
    assert (asked("cancelled"), asked()) == (["Boss"], ["Other"])
    assert "On leave" in moved.why_asked
    assert {"boss@acme.test", "other@acme.test"} <= {m.to[0] for m in mail.outbox[1:]}
    with pytest.raises(DecisionRefusedError, match="Moved to Other"):
        approval_decide(row.pk, by=row.approver, approve=True, now=T0)
    approval_decide(moved.pk, by=other, approve=True, now=T0)


@pytest.mark.parametrize("whom", ["ana", "boss", "gone"])
def test_question_is_never_moved_to_the_subject_the_asked_or_the_left(
    pursue: Pursue, whom: str
) -> None:
    pursue()
    person_make("gone", status=PersonStatus.ENDED)
    to = Person.objects.get(work_email=f"{whom}@acme.test")
    with pytest.raises(DecisionRefusedError):
        approval_reassign(Approval.objects.get().pk, to=to, reason="x", now=T0)
    assert asked() == ["Boss"]


def test_several_are_approved_at_once_only_where_the_step_allows_it(pursue: Pursue) -> None:
    pursue()
    row = Approval.objects.get()
    ((_, refused),) = approvals_approve([row.pk], by=row.approver, now=T0)
    assert "own page" in refused
    Approval.objects.update(bulk=True)
    assert approvals_approve([row.pk, row.pk], by=row.approver, now=T0) == [(row.pk, "")]


def test_stand_in_is_mailed_too_and_both_names_stay(pursue: Pursue) -> None:
    boss, other = Person.objects.get(full_name="Boss"), person_make("other")
    delegation_make(
        approver=boss,
        delegate=other,
        kind=Delegation.Kind.PERMANENT,
        starts_on=T0.date(),
        ends_on=None,
        now=T0,
        actor=None,
    )
    pursue()
    assert [message.to for message in mail.outbox] == [["boss@acme.test"], ["other@acme.test"]]
    row = Approval.objects.get()
    approval_decide(row.pk, by=other, approve=True, now=T0)
    row.refresh_from_db()
    assert (row.approver, row.decided_by) == (boss, other)


def test_account_switched_off_in_the_admin_hands_its_questions_on_at_once(
    company_with_question: Approval, client: Client
) -> None:
    run = company_with_question.step.run
    Run.objects.filter(pk=run.pk).update(wake_at=None)
    manager = User.objects.get(username="manager")
    form = {
        "username": "manager", "email": "manager@acme.test", "groups": [
            group.pk for group in manager.groups.all()
        ],
    }  # fmt: skip
    answer = client.post(f"/admin/auth/user/{manager.pk}/change/", form)
    assert answer.status_code == 302
    assert not User.objects.get(pk=manager.pk).is_active
    run.refresh_from_db()
    assert run.wake_at is not None, "the engine looks now, not at the next reminder"


def test_command_lets_those_who_are_gone_stand_down_as_the_worker_does(
    company_with_question: Approval,
) -> None:
    run = company_with_question.step.run
    Run.objects.filter(pk=run.pk).update(wake_at=None)
    call_command("run_due", stdout=StringIO())
    run.refresh_from_db()
    assert (run.status, run.wake_at) == (Run.Status.WAITING, None)
    Person.objects.filter(work_email="manager@acme.test").update(status=PersonStatus.ENDED)
    call_command("run_due", stdout=StringIO())
    run.refresh_from_db()
    assert (run.status, run.wake_at) != (Run.Status.WAITING, None), "the engine has looked at it"


@pytest.mark.parametrize("how", ["left", "switched off"])
def test_whoever_is_gone_by_any_way_stands_down_at_the_next_pass(
    company_with_question: Approval, how: str
) -> None:
    run = company_with_question.step.run
    Run.objects.filter(pk=run.pk).update(wake_at=None)
    assert gone_stand_down(now=T0) == 0
    if how == "left":
        Person.objects.filter(work_email="manager@acme.test").update(status=PersonStatus.ENDED)
    else:
        User.objects.filter(username="manager").update(is_active=False)
    assert gone_stand_down(now=T0) == 1
    assert Run.objects.get(pk=run.pk).wake_at == T0
