"""Is it Slack, and what was pressed: held against Slack's own signer and against rubbish."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from integrations.connectors.chat import ChatQuestion
from integrations.connectors.slack.interaction import is_genuine, read_press
from integrations.connectors.slack.questions import blocks_of
from integrations.tests.connectors.fake_slack import TEAM, buttons, press

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b"payload=%7B%7D"


def _signed(body: bytes = BODY, stamp: str = STAMP, secret: str = SECRET) -> str:
    made = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    assert made is not None
    return made


def _genuine(**changed: Any) -> bool:
    given_: dict[str, Any] = {"body": BODY, "timestamp": STAMP, "signature": _signed(), "now": NOW}
    return is_genuine(changed.pop("secret", SECRET), **{**given_, **changed})


def test_vendors_own_example_is_genuine() -> None:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack, with its values."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id="
        b"G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-"
        b"collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F3977008"
        b"85554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c4"
        b"47fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    at = datetime.fromtimestamp(1531420618, UTC)
    assert is_genuine(SECRET, body=body, timestamp="1531420618", signature=signature, now=at)


def test_independent_signers_calls_are_genuine_for_five_minutes() -> None:
    assert _genuine()
    for seconds, genuine in ((-301, False), (-300, True), (300, True), (301, False)):
        assert _genuine(now=NOW + timedelta(seconds=seconds)) is genuine


@pytest.mark.parametrize(
    "changed",
    [
        {"body": BODY + b" "},
        {"body": b""},
        {"signature": ""},
        {"signature": _signed()[:-1]},
        {"signature": _signed().upper()},
        {"signature": _signed(secret="another")},
        {"signature": "v0=é\udcff"},
        {"signature": _signed(stamp=str(int(STAMP) + 1))},
        {"timestamp": ""},
        {"timestamp": "now"},
        {"timestamp": f"{STAMP}.0"},
        {"timestamp": f" {STAMP}"},
        {"timestamp": f"-{STAMP}"},
        {"timestamp": "١٧٣٠٥٣٤٤٠٠"},
        {"timestamp": "9" * 5000},
        {"secret": ""},
    ],
)
def test_anything_else_is_not(changed: dict[str, Any]) -> None:
    assert not _genuine(**changed)


def test_press_names_who_what_and_where() -> None:
    button = {"action_id": "siit.approve", "value": "7"}
    found = read_press(press("U1", ("D1", "1.2"), button))
    assert found is not None
    assert (found.kind, found.team, found.user, found.value) == ("approve", TEAM, "U1", "7")
    assert found.posted is not None
    assert (found.posted.channel, found.posted.ts) == ("D1", "1.2")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "team",
                        "user",
                        "id",
                        "view",
                        "state",
                        "values",
                        "reason",
                        "actions",
                        "action_id",
                        "container",
                        "callback_id",
                        "private_metadata",
                        "value",
                    ]
                ),
                inner,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(["block_actions", "view_submission", "view_closed", 3]),
)
def test_rubbish_is_no_decision_and_no_error(value: Any, kind: Any) -> None:
    payload = {**value, "type": kind} if isinstance(value, dict) else value
    found = read_press(urlencode({"payload": json.dumps(payload)}).encode())
    assert found is None or found.user


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=[", b"\xff\xfe", b"x=1", b"payload=%00"]
)
def test_what_is_no_payload_makes_no_sense(body: bytes) -> None:
    assert read_press(body) is None


def test_question_shows_what_people_wrote_without_their_markup() -> None:
    question = ChatQuestion(
        intro="Your decision is asked for:",
        title="<!channel> laptop",
        lines=(("Model", "<https://evil.test|click>"), ("Blank", ""), ("Long", "x" * 5_000)),
        value="7",
        link="https://siit.test/approvals/7/",
    )
    blocks = blocks_of(question)
    text = json.dumps(blocks)
    assert "<!channel>" not in text
    assert "<https://evil" not in text
    assert "Blank" not in text
    assert all(len(one["text"]["text"]) <= 3_000 for one in blocks if one["type"] == "section")
    assert list(buttons(blocks)) == ["Approve", "Reject…", "Open"]
    closed = ChatQuestion(intro="x", title="y", outcome="Approved by Boss.", answerable=False)
    assert buttons(blocks_of(closed)) == {}
