"""A small stateful Slack over real HTTP: members, messages and forms."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from integrations.tests.servers import Answer

if TYPE_CHECKING:
    from integrations.tests.servers import Asked

TEAM = "T1"


@dataclass
class FakeSlack:
    """Give an instance to ``serving``. ``fails`` holds error codes by method."""

    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    whispers: list[tuple[str, str]] = field(default_factory=list)
    forms: list[dict[str, Any]] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    lose: str = ""
    """A method whose effect happens and whose answer does not come."""

    def add(self, user: str, email: str, **more: Any) -> None:
        self.members[user] = {
            "id": user,
            "team_id": TEAM,
            "profile": {"email": email},
            "is_email_confirmed": True,
            **more,
        }

    def __call__(self, asked: Asked) -> Answer:
        method = asked.path.removeprefix("/api/")
        if code := self.fails.get(method):
            return Answer(json={"ok": False, "error": code})
        is_form = "urlencoded" in asked.headers.get("content-type", "")
        form = dict(parse_qsl(asked.body.decode())) if is_form else {}
        body = {} if is_form or not asked.body else asked.json()
        found = getattr(self, f"_{method.replace('.', '_')}")(form, body)
        if self.lose == method:
            return Answer(drop=True)
        return Answer(json={"ok": True, **found} if found is not None else _error("not_found"))

    def _auth_test(self, form: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        return {"team": "Acme", "team_id": TEAM}

    def _users_lookupByEmail(self, form: dict[str, str], body: Any) -> dict[str, Any] | None:
        for member in self.members.values():
            if member["profile"]["email"].lower() == form["email"].lower():
                return {"user": member}
        return None

    def _users_info(self, form: dict[str, str], body: Any) -> dict[str, Any] | None:
        member = self.members.get(form["user"])
        return {"user": member} if member else None

    def _conversations_open(self, form: Any, body: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{body['users']}"}}

    def _chat_postMessage(self, form: Any, body: dict[str, Any]) -> dict[str, Any]:
        ts = f"1700000000.{len(self.messages):06}"
        self.messages[(body["channel"], ts)] = body
        return {"channel": body["channel"], "ts": ts}

    def _chat_update(self, form: Any, body: dict[str, Any]) -> dict[str, Any] | None:
        if (body["channel"], body["ts"]) not in self.messages:
            return None
        self.messages[(body["channel"], body["ts"])] = body
        return {}

    def _chat_postEphemeral(self, form: Any, body: dict[str, Any]) -> dict[str, Any]:
        self.whispers.append((body["user"], body["text"]))
        return {}

    def _views_open(self, form: Any, body: dict[str, Any]) -> dict[str, Any]:
        self.forms.append(body)
        return {}

    def shown(self, place: tuple[str, str]) -> str:
        """All text of one message."""
        return json.dumps(self.messages[place]["blocks"], ensure_ascii=False)


def _error(code: str) -> dict[str, Any]:
    return {"ok": False, "error": code}


def buttons(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The buttons of a message by their label."""
    rows = [block["elements"] for block in blocks if block["type"] == "actions"]
    return {one["text"]["text"]: one for row in rows for one in row}


def press(user: str, place: tuple[str, str], button: dict[str, Any], *, team: str = TEAM) -> bytes:
    """What Slack sends for a press, as its documentation shows it."""
    payload = {
        "type": "block_actions",
        "team": {"id": team, "domain": "acme"},
        "user": {"id": user, "username": "somebody", "team_id": team},
        "api_app_id": "A1",
        "container": {
            "type": "message",
            "message_ts": place[1],
            "channel_id": place[0],
            "is_ephemeral": False,
        },
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "channel": {"id": place[0], "name": "directmessage"},
        "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"block_id": "b", "type": "button", "action_ts": "1.2", **button}],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def submit(user: str, form: dict[str, Any], text: str, *, team: str = TEAM) -> bytes:
    """What Slack sends when the form is sent."""
    view = form["view"]
    (field_,) = [block for block in view["blocks"] if block["type"] == "input"]
    name = field_["element"]["action_id"]
    value = {"type": "plain_text_input", "value": text}
    payload = {
        "type": "view_submission",
        "team": {"id": team, "domain": "acme"},
        "user": {"id": user, "username": "somebody", "team_id": team},
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": view["callback_id"],
            "private_metadata": view["private_metadata"],
            "state": {"values": {field_["block_id"]: {name: value}}},
        },
    }
    return urlencode({"payload": json.dumps(payload)}).encode()
