"""Signed calls, judged by the published verifier."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from integrations.connectors.base import CONNECTORS, ConnectionSettings, SignedCaller
from integrations.connectors.http_call import join_path
from integrations.errors import (
    ConfigError,
    PermanentError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.tests.servers import Answer, serving, transport_to_loopback
from siit_remote.lib import clock

WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()


def _caller(url: str, *, signing: str = WHSEC, **config: str) -> Any:
    connector = CONNECTORS.get("http")
    assert connector is not None
    extra = {"bearer_token": config.pop("bearer", "")}
    return connector.client(
        ConnectionSettings(
            key="http",
            config={"base_url": url, **config},
            secrets={"signing_secret": signing, **extra},
        ),
        transport_to_loopback(),
    )


@pytest.mark.parametrize("signing", [WHSEC, "any old text ü"])
def test_call_carries_a_signature_others_accept(signing: str) -> None:
    # The moment is the same whatever zone it is written in.
    sent_at = clock.system_now().astimezone(timezone(timedelta(hours=5)))
    with serving(lambda _: Answer(202)) as server:
        caller = _caller(f"{server.url}/hooks", signing=signing, bearer="t0k")
        assert isinstance(caller, SignedCaller)
        for _ in range(2):
            caller.call(
                {"action": "grant", "name": "Zoë"},
                idempotency_key="run-1-step",
                sent_at=sent_at,
                path="/a/b?c=d",
            )
    verifier = Webhook(signing if signing.startswith("whsec_") else signing.encode())
    for asked in server.asked:
        assert verifier.verify(asked.body, asked.headers) == {"action": "grant", "name": "Zoë"}
        assert asked.path == "/hooks/a/b"
        assert asked.headers["authorization"] == "Bearer t0k"
    assert {asked.headers["webhook-id"] for asked in server.asked} == {"run-1-step"}
    assert {asked.headers["idempotency-key"] for asked in server.asked} == {"run-1-step"}
    assert {asked.headers["content-type"] for asked in server.asked} == {"application/json"}


def test_own_body_and_headers_are_sent_and_signed() -> None:
    with serving(lambda _: Answer()) as server:
        _caller(server.url).call(
            {},
            idempotency_key="k",
            sent_at=clock.system_now(),
            method="PUT",
            headers={"content-type": "text/plain", "X-Team": "it"},
            raw_body="hello",
        )
    asked = server.asked[0]
    assert (asked.method, asked.body) == ("PUT", b"hello")
    assert asked.headers["content-type"] == "text/plain"
    Webhook(WHSEC).verify(asked.body, asked.headers, json_parse=False)


@pytest.mark.parametrize(
    "header",
    ["Webhook-Id", "webhook-signature", "Authorization", "Host", "content-length", "A b", "X\r\nY"],
)
def test_reserved_or_broken_header_is_refused(header: str) -> None:
    caller = _caller("https://x.example.com")
    with pytest.raises(ConfigError):
        caller.call({}, idempotency_key="k", sent_at=datetime.now(UTC), headers={header: "1"})


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/a/../../x",
        "a/%2e%2e/x",
        "a/%252e%252e/x",
        "//evil.example.com/",
        "a//b",
        "a\\b",
        "a#b",
        "a\nb",
        "./x",
        "a/%2f%2fb",
    ],
)
def test_path_cannot_leave_the_base(path: str) -> None:
    with pytest.raises(ConfigError):
        join_path("https://x.example.com/base", path)


@given(st.text(max_size=40))
def test_joined_path_always_begins_with_the_base(path: str) -> None:
    try:
        joined = join_path("https://x.example.com/base", path)
    except ConfigError:
        return
    assert joined == "https://x.example.com/base" or joined.startswith(
        "https://x.example.com/base/"
    )


@pytest.mark.parametrize(
    ("status", "success", "error"),
    [
        (200, "", None),
        (204, "", None),
        (302, "", PermanentError),
        (401, "", UnauthorizedError),
        (409, "", PermanentError),
        (409, "200,409", None),
        (202, "200", PermanentError),
        (500, "", TransientError),
    ],
)
def test_status_decides(status: int, success: str, error: type[Exception] | None) -> None:
    with serving(lambda _: Answer(status)) as server:
        caller = _caller(server.url, success=success)
        if error is None:
            answer = caller.call({}, idempotency_key="k", sent_at=clock.system_now())
            assert answer.status == status
        else:
            with pytest.raises(error):
                caller.call({}, idempotency_key="k", sent_at=clock.system_now())


def test_lost_answer_is_uncertain() -> None:
    with serving(lambda _: Answer(drop=True)) as server, pytest.raises(UncertainError):
        _caller(server.url).call({}, idempotency_key="k", sent_at=clock.system_now())


def test_test_has_no_effect_and_any_answer_will_do() -> None:
    with serving(lambda _: Answer(405)) as server:
        assert _caller(server.url).test().account == {"name": "127.0.0.1"}
    assert [asked.method for asked in server.asked] == ["HEAD"]


def test_serves_is_a_list() -> None:
    caller = _caller("https://x.example.com", serves=" apps.assign, apps.revoke,,")
    assert caller.serves == ("apps.assign", "apps.revoke")


@pytest.mark.parametrize(
    ("signing", "config"),
    [
        ("whsec_!", {}),
        ("whsec_", {}),
        ("", {}),
        (WHSEC, {"success": "2xx"}),
        (WHSEC, {"success": "200;201"}),
    ],
)
def test_unusable_settings_are_refused(signing: str, config: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        _caller("https://x.example.com", signing=signing, **config)
