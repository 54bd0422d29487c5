"""Approvals asked and decided in Slack: same people, same rules, once, and shown everywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from slack_sdk.signature import SignatureVerifier

from integrations.connectors.chat import INSTEAD, NEVER
from integrations.connectors.slack.questions import blocks_of
from integrations.models import Connection
from integrations.services import connection_save, connection_test
from integrations.tests.connectors.fake_slack import FakeSlack, buttons, press, submit
from integrations.tests.servers import serving
from siit_remote.audit.models import AuditEntry
from workflows.approvals import approval_decide
from workflows.chat import chat_refresh, question_for
from workflows.models import Approval, ChatMessage, Request, WorkflowVersion
from workflows.tests.asking_kit import T0, Pursue, day, person_make

if TYPE_CHECKING:
    from collections.abc import Iterator

    from people.models import Person

pytestmark = pytest.mark.django_db

SECRET = "a-signing-secret"


@dataclass
class _World:
    slack: FakeSlack
    connection: Connection
    pursue: Pursue

    def ask(self, **params: Any) -> tuple[Approval, tuple[str, str]]:
        """The step asks; the question and where its first message stands."""
        self.pursue(**params)
        approval = Approval.objects.get()
        row = ChatMessage.objects.order_by("pk")[0]
        return approval, (row.channel, row.ts)

    def button(self, place: tuple[str, str], label: str) -> dict[str, Any]:
        return buttons(self.slack.messages[place]["blocks"])[label]

    def post(self, body: bytes, **changed: Any) -> Any:
        stamp = changed.get("stamp", str(int(T0.timestamp())))
        secret = changed.get("secret", SECRET)
        signature = SignatureVerifier(secret).generate_signature(
            timestamp=changed.get("signed", stamp), body=body
        )
        return Client(enforce_csrf_checks=True).post(
            reverse("slack-pressed", args=[changed.get("key", "slack")]),
            body,
            content_type="application/x-www-form-urlencoded",
            headers={
                "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": signature or "",
            },
        )

    def press(self, user: str, place: tuple[str, str], label: str, **changed: Any) -> Any:
        return self.post(press(user, place, self.button(place, label)), **changed)


@pytest.fixture
def world(pursue: Pursue) -> Iterator[_World]:
    slack = FakeSlack()
    slack.add("UBOSS", "Boss@Acme.test")
    slack.add("UANA", "ana@acme.test")
    slack.add("UEVE", "eve@acme.test")
    with serving(slack) as server, time_machine.travel(T0, tick=False):
        row = connection_save(
            key="slack",
            connector="slack",
            config={"base_url": f"{server.url}/api"},
            secrets={"bot_token": "xoxb-1", "signing_secret": SECRET},
        )
        assert connection_test(row).problems == ()
        yield _World(slack, row, pursue)


def test_approver_is_asked_with_buttons_and_by_mail(world: _World) -> None:
    approval, place = world.ask()
    assert place[0] == "DUBOSS"
    text = world.slack.shown(place)
    assert "New laptop: Ana" in text
    assert "Please decide by" in text
    assert world.button(place, "Open")["url"].endswith(f"/approvals/{approval.pk}/")
    assert [sent.to for sent in mail.outbox] == [["boss@acme.test"]]
    assert approval.notified_at == T0


@pytest.mark.parametrize(("when", "mails", "messages"), [(INSTEAD, 0, 1), (NEVER, 1, 0)])
def test_mail_goes_out_as_the_connection_says(
    world: _World, when: str, mails: int, messages: int
) -> None:
    Connection.objects.update(config={**world.connection.config, "approvals": when})
    world.pursue()
    assert (len(mail.outbox), len(world.slack.messages)) == (mails, messages)


@pytest.mark.parametrize("code", ["users_not_found", "internal_error", "invalid_auth"])
def test_chat_that_does_not_work_leaves_the_mail(world: _World, code: str) -> None:
    Connection.objects.update(config={**world.connection.config, "approvals": INSTEAD})
    world.slack.fails["users.lookupByEmail"] = code
    world.pursue()
    assert [sent.to for sent in mail.outbox] == [["boss@acme.test"]]
    assert ChatMessage.objects.count() == 0
    stopped = Connection.objects.get().status == Connection.Status.NEEDS_ATTENTION
    assert stopped is (code == "invalid_auth")


def test_reminder_comes_in_the_chat_too(world: _World) -> None:
    params = {"due": {"working_days": 4}, "remind_every": {"working_days": 1}}
    world.ask(**params)
    world.pursue(at=day(1, 19), **params)
    assert len(world.slack.messages) == 2
    assert "Reminder." in world.slack.shown(list(world.slack.messages)[1])


def test_press_decides_once_and_the_message_says_so(world: _World) -> None:
    approval, place = world.ask()
    button = press("UBOSS", place, world.button(place, "Approve"))
    assert world.post(button).status_code == 200
    approval.refresh_from_db()
    assert (approval.status, str(approval.decided_by)) == ("approved", "Boss")
    entry = AuditEntry.objects.get(action="approval.decided")
    assert entry.detail["via"] == "slack"
    assert chat_refresh(now=T0) == 1
    assert buttons(world.slack.messages[place]["blocks"]).keys() == {"Open"}
    assert "Approved by Boss on 2 Nov 2026" in world.slack.shown(place)
    # The very same call once more: harmless, and answered kindly.
    assert world.post(button).status_code == 200
    assert AuditEntry.objects.filter(action="approval.decided").count() == 1
    assert "Already approved by Boss" in world.slack.whispers[0][1]
    assert chat_refresh(now=T0) == 0


def test_decision_elsewhere_changes_the_message(world: _World) -> None:
    approval, place = world.ask()
    approval_decide(approval.pk, by=approval.approver, approve=False, comment="Too dear", now=T0)
    assert chat_refresh(now=T0) == 1
    assert "Rejected by Boss" in world.slack.shown(place)
    assert "“Too dear”" in world.slack.shown(place)


@pytest.mark.parametrize("code", ["internal_error", "message_not_found"])
def test_message_that_cannot_change_now_is_tried_again_or_let_go(world: _World, code: str) -> None:
    approval, place = world.ask()
    approval_decide(approval.pk, by=approval.approver, approve=True, now=T0)
    world.slack.fails["chat.update"] = code
    gone = code == "message_not_found"
    assert chat_refresh(now=T0) == gone
    world.slack.fails.clear()
    assert chat_refresh(now=T0) == (not gone)
    assert ("Approved by" in world.slack.shown(place)) is not gone


def test_rejecting_asks_for_the_reason(world: _World) -> None:
    approval, place = world.ask()
    assert world.press("UBOSS", place, "Reject…").status_code == 200
    approval.refresh_from_db()
    assert approval.status == "pending"
    (form,) = world.slack.forms
    blank = world.post(submit("UBOSS", form, "  "))
    assert "Say why" in json.dumps(blank.json())
    sent = world.post(submit("UBOSS", form, "Use the old one."))
    assert sent.json() == {"response_action": "clear"}
    approval.refresh_from_db()
    assert (approval.status, approval.comment) == ("rejected", "Use the old one.")
    again = world.post(submit("UBOSS", form, "Use the old one."))
    assert "Already rejected by Boss" in json.dumps(again.json())


@pytest.mark.parametrize("label", ["Approve", "Reject…"])
@pytest.mark.parametrize(("user", "words"), [("UANA", "themselves"), ("UEVE", "Only Boss")])
def test_who_was_not_asked_decides_nothing(
    world: _World, label: str, user: str, words: str
) -> None:
    person_make("eve")
    approval, place = world.ask()
    assert world.press(user, place, label).status_code == 200
    approval.refresh_from_db()
    assert approval.status == "pending"
    assert world.slack.forms == []
    assert world.slack.whispers[0][0] == user
    assert words in world.slack.whispers[0][1]
    assert AuditEntry.objects.filter(action="approval.refused").count() == 1


@pytest.mark.parametrize(
    "member",
    [
        {"team_id": "T2"},
        {"is_stranger": True},
        {"deleted": True},
        {"is_bot": True},
        {"is_email_confirmed": False},
        {"id": "UOTHER"},
        {"profile": {}},
        {"profile": {"email": "nobody@acme.test"}},
    ],
)
def test_stranger_with_the_approvers_address_is_nobody(
    world: _World, member: dict[str, Any]
) -> None:
    approval, place = world.ask()
    button = press("UX", place, world.button(place, "Approve"))
    world.slack.add("UX", "boss@acme.test")
    world.slack.members["UX"].update(member)
    assert world.post(button).status_code == 200
    approval.refresh_from_db()
    assert approval.status == "pending"
    assert "Nobody in the directory" in world.slack.whispers[0][1]


def test_other_workspace_is_refused(world: _World) -> None:
    approval, place = world.ask()
    body = press("UBOSS", place, world.button(place, "Approve"), team="T2")
    assert world.post(body).status_code == 400
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_when_slack_does_not_say_who_it_was_nothing_is_decided(world: _World) -> None:
    approval, place = world.ask()
    world.slack.fails["users.info"] = "internal_error"
    assert world.press("UBOSS", place, "Approve").status_code == 503
    approval.refresh_from_db()
    assert approval.status == "pending"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"secret": "another"}, 401),
        ({"stamp": "soon"}, 401),
        ({"stamp": ""}, 401),
        ({"stamp": str(int(T0.timestamp()) - 301)}, 401),
        ({"signed": str(int(T0.timestamp()) - 10)}, 401),
        ({"key": "unknown"}, 404),
    ],
)
def test_forged_old_and_misled_calls_change_nothing(
    world: _World, changed: dict[str, Any], status: int
) -> None:
    approval, place = world.ask()
    assert world.press("UBOSS", place, "Approve", **changed).status_code == status
    approval.refresh_from_db()
    assert approval.status == "pending"


def test_without_a_signing_secret_nobody_is_asked_and_nothing_answers(world: _World) -> None:
    world.connection.set_secrets({"bot_token": "xoxb-1"})
    world.connection.save()
    world.pursue()
    assert ChatMessage.objects.count() == 0
    assert world.post(b"payload={}").status_code == 404


def test_too_large_and_senseless_bodies(world: _World) -> None:
    assert world.post(b"payload=" + b"x" * 300_000).status_code == 413
    assert world.post(b"payload={").status_code == 400


def test_question_that_is_over_is_told_kindly(world: _World) -> None:
    """Expired, cancelled, or about answers that were changed since."""
    _, place = world.ask()
    button = world.button(place, "Approve")
    Request.objects.update(revision=2)
    world.pursue()
    assert world.post(press("UBOSS", place, button)).status_code == 200
    assert "has changed since" in world.slack.whispers[0][1]
    chat_refresh(now=T0)
    assert "has changed since" in world.slack.shown(place)
    latest = Approval.objects.order_by("-pk")[0]
    assert (latest.round, latest.status) == (2, "pending")
    late = ChatMessage.objects.get(approval=latest)
    Approval.objects.filter(pk=latest.pk).update(due_at=day(-1))
    assert world.press("UBOSS", (late.channel, late.ts), "Approve").status_code == 200
    assert "time to decide is over" in world.slack.whispers[1][1]
    assert Approval.objects.filter(status="approved").count() == 0


def test_button_of_another_message_decides_nothing(world: _World, hr: list[Person]) -> None:
    approval, place = world.ask()
    button = world.button(place, "Approve")
    for body in (
        press("UBOSS", ("DOTHER", place[1]), button),
        press("UBOSS", place, {**button, "value": str(approval.pk + 1)}),
        press("UBOSS", place, {**button, "value": "1 or 1"}),
    ):
        assert world.post(body).status_code == 200
    approval.refresh_from_db()
    assert approval.status == "pending"
    assert {words for _, words in world.slack.whispers} == {
        "This message asks for nothing any more. Open your approvals to see what waits."
    }


def test_button_that_only_opens_the_page_is_taken_in(world: _World) -> None:
    _, place = world.ask()
    assert world.press("UBOSS", place, "Open").status_code == 200
    assert world.slack.whispers == []


def test_what_takes_something_is_approved_on_its_page(world: _World) -> None:
    """A chat cannot prove who sits there; to reject needs no proof."""
    approval, place = world.ask()
    version = approval.step.run.version
    take = {"key": "take", "action": "apps.revoke", "params": {"apps": "all"}}
    document = version.document | {"steps": [*version.document["steps"], take]}
    WorkflowVersion.objects.filter(pk=version.pk).update(document=document)
    # A message from before, with the button still on it.
    assert world.press("UBOSS", place, "Approve").status_code == 200
    page = f"http://127.0.0.1:8000/approvals/{approval.pk}/"
    assert f"confirm that it is you: {page}" in world.slack.whispers[0][1]
    approval = Approval.objects.get()
    assert approval.status == "pending"
    # Somebody else is told what they were told before.
    assert world.press("UANA", place, "Approve").status_code == 200
    assert "Nobody approves for themselves" in world.slack.whispers[1][1]

    question = question_for(approval)
    assert buttons(blocks_of(question)).keys() == {"Reject…", "Open"}
    assert dict(question.lines)["To approve"].startswith("Press Open.")
    approval_decide(approval.pk, by=approval.approver, approve=True, now=T0)
    assert "To approve" not in dict(question_for(Approval.objects.get()).lines)
