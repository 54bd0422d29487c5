"""An approval step over its life: who is asked, who else, until when, and what silence means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail

from people.choices import PersonStatus
from people.models import Person, Role
from siit_remote.audit.models import AuditEntry
from workflows.models import Approval
from workflows.nodes import Failed, Lane, Wait
from workflows.tests.asking_kit import HR, T0, Pursue, asked, day, decide, person_make

pytestmark = pytest.mark.django_db


def test_first_look_asks_mails_a_link_and_waits(pursue: Pursue) -> None:
    found = pursue(due={"working_days": 3})
    assert isinstance(found, Wait)
    assert found.until is not None
    assert found.until > T0
    (approval,) = Approval.objects.all()
    assert (approval.approver.full_name, approval.subject.full_name) == ("Boss", "Ana")
    assert approval.due_at == datetime(2026, 11, 5, 18, 0, tzinfo=UTC)
    (sent,) = mail.outbox
    assert sent.to == ["boss@acme.test"]
    assert f"/approvals/{approval.pk}/" in sent.body


def test_second_look_asks_nobody_again(pursue: Pursue) -> None:
    first, second = pursue(), pursue()
    assert isinstance(first, Wait)
    assert isinstance(second, Wait)
    assert (asked(), len(mail.outbox)) == (["Boss"], 1)


@pytest.mark.parametrize(("approve", "lane"), [(True, "approved"), (False, "rejected")])
def test_decision_opens_its_lane(pursue: Pursue, approve: bool, lane: str) -> None:
    pursue()
    decide("Boss", approve=approve)
    found = pursue()
    assert isinstance(found, Lane)
    assert found.lanes == (lane,)
    assert "Boss" in found.summary


def test_requester_is_told_why_it_is_rejected(pursue: Pursue) -> None:
    pursue()
    decide("Boss", approve=False)
    pursue()
    (_, told) = mail.outbox
    assert told.to == ["ana@acme.test"]
    assert "Why." in told.body


def test_due_skips_the_approvers_holidays_and_weekends(pursue: Pursue, ana: Person) -> None:
    assert ana.manager is not None
    Person.objects.filter(pk=ana.manager.pk).update(country="FRA", timezone="Europe/Paris")
    pursue(at=datetime(2026, 11, 6, 8, 0, tzinfo=UTC), due={"working_days": 3})
    # Saturday, Sunday and Armistice Day on Wednesday do not count.
    assert Approval.objects.get().due_at == datetime(2026, 11, 12, 17, 0, tzinfo=UTC)


def test_reminder_is_sent_once_when_its_moment_comes(pursue: Pursue) -> None:
    params: dict[str, Any] = {"due": {"working_days": 4}, "remind_every": {"working_days": 1}}
    pursue(**params)
    for _ in range(3):
        found = pursue(at=day(1, 19), **params)
    assert isinstance(found, Wait)
    assert found.until is not None
    assert found.until > day(1, 19)
    assert [message.subject.partition(":")[0] for message in mail.outbox][1:] == ["Reminder"]


@pytest.mark.parametrize(("policy", "lane"), [("reject", "rejected"), ("expire", "expired")])
def test_silence_never_approves(pursue: Pursue, policy: str, lane: str) -> None:
    params: dict[str, Any] = {"due": {"working_days": 1}, "on_no_response": policy}
    pursue(**params)
    for _ in range(2):
        found = pursue(at=day(2), **params)
        assert isinstance(found, Lane)
        assert found.lanes == (lane,), "and again after a crash before it was recorded"
    assert asked("expired") == ["Boss"]
    assert AuditEntry.objects.filter(action="approval.expired").count() == 1


def test_silence_escalates_to_the_managers_manager_then_the_fallback_then_expires(
    pursue: Pursue, hr: list[Person]
) -> None:
    params: dict[str, Any] = {"due": {"working_days": 1}, "on_no_response": "escalate"}
    pursue(**params)
    assert isinstance(pursue(at=day(2), **params), Wait)
    assert (asked("expired"), asked()) == (["Boss"], ["Chief"])
    assert isinstance(pursue(at=day(4), **params), Wait)
    assert asked() == ["Bob", "Eve", "Kim"]
    found = pursue(at=day(14), **params)
    assert isinstance(found, Lane)
    assert found.lanes == ("expired",)


def test_escalated_question_can_be_approved(pursue: Pursue) -> None:
    params: dict[str, Any] = {"due": {"working_days": 1}, "rule": "all"}
    pursue(**params)
    pursue(at=day(2), **params)
    decide("Chief", at=day(2))
    found = pursue(at=day(2), **params)
    assert isinstance(found, Lane)
    assert found.lanes == ("approved",)


def test_nobody_to_ask_goes_to_the_fallback_with_the_reason(
    pursue: Pursue, ana: Person, hr: list[Person]
) -> None:
    Person.objects.filter(pk=ana.pk).update(manager=None)
    pursue()
    assert asked() == ["Bob", "Eve", "Kim"]
    assert "no manager" in Approval.objects.all()[0].why_asked


def test_fallback_never_asks_the_subject(pursue: Pursue, ana: Person) -> None:
    Person.objects.filter(pk=ana.pk).update(manager=None)
    Role.objects.create(name="hr").members.add(ana)
    found = pursue()
    assert isinstance(found, Failed)
    assert found.hold
    assert not Approval.objects.exists()


def test_rule_any_ends_with_the_first_yes(pursue: Pursue, hr: list[Person]) -> None:
    pursue(approver=HR)
    decide("Eve")
    found = pursue(approver=HR)
    assert isinstance(found, Lane)
    assert found.lanes == ("approved",)
    assert (asked("cancelled"), asked()) == (["Bob", "Kim"], [])


def test_rule_all_needs_everybody(pursue: Pursue, hr: list[Person]) -> None:
    pursue(approver=HR, rule="all")
    for name in ("Eve", "Bob"):
        decide(name)
        assert isinstance(pursue(approver=HR, rule="all"), Wait)
    decide("Kim")
    found = pursue(approver=HR, rule="all")
    assert isinstance(found, Lane)
    assert found.lanes == ("approved",)


def test_rule_all_is_not_met_by_those_who_answered_when_one_is_silent(
    pursue: Pursue, hr: list[Person]
) -> None:
    params: dict[str, Any] = {
        "approver": HR,
        "rule": "all",
        "due": {"working_days": 1},
        "on_no_response": "expire",
    }
    pursue(**params)
    decide("Eve")
    decide("Bob")
    for _ in range(2):
        found = pursue(at=day(2), **params)
        assert isinstance(found, Lane)
        assert found.lanes == ("expired",)


@pytest.mark.parametrize("rule", [{"at_least": 2}, "at_least 2"])
def test_rule_at_least_counts(pursue: Pursue, hr: list[Person], rule: object) -> None:
    params: dict[str, Any] = {"approver": HR, "rule": rule}
    pursue(**params)
    decide("Eve", approve=False)
    assert isinstance(pursue(**params), Wait), "two of three can still agree"
    decide("Bob")
    assert isinstance(pursue(**params), Wait)
    decide("Kim")
    found = pursue(**params)
    assert isinstance(found, Lane)
    assert found.lanes == ("approved",)


def test_rule_at_least_is_rejected_when_it_cannot_be_reached(
    pursue: Pursue, hr: list[Person]
) -> None:
    params: dict[str, Any] = {"approver": HR, "rule": {"at_least": 2}}
    pursue(**params)
    decide("Eve", approve=False)
    decide("Kim", approve=False)
    found = pursue(**params)
    assert isinstance(found, Lane)
    assert found.lanes == ("rejected",)


def test_question_that_can_never_get_enough_is_not_put(pursue: Pursue, hr: list[Person]) -> None:
    found = pursue(approver=HR, rule={"at_least": 4})
    assert isinstance(found, Failed)
    assert (found.hold, Approval.objects.count()) == (True, 0)


def test_stages_follow_each_other(pursue: Pursue, hr: list[Person]) -> None:
    params: dict[str, Any] = {"also": [{"approver": HR, "rule": "any"}]}
    pursue(**params)
    assert asked() == ["Boss"]
    decide("Boss")
    assert isinstance(pursue(**params), Wait)
    assert asked() == ["Bob", "Eve", "Kim"]
    decide("Kim")
    found = pursue(**params)
    assert isinstance(found, Lane)
    assert found.lanes == ("approved",)


@pytest.mark.parametrize("rule", ["at_least 2", {"at_least": 2}])
def test_later_stage_has_its_own_count(pursue: Pursue, hr: list[Person], rule: object) -> None:
    params: dict[str, Any] = {"also": [{"approver": HR, "rule": rule}]}
    pursue(**params)
    decide("Boss")
    pursue(**params)
    decide("Kim")
    assert isinstance(pursue(**params), Wait)
    decide("Eve")
    assert isinstance(pursue(**params), Lane)


def test_rejection_in_the_first_stage_asks_no_second(pursue: Pursue, hr: list[Person]) -> None:
    params: dict[str, Any] = {"also": [HR]}
    pursue(**params)
    decide("Boss", approve=False)
    found = pursue(**params)
    assert isinstance(found, Lane)
    assert found.lanes == ("rejected",)
    assert Approval.objects.count() == 1


def test_approver_who_leaves_is_replaced(pursue: Pursue, ana: Person) -> None:
    pursue()
    Person.objects.filter(full_name="Boss").update(status=PersonStatus.ENDED)
    Person.objects.filter(pk=ana.pk).update(manager=Person.objects.get(full_name="Chief"))
    assert isinstance(pursue(), Wait)
    assert (asked("cancelled"), asked()) == (["Boss"], ["Chief"])
    assert "Boss has left" in Approval.objects.get(status="pending").why_asked
    assert AuditEntry.objects.filter(action="approval.reassigned").count() == 1


def test_approver_who_leaves_without_anybody_in_their_place_never_approves(
    pursue: Pursue, ana: Person
) -> None:
    pursue(rule="all")
    Person.objects.filter(full_name__in=["Boss", "Chief"]).update(status=PersonStatus.ENDED)
    found = pursue(rule="all")
    assert isinstance(found, Lane)
    assert found.lanes == ("expired",)


def test_approvers_in_different_countries_do_not_make_it_spin(pursue: Pursue) -> None:
    role = Role.objects.create(name="hr")
    role.members.add(
        person_make("tokyo", timezone="Asia/Tokyo"),
        person_make("lima", timezone="America/Lima"),
    )
    params: dict[str, Any] = {"approver": HR, "due": {"working_days": 1}}
    pursue(**params)
    between = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    found = pursue(at=between, **params)
    assert isinstance(found, Wait)
    assert found.until is not None
    assert found.until > between


def test_mail_that_fails_is_tried_again(pursue: Pursue, settings: Any) -> None:
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert isinstance(pursue(), Wait)
    assert Approval.objects.get().notified_at is None
    settings.EMAIL_BACKEND = working
    pursue()
    assert Approval.objects.get().notified_at == T0
    assert len(mail.outbox) == 1


def test_line_break_in_a_name_makes_no_header(pursue: Pursue, ana: Person) -> None:
    Person.objects.filter(pk=ana.pk).update(full_name="Ana\r\nBcc: evil@evil.test")
    pursue()
    (sent,) = mail.outbox
    assert "\n" not in sent.subject
    assert sent.recipients() == ["boss@acme.test"]
