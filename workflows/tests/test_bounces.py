"""Mail that bounced is told another way, or becomes a task, once; the run says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from integrations.models import Connection, MailEvent
from integrations.services import connection_save, connection_test
from integrations.tests.connectors.fake_slack import FakeSlack
from integrations.tests.connectors.test_mail_api import TAKEN
from integrations.tests.connectors.vendor_hooks import key_of, posted
from integrations.tests.servers import Answer, serving
from siit_remote.lib import clock
from siit_remote.lib.locks import named_lock
from siit_remote.schedules import SCHEDULES
from workflows import bounces
from workflows.bounces import MAY_BE_EARLY, TRIES_FOR, bounces_follow
from workflows.engine.service import run_due
from workflows.models import Run, StepRun, Task
from workflows.tests.engine import nodes
from workflows.tests.engine.conftest import DUE, END, person_make, workflow_make

pytestmark = pytest.mark.django_db
__all__ = ["person_make", "workflow_make"]
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _nodes() -> None:
    nodes.install()


@pytest.fixture
def slack() -> FakeSlack:
    return FakeSlack()


@pytest.fixture
def welcome(
    slack: FakeSlack, person_make: Make, workflow_make: Make
) -> Iterator[Callable[..., StepRun]]:
    """Sends one welcome by a mail service, and by Slack where that is connected."""
    with serving(lambda asked: TAKEN["postmark"]) as mail, serving(slack) as chat:

        def send(*channels: str) -> StepRun:
            connection_save(
                key="mail",
                connector="mail-api",
                config={
                    "provider": "postmark",
                    "from_email": "siit@example.com",
                    "base_url": mail.url,
                },
                secrets={"api_key": "x", "webhook_key": key_of("postmark")},
            )
            Connection.objects.update(status="ready")
            if "slack" in channels:
                slack.add("U1", "ana@acme.test")
                row = connection_save(
                    key="slack",
                    connector="slack",
                    config={"base_url": f"{chat.url}/api"},
                    secrets={"bot_token": "xoxb-1", "signing_secret": "s"},
                )
                assert connection_test(row).problems == ()
            person_make("ana", end_date=END)
            params = {
                "to": "person",
                "channels": list(channels),
                "subject": "Welcome",
                "body": "Hello {{ person.full_name }}",
            }
            workflow_make(
                "hello", steps=[{"key": "tell", "action": "message.send", "params": params}]
            )
            with clock.fixed(DUE):
                run_due(now=DUE)
            return StepRun.objects.get()

        yield send


def tell(kind: str = "bounced", *, sent: str = "id-1") -> None:
    body, headers = posted("postmark", kind, sent=sent)
    answer = Client().post(
        "/hooks/mail/mail/", data=body, content_type="application/json", headers=headers
    )
    assert answer.status_code == 202


def test_bounce_of_the_only_channel_is_a_task_once_and_the_run_says_so(
    welcome: Callable[..., StepRun],
) -> None:
    step = welcome("email")
    assert step.outcome["message"] == "id-1"
    assert Run.objects.get().reason == ""
    tell()
    now = clock.now()
    assert bounces_follow(now=now) == 1
    task = Task.objects.get()
    assert task.role is not None
    assert (task.role.name, task.step_id) == ("hr", step.pk)
    assert task.title == "Tell ana@acme.test: Welcome"
    assert "The mail bounced" in task.body
    assert "Hello Ana" in task.body
    step.refresh_from_db()
    run = Run.objects.get()
    assert (step.status, run.status) == (StepRun.Status.DONE, Run.Status.DONE)
    assert "A task for HR was opened" in step.reason
    assert "The mail bounced" in run.reason
    assert [attempt.outcome for attempt in step.tries.all()] == ["done", "bounced"]
    # Told again, in other words, and looked at again.
    tell("complained")
    MailEvent.objects.create(
        connection=Connection.objects.get(key="mail"), message_id="id-1", kind="bounced",
        digest="another", received_at=now,
    )  # fmt: skip
    for minutes in range(3):
        assert bounces_follow(now=now + timedelta(minutes=minutes)) == 0
    assert Task.objects.count() == 1
    assert step.tries.count() == 2
    assert not MailEvent.objects.filter(handled_at=None, kind="bounced").exists()


def test_bounce_goes_on_by_the_next_channel_named(
    welcome: Callable[..., StepRun], slack: FakeSlack
) -> None:
    welcome("email", "slack")
    assert slack.messages == {}
    tell()
    for _ in range(2):
        bounces_follow(now=clock.now())
    (message,) = slack.messages.values()
    assert "Hello Ana" in message["text"]
    assert Task.objects.count() == 0
    step = StepRun.objects.get()
    assert "The mail bounced" in step.reason
    assert "Sent to ana@acme.test by Slack" in step.reason


def test_next_channel_that_is_down_is_waited_for_and_then_a_person_is_asked(
    welcome: Callable[..., StepRun], slack: FakeSlack
) -> None:
    welcome("email", "slack")
    slack.fails["users.lookupByEmail"] = "internal_error"
    tell()
    now = clock.now()
    assert bounces_follow(now=now) == 0
    assert Task.objects.count() == 0
    slack.fails.clear()
    assert bounces_follow(now=now + timedelta(minutes=5)) == 1
    assert len(slack.messages) == 1
    assert Task.objects.count() == 0


def test_next_channel_that_stays_down_ends_in_a_task(
    welcome: Callable[..., StepRun], slack: FakeSlack
) -> None:
    welcome("email", "slack")
    slack.fails["users.lookupByEmail"] = "internal_error"
    tell()
    now = clock.now()
    assert bounces_follow(now=now) == 0
    assert bounces_follow(now=now + TRIES_FOR + timedelta(minutes=1)) == 1
    assert Task.objects.count() == 1
    assert slack.messages == {}


def test_next_channel_whose_answer_is_lost_is_not_tried_again(
    welcome: Callable[..., StepRun], slack: FakeSlack
) -> None:
    welcome("email", "slack")
    slack.lose = "chat.postMessage"
    tell()
    for _ in range(3):
        bounces_follow(now=clock.now())
    assert len(slack.messages) == 1
    task = Task.objects.get()
    assert "may" in task.body


def test_worker_that_dies_while_telling_leaves_a_task_that_says_so(
    welcome: Callable[..., StepRun], slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    welcome("email", "slack")
    tell()
    real = bounces._write
    calls: list[int] = []

    def write(*args: Any, **named: Any) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise SystemExit
        real(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(bounces, "_write", write)
        with pytest.raises(SystemExit):
            bounces_follow(now=clock.now())
    assert len(slack.messages) == 1
    assert bounces_follow(now=clock.now()) == 1
    assert len(slack.messages) == 1
    assert "look before you tell them again" in Task.objects.get().body


def test_mail_no_step_sent_is_let_go_after_a_while(welcome: Callable[..., StepRun]) -> None:
    welcome("email")
    tell(sent="reminder-1")
    now = clock.now()
    assert bounces_follow(now=now) == 0
    assert MailEvent.objects.get().handled_at is None, "its step may be written down just now"
    assert bounces_follow(now=now + MAY_BE_EARLY + timedelta(minutes=1)) == 0
    assert MailEvent.objects.get().handled_at is not None
    assert Task.objects.count() == 0


def test_delivered_and_delayed_mail_is_not_followed(welcome: Callable[..., StepRun]) -> None:
    welcome("email")
    tell("delivered")
    assert bounces_follow(now=clock.now()) == 0
    assert Task.objects.count() == 0


def test_one_pass_at_a_time(welcome: Callable[..., StepRun]) -> None:
    welcome("email")
    tell()
    with named_lock("bounces"):
        assert bounces_follow(now=clock.now()) == 0
    assert bounces_follow(now=clock.now()) == 1


def test_run_page_shows_that_it_bounced_and_the_task(
    welcome: Callable[..., StepRun], admin_client: Client
) -> None:
    step = welcome("email")
    tell()
    bounces_follow(now=clock.now())
    html = admin_client.get(f"/runs/{step.run_id}/").content.decode()
    assert "Bounced</span>" in html
    assert f"/tasks/{Task.objects.get().pk}/" in html
    assert "Nobody has read it" not in html


def test_recipient_the_service_refuses_at_once_is_told_the_next_way(
    person_make: Make, workflow_make: Make, slack: FakeSlack
) -> None:
    words = (
        "You tried to send to recipient(s) that have been marked as inactive. Found inactive "
        "addresses: ana@acme.test. Inactive recipients are ones that have generated a hard "
        "bounce, a spam complaint, or a manual suppression."
    )
    refusing = Answer(422, json={"ErrorCode": 406, "Message": words})
    with serving(lambda asked: refusing) as mail:
        connection_save(
            key="mail",
            connector="mail-api",
            config={
                "provider": "postmark", "from_email": "siit@example.com", "base_url": mail.url,
            },
            secrets={"api_key": "x"},
        )  # fmt: skip
        Connection.objects.update(status="ready")
        person_make("ana", end_date=END)
        params = {"to": "person", "subject": "Welcome", "body": "Hello"}
        workflow_make("hello", steps=[{"key": "t", "action": "message.send", "params": params}])
        with clock.fixed(DUE):
            run_due(now=DUE)
    step = StepRun.objects.get()
    assert step.status == StepRun.Status.DONE
    assert "refuses this recipient" in step.reason
    assert Task.objects.get().step_id == step.pk


def test_bounces_are_looked_for_by_schedule_too() -> None:
    assert "siit_remote.tasks.follow_bounces" in {planned.func for planned in SCHEDULES}
