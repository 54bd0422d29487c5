"""What Slack sends when somebody presses a button: is it Slack, and what was pressed.

https://docs.slack.dev/authentication/verifying-requests-from-slack and
https://docs.slack.dev/interactivity/handling-user-interaction
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from integrations.answers import parse_json
from integrations.connectors.chat import Posted, Pressed
from integrations.errors import IntegrationError

if TYPE_CHECKING:
    from datetime import datetime

APPROVE, REJECT, OPEN = "siit.approve", "siit.reject", "siit.open"
FORM = "siit.reason"
REASON = "reason"
_WINDOW_SECONDS = 300
_STAMP = re.compile(r"[0-9]{1,12}")
_KINDS = {APPROVE: "approve", REJECT: "reject"}


def is_genuine(secret: str, *, body: bytes, timestamp: str, signature: str, now: datetime) -> bool:
    """Whether ``body`` was signed with our app's secret within five minutes of ``now``.

    The raw bytes count, before anything reads them; the comparison takes the same time for all.
    """
    if not secret or not _STAMP.fullmatch(timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > _WINDOW_SECONDS:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    given = signature.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(f"v0={digest}".encode(), given)


def read_press(body: bytes) -> Pressed | None:
    """The one thing that was pressed or sent; ``None`` for what makes no sense to us."""
    try:
        fields = parse_qs(body.decode(), max_num_fields=20)
        payload = parse_json(fields["payload"][0].encode())
    except (ValueError, KeyError, IntegrationError):
        return None
    if not isinstance(payload, dict):
        return None
    team, user = _text(payload.get("team"), "id"), _text(payload.get("user"), "id")
    if not user:
        return None
    if payload.get("type") == "block_actions":
        return _button(payload, team=team, user=user)
    if payload.get("type") == "view_submission":
        return _form(payload.get("view"), team=team, user=user)
    return Pressed(kind="nothing", team=team, user=user)


def _text(value: Any, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _button(payload: dict[str, Any], *, team: str, user: str) -> Pressed:
    actions = payload.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    where = payload.get("container")
    return Pressed(
        kind=_KINDS.get(_text(first, "action_id"), "nothing"),
        team=team,
        user=user,
        value=_text(first, "value"),
        posted=Posted(channel=_text(where, "channel_id"), ts=_text(where, "message_ts")),
        trigger=_text(payload, "trigger_id"),
    )


def _form(view: Any, *, team: str, user: str) -> Pressed:
    if _text(view, "callback_id") != FORM:
        return Pressed(kind="nothing", team=team, user=user)
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    block = values.get(REASON) if isinstance(values, dict) else None
    field = block.get(REASON) if isinstance(block, dict) else None
    value, _, place = _text(view, "private_metadata").partition(" ")
    channel, _, ts = place.partition("/")
    return Pressed(
        kind="explained",
        team=team,
        user=user,
        value=value,
        comment=_text(field, "value"),
        posted=Posted(channel=channel, ts=ts),
    )
