"""Tokens and addresses, the registry, and the connection test over HTTP."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    PeopleSource,
)
from integrations.connectors.remote import client as remote_client
from integrations.connectors.remote.answers import words_of
from integrations.connectors.remote.client import TEST_ADVICE, TEST_SECONDS, RemoteClient
from integrations.connectors.remote.connector import base_url_for, clean_token
from integrations.errors import ConfigError, TransientError, UnauthorizedError
from integrations.tests.connectors.remote.fakes import (
    COMPANY,
    TOKEN,
    BareTransport,
    Clock,
    FakeRemote,
    client_for,
    serve,
)
from integrations.transport import ConnectionRef, HttpTransport


def test_connector_is_registered_and_delivers_people() -> None:
    connector = CONNECTORS.get("remote")
    assert connector is not None
    assert (connector.label, connector.category) == ("Remote", "HRIS")
    secret = [setting.name for setting in connector.settings if setting.secret]
    assert secret == ["api_token"]
    settings = ConnectionSettings(key="remote", config={}, secrets={"api_token": "ra_live_x"})
    assert isinstance(connector.client(settings, BareTransport()), PeopleSource)


@pytest.mark.parametrize(
    "token", ["", "   ", "ra_live_a b", "ra_live_a\nb", "ra_live_ü", "ra_live_\x00", "x" * 9000]
)
def test_token_malformed_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        clean_token(token)
    assert "ra_live" not in caught.value.message


@pytest.mark.parametrize(
    ("token", "configured", "expected"),
    [
        ("ra_live_x", "", "https://gateway.remote.com"),
        ("ra_test_x", "", "https://gateway.remote-sandbox.com"),
        ("ra_live_x", " https://gateway.remote.com/v1/ ", "https://gateway.remote.com"),
        ("ra_test_x", "http://127.0.0.1:8100/", "http://127.0.0.1:8100"),
        ("eyJ.x.y", "https://gateway.partners.remote-sandbox.com", None),
    ],
)
def test_address_comes_from_the_token_or_the_setting(
    token: str, configured: str, expected: str | None
) -> None:
    assert base_url_for(token, configured) == (expected or configured)


@pytest.mark.parametrize(
    ("token", "configured", "words"),
    [
        ("abc", "", "ra_live_ or ra_test_"),
        ("ra_test_x", "https://gateway.remote.com", "sandbox"),
        ("ra_live_x", "https://gateway.remote-sandbox.com", "production"),
        ("ra_live_x", "gateway.remote.com", "not usable"),
        ("ra_live_x", "ftp://gateway.remote.com", "not usable"),
        ("ra_live_x", "https://user@gateway.remote.com", "not usable"),
        ("ra_live_x", "https://gateway.remote.com?x=1", "not usable"),
        ("ra_live_x", "https://gateway.remote.com:port", "not usable"),
        ("ra_live_x", "https://[gateway", "not usable"),
    ],
)
def test_address_contradictions_are_refused(token: str, configured: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        base_url_for(token, configured)


@pytest.mark.parametrize("status", [200, 201])
def test_test_names_company_user_and_environment(status: int) -> None:
    with serve(FakeRemote([])) as remote:
        truth = remote.truth("/v1/identity/current", {})
        remote.fault = lambda *_: (status, *truth[1:])
        result = client_for(remote).test()
    assert result.account == {
        "company_id": COMPANY,
        "company_name": "Acme",
        "user_name": "Ada Admin",
        "environment": "custom",
    }
    assert result.problems == ()
    assert remote.calls == [("/v1/identity/current", {})]


def test_test_warns_of_a_token_without_company() -> None:
    with serve(FakeRemote([])) as remote:
        remote.fault = lambda *_: remote.reply(201, {"data": {"client_id": "c", "user": None}})
        result = client_for(remote).test()
    assert len(result.problems) == 1


def test_test_revoked_token_says_unauthorized_and_what_to_do() -> None:
    with serve(FakeRemote([])) as remote:
        remote.fault = lambda *_: remote.reply(401, {"message": "Unauthorized"})
        with pytest.raises(UnauthorizedError) as caught:
            client_for(remote).test()
    assert caught.value.message == (
        "Unauthorized: the API token was revoked or belongs to another environment. Generate a new "
        "one in Remote (Company settings → Integrations & APIs → Remote API) and update it here."
    )
    assert len(remote.calls) == 1


def test_test_gives_up_early_when_limited() -> None:
    with serve(FakeRemote([])) as remote:
        remote.fault = lambda *_: remote.reply(429, {}, x_ratelimit_reset="59000")
        with pytest.raises(TransientError, match="5 seconds"):
            client_for(remote).test()
    assert len(remote.calls) == 1


def test_test_of_a_dead_address_says_so_at_once() -> None:
    clock = Clock()
    remote = FakeRemote([])
    with socket.create_server(("127.0.0.1", 0)) as found:
        remote.url = f"http://127.0.0.1:{found.getsockname()[1]}"
    with pytest.raises(TransientError) as caught:
        client_for(remote, clock=clock).test()
    assert "in 2 attempts" in caught.value.message
    assert caught.value.message.endswith(TEST_ADVICE)
    assert sum(clock.naps) <= 2


def test_test_of_a_silent_address_ends_within_the_time_a_person_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert TEST_SECONDS <= 5
    monkeypatch.setattr(remote_client, "TEST_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        remote = FakeRemote([])
        remote.url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        transport = HttpTransport(
            ConnectionRef(id=None, key="remote"),
            recorder=lambda _: None,
            allow_private=["127.0.0.1"],
        )
        client = RemoteClient(
            ConnectionSettings(key="remote", config={}, secrets={}),
            transport,
            base_url=remote.url,
            api_token=TOKEN,
        )
        begun = time.monotonic()
        with pytest.raises(TransientError, match="did not answer in time"):
            client.test()
        # One second here; a busy machine gets some more. Retrying as a refresh does took 16.
        assert time.monotonic() - begun < 10
        transport.close()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"message": "Bad cursor"}, "Bad cursor"),
        ({"message": {"code": "c", "message": "Bad\ncursor"}}, "Bad cursor"),
        ({"message": ["one", {"message": "two"}]}, "one; two"),
        ({"errors": {"page_size": ["is too big", "no"]}}, "page_size: is too big; page_size: no"),
        ({"errors": {"detail": "rate-limit exceeded"}}, "rate-limit exceeded"),
        ({"message": {"code": "c", "param": "p"}}, "code: c; param: p"),
        ({}, ""),
        ([], ""),
        (None, ""),
        (7, ""),
    ],
)
def test_error_words_are_found_in_all_shapes(body: Any, expected: str) -> None:
    assert words_of(json.dumps(body).encode()) == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 200_000])
def test_error_words_survive_any_body(body: bytes) -> None:
    assert words_of(body) == ""
