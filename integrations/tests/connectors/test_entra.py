"""Entra: tokens for the application, SCIM without PUT, sessions ended by Graph."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from integrations.connectors.base import (
    CONNECTORS,
    AccountProfile,
    ConnectionSettings,
    PeopleSource,
)
from integrations.connectors.identity import AccountUpdater, SessionEnder
from integrations.errors import ConfigError, PermanentError, TransientError, UnauthorizedError
from integrations.tests.connectors.awful_scim import AwfulScim
from integrations.tests.servers import Answer, Asked, Served, serving, transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANT = "acme.onmicrosoft.test"
ANA = AccountProfile(
    work_email="ana@acme.test",
    username="ana@acme.test",
    full_name="Ana Vidal",
    given_name="Ana",
    family_name="Vidal",
)


@dataclass
class FakeEntra:
    """The sign-in service, the SCIM API and the one call of Graph, on one address."""

    scim: AwfulScim = field(default_factory=AwfulScim)
    secret: str = "right"
    revoked: list[str] = field(default_factory=list)
    revoke: Answer = field(default_factory=lambda: Answer(200, json={"value": True}))

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == f"/{TENANT}/oauth2/v2.0/token":
            form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            assert form["grant_type"] == "client_credentials"
            assert form["scope"].endswith("/.default")
            if (form["client_id"], form["client_secret"]) != ("app-1", self.secret):
                return Answer(401, json={"error": "invalid_client"})
            return Answer(json={"token_type": "Bearer", "expires_in": 3599, "access_token": "good"})
        if asked.path.endswith("/revokeSignInSessions"):
            assert asked.headers["authorization"] == "Bearer good"
            self.revoked.append(asked.path.split("/")[3])
            return self.revoke
        if asked.method == "PUT":
            return Answer(405)
        asked.path = asked.path.replace("/rp/scim", "/scim/v2", 1)
        return self.scim(asked)


@contextlib.contextmanager
def _client(entra: FakeEntra, **config: str) -> Iterator[tuple[Any, Served]]:
    connector = CONNECTORS.get("entra")
    assert connector is not None
    with serving(entra) as server:
        settings = ConnectionSettings(
            key="entra",
            config={
                "tenant": TENANT,
                "base_url": server.url,
                "login_base_url": server.url,
                **config,
            },
            secrets={"client_id": "app-1", "client_secret": "right"},
        )
        yield connector.client(settings, transport_to_loopback()), server


def test_account_from_the_first_to_the_last_day_with_one_token() -> None:
    entra = FakeEntra()
    entra.scim.add_user("person0@acme.test")
    with _client(entra) as (client, server):
        assert isinstance(client, SessionEnder)
        assert isinstance(client, AccountUpdater)
        assert not isinstance(client, PeopleSource)
        found = client.test()
        made, created = client.create_account(ANA, idempotency_key="k")
        assert created is True
        client.add_to_group(made.external_id, "Staff", idempotency_key="k")
        assert client.suspend_account(made.external_id, idempotency_key="k").active is False
        client.end_sessions(made.external_id, idempotency_key="k")
        tokens = [one for one in server.asked if one.path.endswith("/token")]
        assert len(tokens) == 1
        assert server.calls("PUT") == []
    assert entra.revoked == [made.external_id]
    assert entra.scim.users["u1"]["active"] is True
    told = {one.words: one.can for one in client.abilities(found.capabilities)}
    assert told["end sessions and refresh tokens, within minutes"] is True
    assert "end sessions" not in told


def test_people_come_in_where_wanted() -> None:
    entra = FakeEntra()
    entra.scim.add_user("ana@acme.test", displayName="Ana")
    with _client(entra, people="yes") as (client, _):
        assert isinstance(client, PeopleSource)
        feed = client.fetch_people(today=None, progress=lambda _: None)
    assert [record.work_email for record in feed.records] == ["ana@acme.test"]


def test_secret_that_has_ended_stops_the_connection() -> None:
    with _client(FakeEntra(secret="new")) as (client, _):
        with pytest.raises(UnauthorizedError, match="make a new one"):
            client.test()
        with pytest.raises(UnauthorizedError):
            client.end_sessions("u1", idempotency_key="k")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(403), UnauthorizedError),
        (Answer(400), PermanentError),
        (Answer(503), TransientError),
        (Answer(drop=True), TransientError),
    ],
)
def test_signing_out_that_fails_is_no_success(answer: Answer, error: type[Exception]) -> None:
    with _client(FakeEntra(revoke=answer)) as (client, _), pytest.raises(error):
        client.end_sessions("u1", idempotency_key="k")


def test_sessions_of_who_is_gone_are_over() -> None:
    entra = FakeEntra(revoke=Answer(404))
    with _client(entra) as (client, _):
        client.end_sessions("u9", idempotency_key="k")
        with pytest.raises(PermanentError):
            client.end_sessions("", idempotency_key="k")
    assert entra.revoked == ["u9"]


@pytest.mark.parametrize("tenant", ["", "acme/../other", "acme?x", "a b"])
def test_tenant_that_would_change_the_address_is_refused(tenant: str) -> None:
    with pytest.raises(ConfigError), _client(FakeEntra(), tenant=tenant):
        pass
