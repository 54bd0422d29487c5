"""Our Slack client against emulate's Slack Web API, which nobody here wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from integrations.connectors.base import CONNECTORS, ConnectionSettings, OutgoingMessage
from integrations.connectors.chat import ChatQuestion, Pressed
from integrations.errors import PermanentError
from integrations.tests.peers.emulate import emulate
from integrations.tests.servers import transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.peer

SEED = {
    "slack": {
        "team": {"name": "Acme", "domain": "acme"},
        "users": [
            {"name": "boss", "real_name": "Boss", "email": "boss@acme.test"},
            {"name": "ana", "real_name": "Ana", "email": "ana@acme.test"},
        ],
        "channels": [{"name": "it"}],
    }
}


class _Slack:
    """Our client, and a judge that reads with plain requests."""

    def __init__(self, address: str) -> None:
        self.address = f"{address}/api"
        connector = CONNECTORS.get("slack")
        assert connector is not None
        self.client: Any = connector.client(
            ConnectionSettings(
                key="slack",
                config={"base_url": self.address},
                secrets={"bot_token": "xoxb-1", "signing_secret": "s"},
            ),
            transport_to_loopback(),
        )

    def ask(self, method: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(
            f"{self.address}/{method}",
            json=body,
            headers={"Authorization": "Bearer xoxb-judge"},
            timeout=5,
        ).json()
        assert answer["ok"] is True, answer
        return dict(answer)

    def messages(self, channel: str) -> list[dict[str, Any]]:
        return list(self.ask("conversations.history", channel=channel)["messages"])

    def user(self, email: str) -> str:
        answer = requests.post(
            f"{self.address}/users.lookupByEmail",
            data={"email": email},
            headers={"Authorization": "Bearer xoxb-judge"},
            timeout=5,
        ).json()
        return str(answer["user"]["id"])


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[_Slack]:
    with emulate(tmp_path, ("slack",), SEED) as (address,):
        yield _Slack(address)


def test_message_reaches_the_person_with_markup_disarmed(slack: _Slack) -> None:
    assert slack.client.test().capabilities["messages"] is True
    message = OutgoingMessage(to="boss@acme.test", subject="Hi", text="Ana starts <!channel>")
    place = slack.client.send(message, idempotency_key="k", before_effect=lambda: None)
    channel, _, ts = place.partition("/")
    (found,) = [one for one in slack.messages(channel) if one["ts"] == ts]
    assert found["text"] == "*Hi*\nAna starts &lt;!channel&gt;"
    assert found["blocks"][0]["text"]["text"] == found["text"]
    # A channel by its name, as Slack takes it, is not known to emulate: connectors/test_slack.py.
    with pytest.raises(PermanentError):
        nobody = OutgoingMessage(to="nobody@acme.test", subject="", text="x")
        slack.client.send(nobody, idempotency_key="k3", before_effect=lambda: None)


def test_question_is_put_answered_in_a_form_and_shown_as_decided(slack: _Slack) -> None:
    question = ChatQuestion(intro="Your decision:", title="New laptop: Ana", value="7")
    posted = slack.client.ask("boss@acme.test", question, idempotency_key="k")
    (found,) = slack.messages(posted.channel)
    assert [block["type"] for block in found["blocks"]] == ["section", "actions"]
    boss = slack.user("boss@acme.test")
    assert slack.client.address_of(boss) == "boss@acme.test"
    trigger = slack.ask("views.generateTriggerId", user=boss)["trigger_id"]
    pressed = Pressed(
        kind="reject", team="", user=boss, value="7", posted=posted, trigger=str(trigger)
    )
    slack.client.ask_reason(pressed, title=question.title)
    slack.client.whisper(posted, boss, "Only Eve decides this.")
    decided = ChatQuestion(
        intro="Your decision:", title="New laptop: Ana", outcome="Approved.", answerable=False
    )
    slack.client.show(posted, decided)
    shown = next(one for one in slack.messages(posted.channel) if one["ts"] == posted.ts)
    assert [block["type"] for block in shown["blocks"]] == ["section", "section"]
    assert shown["blocks"][1]["text"]["text"] == "Approved."
