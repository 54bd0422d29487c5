"""Slack: messages and members, against a scripted Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    MemberAdmin,
    Messenger,
    OutgoingMessage,
)
from integrations.errors import (
    ConfigError,
    NotAvailableError,
    PermanentError,
    RateLimitedError,
    RecipientRefusedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.tests.connectors.awful_scim import AwfulScim
from integrations.tests.servers import Answer, Asked, serving, transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = OutgoingMessage(to="ana@acme.test", subject="Hi <there>", text="a & b <!channel> <@U1>")


def _slack(url: str, *, bot: str = "xoxb-1", admin: str = "good") -> Any:
    connector = CONNECTORS.get("slack")
    assert connector is not None
    return connector.client(
        ConnectionSettings(
            key="slack",
            config={"base_url": f"{url}/api", "scim_base_url": f"{url}/scim/v2"},
            secrets={"bot_token": bot, "admin_token": admin},
        ),
        transport_to_loopback(),
    )


def _web(**replies: dict[str, Any]) -> Callable[[Asked], Answer]:
    """A Web API that says ok to all methods but those given."""
    usual: dict[str, dict[str, Any]] = {
        "auth.test": {"ok": True, "team": "Acme", "team_id": "T1"},
        "users.lookupByEmail": {
            "ok": True,
            "user": {"id": "U7", "profile": {"email": "Ana@acme.test"}},
        },
        "conversations.open": {"ok": True, "channel": {"id": "D9"}},
        "chat.postMessage": {"ok": True, "channel": "D9", "ts": "1.2"},
    }
    given = {name.replace("_", ".", 1): value for name, value in replies.items()}
    answers = {**usual, **given}
    return lambda asked: Answer(json=answers[asked.path.removeprefix("/api/")])


def _send(client: Any, message: OutgoingMessage = MESSAGE) -> str:
    return str(client.send(message, idempotency_key="k", before_effect=lambda: None))


def test_message_reaches_the_member_with_markup_disarmed() -> None:
    begun: list[int] = []
    with serving(_web()) as server:
        client = _slack(server.url)
        assert isinstance(client, Messenger)
        assert isinstance(client, MemberAdmin)
        sent = client.send(
            MESSAGE, idempotency_key="k", before_effect=lambda: begun.append(len(server.asked))
        )
    assert sent == "D9/1.2"
    lookup, opened, posted = server.asked
    assert lookup.body == b"email=ana%40acme.test"
    assert lookup.headers["content-type"] == "application/x-www-form-urlencoded"
    assert opened.json() == {"users": "U7"}
    assert posted.json()["channel"] == "D9"
    assert posted.json()["text"] == ("*Hi &lt;there&gt;*\na &amp; b &lt;!channel&gt; &lt;@U1&gt;")
    assert begun == [2]
    assert posted.headers["authorization"] == "Bearer xoxb-1"


def test_message_to_a_channel_needs_no_lookup() -> None:
    with serving(_web()) as server:
        _send(_slack(server.url), OutgoingMessage(to="#it", subject="", text="x"))
    assert [asked.path for asked in server.asked] == ["/api/chat.postMessage"]


@pytest.mark.parametrize(
    ("method", "reply", "error"),
    [
        ("users_lookupByEmail", {"ok": False, "error": "users_not_found"}, RecipientRefusedError),
        ("users_lookupByEmail", {"ok": False, "error": "invalid_auth"}, UnauthorizedError),
        ("users_lookupByEmail", {"ok": False, "error": "missing_scope"}, UnauthorizedError),
        ("users_lookupByEmail", {"ok": False, "error": "ratelimited"}, RateLimitedError),
        ("users_lookupByEmail", {"ok": False, "error": "internal_error"}, TransientError),
        ("users_lookupByEmail", {"ok": False, "error": "<script>"}, PermanentError),
        ("users_lookupByEmail", {"ok": "yes"}, PermanentError),
        ("users_lookupByEmail", {"ok": True}, TransientError),
        (
            "users_lookupByEmail",
            {"ok": True, "user": {"id": "U1", "profile": {"email": "ceo@acme.test"}}},
            PermanentError,
        ),
        (
            "users_lookupByEmail",
            {"ok": True, "user": {"id": "U1", "deleted": True}},
            RecipientRefusedError,
        ),
        ("chat_postMessage", {"ok": False, "error": "internal_error"}, UncertainError),
        ("chat_postMessage", {"ok": False, "error": "channel_not_found"}, PermanentError),
    ],
)
def test_slacks_errors_become_ours(
    method: str, reply: dict[str, Any], error: type[Exception]
) -> None:
    with serving(_web(**{method: reply})) as server, pytest.raises(error) as caught:
        _send(_slack(server.url))
    assert type(caught.value) is error
    assert "<script>" not in str(caught.value)


def test_rate_limit_names_its_seconds() -> None:
    limited = Answer(429, headers={"Retry-After": "30"})
    with serving(lambda _: limited) as server, pytest.raises(RateLimitedError) as caught:
        _send(_slack(server.url))
    assert caught.value.retry_after == 30


def test_only_the_posting_itself_can_be_uncertain() -> None:
    good = _web()

    def dropping(method: str) -> Callable[[Asked], Answer]:
        return lambda asked: Answer(drop=True) if method in asked.path else good(asked)

    with serving(dropping("conversations")) as server, pytest.raises(TransientError):
        _send(_slack(server.url))
    with serving(dropping("postMessage")) as server, pytest.raises(UncertainError):
        _send(_slack(server.url))


class _Members(AwfulScim):
    """Slack's SCIM: DELETE deactivates and keeps the member."""

    def _one(self, asked: Asked, table: dict[str, Any], row: dict[str, Any]) -> Answer:
        if asked.method == "DELETE":
            row["active"] = False
            return Answer(204)
        return super()._one(asked, table, row)


def _members() -> tuple[_Members, str]:
    scim = _Members()
    scim.add_user("bob", emails=[{"value": "bob@acme.test", "primary": True}])
    ana = scim.add_user("ana", emails=[{"value": "Ana@acme.test", "primary": True}])
    return scim, ana


def test_member_is_found_by_address_and_deactivated_once() -> None:
    scim, ana = _members()
    with serving(scim) as server:
        client = _slack(server.url)
        assert client.find_member("ana@acme.test").external_id == ana
        for _ in range(2):
            after = client.deactivate_member("ana@acme.test", idempotency_key="k")
            assert (after.external_id, after.active) == (ana, False)
        assert len(server.calls("DELETE")) == 1
    assert [one["id"] for one in scim.users.values() if not one["active"]] == [ana]


def test_nobody_with_this_address_is_told_apart_from_success() -> None:
    scim, _ = _members()
    with serving(scim) as server:
        assert _slack(server.url).deactivate_member("zoe@acme.test", idempotency_key="k") is None


def test_lost_answer_to_the_deactivation_is_read_back() -> None:
    scim, _ = _members()

    def losing(asked: Asked) -> Answer:
        answer = scim(asked)
        return Answer(drop=True) if asked.method == "DELETE" else answer

    with serving(losing) as server:
        after = _slack(server.url).deactivate_member("ana@acme.test", idempotency_key="k")
    assert after is not None
    assert after.active is False


def test_member_still_active_after_the_call_is_tried_again() -> None:
    scim, _ = _members()

    def ignoring(asked: Asked) -> Answer:
        return Answer(204) if asked.method != "GET" else scim(asked)

    with serving(ignoring) as server, pytest.raises(TransientError, match="still"):
        _slack(server.url).deactivate_member("ana@acme.test", idempotency_key="k")


@pytest.mark.parametrize("status", [402, 403, 404, 501])
def test_plan_without_the_api_is_said_in_words(status: int) -> None:
    with serving(lambda _: Answer(status)) as server:
        client = _slack(server.url)
        with pytest.raises(NotAvailableError, match="plan"):
            client.deactivate_member("ana@acme.test", idempotency_key="k")


def test_dead_admin_token_is_no_plan_matter() -> None:
    scim, _ = _members()
    with serving(scim) as server, pytest.raises(UnauthorizedError):
        _slack(server.url, admin="dead").deactivate_member("ana@acme.test", idempotency_key="k")


def test_without_admin_token_members_are_not_available() -> None:
    with pytest.raises(NotAvailableError):
        _slack("http://127.0.0.1:1", admin="").deactivate_member("a@b.c", idempotency_key="k")


def test_test_tells_workspace_and_abilities() -> None:
    web, (scim, _) = _web(), _members()
    with serving(lambda asked: web(asked) if "/api/" in asked.path else scim(asked)) as server:
        found = _slack(server.url).test()
        assert found.account == {"name": "Acme", "team_id": "T1"}
        assert found.capabilities == {"messages": True, "members": True}
    with serving(lambda asked: web(asked) if "/api/" in asked.path else Answer(403)) as server:
        limited = _slack(server.url).test()
        assert limited.capabilities == {"messages": True, "members": False}
        assert "plan" in limited.problems[0]


def test_no_token_at_all_is_refused() -> None:
    with pytest.raises(ConfigError):
        _slack("https://slack.example.com", bot="", admin="")


def test_abilities_follow_the_tokens_and_what_the_test_found() -> None:
    bare = _slack("https://slack.example.com", admin="")
    told = [one.can for one in bare.abilities({"messages": True, "members": False})]
    assert told == [True, False, False]
    assert "enter an admin token" in bare.abilities({})[2].why
    connector = CONNECTORS.get("slack")
    assert connector is not None
    full: Any = connector.client(
        ConnectionSettings(
            key="chat",
            config={},
            secrets={"bot_token": "x", "admin_token": "y", "signing_secret": "z"},
        ),
        transport_to_loopback(),
    )
    asks = full.abilities({"messages": True, "members": True})
    assert [one.can for one in asks] == [True, True, True]
    assert asks[1].words == "ask approvers with buttons"
    assert "plan" in full.abilities({"messages": True, "members": False})[2].why


@pytest.mark.parametrize(
    ("scopes", "lacking"),
    [
        ("", ""),
        ("chat:write,im:write, users:read,users:read.email,files:read", ""),
        ("chat:write,users:read", "im:write, users:read.email"),
    ],
)
def test_test_names_the_scopes_that_are_lacking(scopes: str, lacking: str) -> None:
    web = _web()

    def answering(asked: Asked) -> Answer:
        answer = web(asked)
        answer.headers["X-OAuth-Scopes"] = scopes
        return answer

    with serving(answering) as server:
        problems = _slack(server.url, admin="").test().problems
    assert len(problems) == bool(lacking)
    assert all(f"lacks {lacking}." in words for words in problems)
