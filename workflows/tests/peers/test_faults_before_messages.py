"""Messages into somebody else's Slack and inbox, with mitmproxy's faults before them.

A message cannot be read back by its key: what is unknown is shown as that, and never sent twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from integrations.connectors import smtp
from integrations.models import Circuit, Connection, Delivery
from integrations.services import connection_save, connection_test
from integrations.tests.mitm import Mitm, mitm_before
from integrations.tests.peers.emulate import emulate
from siit_remote.lib import clock
from workflows.engine.service import run_due
from workflows.models import Run, StepRun
from workflows.runs import step_resolve
from workflows.tests.engine import nodes
from workflows.tests.engine.conftest import DUE, END, person_make, workflow_make
from workflows.tests.engine.simulation import limits_lift
from workflows.tests.peers.test_mail_into_sendria import sendria

pytestmark = [pytest.mark.peer, pytest.mark.django_db]
__all__ = ["person_make", "sendria", "workflow_make"]
Make = Callable[..., Any]
PEOPLE = 4
EMAILS = [f"p{number}@acme.test" for number in range(PEOPLE)]
SEED = {
    "slack": {
        "team": {"name": "Acme", "domain": "acme"},
        "users": [{"name": email[:2], "real_name": email, "email": email} for email in EMAILS],
        "channels": [],
    }
}


class Place:
    """Where messages arrive; read around the proxy."""

    channel = ""

    def __init__(self, mitm: Mitm) -> None:
        self.mitm = mitm
        self.before: Counter[str] = Counter()

    def there(self) -> Counter[str]:
        """How many messages each person has."""
        raise NotImplementedError

    def arrived(self) -> Counter[str]:
        """How many of them came since the test began."""
        return self.there() - self.before


class Slack(Place):
    """emulate's Slack, read by its own API."""

    channel = "slack"

    def connect(self) -> Connection:
        return connection_save(
            key="slack",
            connector="slack",
            config={"base_url": f"{self.mitm.url}/api"},
            secrets={"bot_token": "xoxb-1", "signing_secret": "s"},
        )

    def _ask(self, method: str, **body: str) -> dict[str, Any]:
        answer = requests.post(
            f"{self.mitm.upstream}/api/{method}",
            data=body,
            headers={"Authorization": "Bearer xoxb-judge"},
            timeout=5,
        ).json()
        assert answer["ok"] is True, answer
        return dict(answer)

    def there(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for email in EMAILS:
            user = self._ask("users.lookupByEmail", email=email)["user"]["id"]
            place = self._ask("conversations.open", users=user)["channel"]["id"]
            found[email] = len(self._ask("conversations.history", channel=place)["messages"])
        return +found


class Inbox(Place):
    """Sendria, read by its own API."""

    channel = "email"
    api = ""

    def connect(self) -> Connection:
        return connection_save(
            key="mail",
            connector="smtp",
            config={
                "host": "127.0.0.1",
                "port": str(self.mitm.port),
                "security": "none",
                "from_email": "siit@example.com",
            },
            secrets={},
        )

    def there(self) -> Counter[str]:
        rows = requests.get(f"{self.api}/api/messages/", timeout=5).json()["data"]
        return Counter(row["recipients_envelope"][0] for row in rows)


@pytest.fixture(scope="module")
def slack_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mitm]:
    folder = tmp_path_factory.mktemp("slack")
    with (
        emulate(folder, ("slack",), SEED) as (url,),
        mitm_before(url, folder / "mitm") as mitm,
    ):
        yield mitm


@pytest.fixture(scope="module")
def inbox_behind(
    sendria: tuple[int, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mitm]:
    folder = tmp_path_factory.mktemp("inbox")
    with mitm_before(f"tcp://127.0.0.1:{sendria[0]}", folder / "mitm") as mitm:
        yield mitm


@pytest.fixture
def slack(slack_behind: Mitm) -> Slack:
    found = Slack(slack_behind)
    found.before = found.there()
    return found


@pytest.fixture
def inbox(sendria: tuple[int, str], inbox_behind: Mitm) -> Inbox:
    found = Inbox(inbox_behind)
    found.api = sendria[1]
    found.before = found.there()
    return found


@pytest.fixture
def greet(person_make: Make, workflow_make: Make) -> Callable[[Place], None]:
    """Connect a place without faults, and have everybody greeted there."""

    def make(place: Any) -> None:
        nodes.install()
        limits_lift()
        place.mitm.fault()
        assert connection_test(place.connect()).problems == ()
        Delivery.objects.all().delete()
        for email in EMAILS:
            person_make(email.partition("@")[0], end_date=END)
        params = {
            "to": "person",
            "channels": [place.channel],
            "subject": "Welcome",
            "body": "Hello {{ person.full_name }}",
        }
        workflow_make("hi", steps=[{"key": "tell", "action": "message.send", "params": params}])

    return make


def work(minutes: float, *, since: datetime = DUE, every: float = 1) -> datetime:
    at = since
    while at <= since + timedelta(minutes=minutes):
        with clock.fixed(at):
            run_due(now=at)
        at += timedelta(minutes=every)
    return at


def assert_each_once(place: Place) -> None:
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.DONE}
    assert place.arrived() == Counter(EMAILS)


def assert_unknown_is_shown_and_not_repeated(place: Place) -> None:
    """Every message arrived once; each of them is a question to a person, and stays one."""
    assert place.arrived() == Counter(EMAILS)
    steps = StepRun.objects.filter(status=StepRun.Status.UNCERTAIN)
    assert steps.count() == PEOPLE
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.HELD}
    assert Delivery.objects.filter(outcome="uncertain", run_id__isnull=False).count() == PEOPLE
    place.mitm.fault()
    late = work(60, since=DUE + timedelta(hours=6), every=20)
    for step in steps:
        step_resolve(step, happened=True, reason="It is in the inbox.", now=late, actor=None)
    work(5, since=late)
    assert_each_once(place)


def test_slack_storm_and_errors_inside_pass(slack: Slack, greet: Callable[[Place], None]) -> None:
    greet(slack)
    inside = {
        "kind": "answer",
        "status": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"ok": False, "error": "internal_error"}),
    }
    slack.mitm.fault(
        {"kind": "answer", "every": 5, "status": 429, "headers": {"Retry-After": "30"}},
        {**inside, "path": "users.lookupByEmail"},
        {**inside, "path": "conversations.open"},
    )
    work(45)
    assert slack.mitm.faulted() >= 3
    assert_each_once(slack)
    assert Delivery.objects.filter(error_code="rate_limited", run_id__isnull=False).exists()


def test_slack_down_for_six_hours(slack: Slack, greet: Callable[[Place], None]) -> None:
    greet(slack)
    slack.mitm.fault({"kind": "down", "times": 0, "path": "lookup"})
    back = work(360, every=10)
    assert slack.arrived() == Counter()
    assert Circuit.objects.filter(opened_at__isnull=False).exists()
    slack.mitm.fault()
    work(4, since=back)
    assert_each_once(slack)


def test_slack_answers_lost_after_the_effect(slack: Slack, greet: Callable[[Place], None]) -> None:
    greet(slack)
    slack.mitm.fault({"kind": "lost", "path": "chat.postMessage", "times": 0})
    work(30, every=3)
    assert_unknown_is_shown_and_not_repeated(slack)


def test_mail_server_that_is_down_and_puts_off(
    inbox: Inbox, greet: Callable[[Place], None]
) -> None:
    greet(inbox)
    inbox.mitm.fault({"kind": "down"})
    back = work(120, every=10)
    assert inbox.arrived() == Counter()
    assert Circuit.objects.filter(opened_at__isnull=False).exists()
    inbox.mitm.fault({"kind": "answer", "path": "(?i)^rcpt", "body": "451 4.7.1 later\r\n"})
    work(45, since=back)
    assert inbox.mitm.faulted() >= 1
    assert_each_once(inbox)


def test_mail_whose_answer_is_lost(
    inbox: Inbox, greet: Callable[[Place], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    greet(inbox)
    monkeypatch.setattr(smtp, "_STEP_TIMEOUT", 1.5)
    inbox.mitm.fault({"kind": "lost", "times": 0})
    work(30, every=3)
    assert_unknown_is_shown_and_not_repeated(inbox)
