"""Sign-in by an identity provider: what holds is let in, everything else is refused in words."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from integrations.connectors.base import HttpResponse
from integrations.errors import TransientError
from integrations.transport import HttpTransport
from people.models import Person
from siit_remote.audit.models import AuditEntry
from siit_remote.tests.people_with_roles import PASSWORD, Company, small_company
from siit_remote.tests.sessions import proof_age

ISSUER = "https://id.example.test"
CLIENT = "siit"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWKS = {"keys": [json.loads(RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "k1", "alg": "RS256"}]}


class FakeProvider:
    """Answers as a provider would; a test bends one thing."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self._signed
        self.nonce = ""
        self.down = False
        self.issuer = ISSUER
        self.forms: list[dict[str, list[str]]] = []

    @staticmethod
    def _signed(claims: dict[str, Any]) -> str:
        return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "k1"})

    def request(self, method: str, url: str, **extra: Any) -> HttpResponse:
        if self.down:
            raise TransientError("Down.")
        path = urlsplit(url).path
        if path.endswith("openid-configuration"):
            return self._answer(url, self._discovery())
        if path == "/keys":
            return self._answer(url, JWKS)
        self.forms.append(parse_qs(extra["body"].decode()))
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": "u1", "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": self.nonce, "email": "Report@acme.test", "email_verified": True,
        } | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return self._answer(url, {"id_token": self.sign(claims)})

    def _discovery(self) -> dict[str, str]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }

    @staticmethod
    def _answer(url: str, data: Any) -> HttpResponse:
        return HttpResponse(status=200, headers={}, body=json.dumps(data).encode(), url=url)


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    settings.OIDC_DISCOVERY_URL = f"{ISSUER}/.well-known/openid-configuration"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, "s3cret"
    fake = FakeProvider()
    monkeypatch.setattr(
        HttpTransport, "request", lambda _, method, url, **extra: fake.request(method, url, **extra)
    )
    return fake


def begin(client: Client, fake: FakeProvider, *, next_url: str = "/approvals/") -> dict[str, str]:
    """Start, and read what the browser would take to the provider."""
    answer = client.get("/sign-in/provider/", {"next": next_url})
    query = {name: value[0] for name, value in parse_qs(urlsplit(answer["Location"]).query).items()}
    fake.nonce = query["nonce"]
    return query


def come_back(client: Client, query: dict[str, str], **changes: str) -> Any:
    return client.get(
        "/sign-in/provider/back/", {"code": "c", "state": query["state"]} | changes, follow=True
    )


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_verified_work_email_signs_in_and_makes_an_account_once(
    company: Company, provider: FakeProvider
) -> None:
    for _ in range(2):
        client = Client()
        query = begin(client, provider)
        answer = come_back(client, query)
        assert answer.redirect_chain[0][0] == "/approvals/"
        assert signed_in(client)
    user = User.objects.get(email="report@acme.test")
    assert [group.name for group in user.groups.all()] == ["Employee"]
    assert not user.has_usable_password()
    assert query["code_challenge_method"] == "S256"
    assert len(provider.forms[0]["code_verifier"][0]) >= 43
    assert AuditEntry.objects.filter(action="user.signed_in").count() == 2


def test_known_account_keeps_its_roles(company: Company, provider: FakeProvider) -> None:
    provider.claims = {"email": "hr@acme.test"}
    client = Client()
    come_back(client, begin(client, provider))
    assert client.get("/policies/").status_code == 200


def _bad_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"kid": "k1"})


def _unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})


def _shared(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "s3cret" * 8, algorithm="HS256", headers={"kid": "k1"})


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email_verified": False}, "is not verified"),
        ({"email_verified": None}, "is not verified"),
        ({"email_verified": "true"}, "is not verified"),
        ({"email": ""}, "names no email"),
        ({"email": "stranger@acme.test"}, "Nobody in the directory"),
        ({"aud": "another"}, "does not hold"),
        ({"aud": None}, "does not hold"),
        ({"iss": "https://evil.test"}, "does not hold"),
        ({"exp": 1}, "does not hold"),
        ({"exp": None}, "does not hold"),
        ({"iat": None}, "does not hold"),
        ({"nonce": "other"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"azp": "another"}, "another application"),
    ],
)
def test_token_that_does_not_hold_is_refused(
    company: Company, provider: FakeProvider, claims: dict[str, Any], said: str
) -> None:
    provider.claims = claims
    client = Client()
    answer = come_back(client, begin(client, provider))
    assert said in answer.content.decode()
    assert not signed_in(client)
    assert AuditEntry.objects.filter(action="user.sign_in_failed").count() == 1


@pytest.mark.parametrize("sign", [_bad_key, _unsigned, _shared])
def test_signature_that_proves_nothing_is_refused(
    company: Company, provider: FakeProvider, sign: Callable[[dict[str, Any]], str]
) -> None:
    provider.sign = sign
    client = Client()
    assert "does not hold" in come_back(client, begin(client, provider)).content.decode()
    assert not signed_in(client)


def test_answer_of_another_sign_in_is_refused_and_used_up(
    company: Company, provider: FakeProvider
) -> None:
    client = Client()
    query = begin(client, provider)
    assert b"another sign-in" in come_back(client, query, state="other").content
    assert b"No sign-in was begun" in come_back(client, query).content
    assert b"No sign-in was begun" in come_back(Client(), query).content
    assert not signed_in(client)


def test_provider_that_is_down_leaves_the_password(
    company: Company, provider: FakeProvider
) -> None:
    provider.down = True
    client = Client()
    answer = client.get("/sign-in/provider/", follow=True)
    assert b"cannot be reached" in answer.content
    client.post("/sign-in/", {"username": "owner", "password": PASSWORD})
    assert signed_in(client)


def test_provider_under_another_name_is_refused(company: Company, provider: FakeProvider) -> None:
    provider.issuer = "https://evil.test"
    answer = Client().get("/sign-in/provider/", follow=True)
    assert b"calls itself something else" in answer.content


def test_who_has_left_or_is_deactivated_is_refused(
    company: Company, provider: FakeProvider
) -> None:
    Person.objects.filter(work_email="report@acme.test").update(status="ended")
    client = Client()
    assert b"has ended" in come_back(client, begin(client, provider)).content
    provider.claims = {"email": "hr@acme.test"}
    User.objects.filter(email="hr@acme.test").update(is_active=False)
    assert b"deactivated" in come_back(client, begin(client, provider)).content
    assert not signed_in(client)


def test_next_page_never_leads_away(company: Company, provider: FakeProvider) -> None:
    client = Client()
    query = begin(client, provider, next_url="https://evil.test/")
    assert come_back(client, query).redirect_chain[0][0] == "/"


@pytest.mark.django_db
def test_sessions_end_with_the_next_request_of_who_left_or_was_deactivated() -> None:
    company = small_company()
    for change in ("person", "account"):
        client = Client()
        client.post("/sign-in/", {"username": "manager", "password": PASSWORD})
        assert client.get("/approvals/").status_code == 200
        if change == "person":
            Person.objects.filter(work_email="manager@acme.test").update(status="ended")
            assert b"has ended" in client.get("/approvals/", follow=True).content
            again = client.post("/sign-in/", {"username": "manager", "password": PASSWORD})
            assert b"has ended" in again.content
            Person.objects.filter(work_email="manager@acme.test").update(status="active")
        else:
            User.objects.filter(pk=company.users["manager"].pk).update(is_active=False)
            assert client.get("/approvals/")["Location"].startswith("/sign-in/")
        assert client.get("/approvals/").status_code == 302


@pytest.mark.django_db
def test_superusers_local_account_works_on_the_worst_day() -> None:
    company = small_company()
    User.objects.filter(pk=company.users["owner"].pk).update(is_superuser=True)
    Person.objects.filter(work_email="owner@acme.test").update(status="ended")
    client = Client()
    client.post("/sign-in/", {"username": "owner", "password": PASSWORD})
    assert client.get("/").status_code == 200


@pytest.fixture
def mock() -> Iterator[str]:
    """A real provider of another author, on loopback."""
    command = os.environ.get("OIDC_PROVIDER_MOCK", "")
    assert command, "OIDC_PROVIDER_MOCK must name the oidc-provider-mock executable."
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    users = [
        {"sub": "report", "email": "report@acme.test", "email_verified": True},
        {"sub": "unverified", "email": "hr@acme.test", "email_verified": False},
    ]
    options = [part for user in users for part in ("--user-claims", json.dumps(user))]
    process = subprocess.Popen(
        [command, "--port", str(port), "--require-nonce", "true", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                if requests.get(f"{base}/.well-known/openid-configuration", timeout=2).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.peer
@pytest.mark.parametrize(("subject", "allowed"), [("report", True), ("unverified", False)])
def test_a_real_provider_lets_in_whom_it_vouches_for(
    mock: str, settings: Any, company: Company, subject: str, allowed: bool
) -> None:
    settings.OIDC_DISCOVERY_URL = f"{mock}/.well-known/openid-configuration"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, "s3cret"
    settings.OUTBOUND_ALLOW_PRIVATE = ["127.0.0.0/8"]
    client = Client()
    there = client.get("/sign-in/provider/", {"next": "/requests/"})["Location"]
    answer = requests.post(there, data={"sub": subject}, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    assert back.path == "/sign-in/provider/back/"
    page = client.get(f"{back.path}?{back.query}", follow=True)
    assert signed_in(client) is allowed
    words = "Requests" if allowed else "is not verified"
    assert words in page.content.decode()


def _begin_again(client: Client, fake: FakeProvider, **query: str) -> dict[str, str]:
    """Ask for a new proof, as the page “Confirm that it is you” does."""
    answer = client.get("/sign-in/provider/", {"confirm": "1"} | query)
    asked = {name: value[0] for name, value in parse_qs(urlsplit(answer["Location"]).query).items()}
    fake.nonce = asked["nonce"]
    return asked


def _hr(provider: FakeProvider, company: Company) -> Client:
    """HR, signed in by the provider twenty minutes ago."""
    provider.claims = {"email": "hr@acme.test", "auth_time": int(time.time())}
    client = Client()
    come_back(client, begin(client, provider))
    proof_age(client, 20)
    return client


def test_a_sign_in_proves_as_much_as_the_provider_says(
    company: Company, provider: FakeProvider
) -> None:
    url = "/settings/integrations/remote/settings/"
    for told, fresh in ((time.time(), True), (time.time() - 3600, False), (None, False)):
        provider.claims = {"email": "hr@acme.test", "auth_time": told and int(told)}
        client = Client()
        come_back(client, begin(client, provider))
        assert (client.get(url).status_code == 200) is fresh, told


def test_what_was_typed_is_gone_on_with_after_a_proof_at_the_provider(
    company: Company, provider: FakeProvider
) -> None:
    client = _hr(provider, company)
    run = company.objects["run"]
    url = f"/runs/{run.pk}/release/"
    page = client.post(url, {"reason": "Looked at it."}).content.decode()
    assert "/sign-in/provider/?confirm=1" in page
    query = _begin_again(client, provider)
    assert (query["prompt"], query["max_age"]) == ("login", "0")

    provider.claims["auth_time"] = int(time.time())
    page = come_back(client, query)
    assert page.redirect_chain == [("/sign-in/confirm/", 302)]
    # Coming back is a GET: nothing happens before the press.
    assert run.__class__.objects.get(pk=run.pk).status == "held"
    words = page.content.decode()
    assert f'action="{url}"' in words
    assert 'name="reason" value="Looked at it."' in words
    assert client.post(url, {"reason": "Looked at it."}).status_code == 302
    assert run.__class__.objects.get(pk=run.pk).status != "held"
    assert "confirm_pending" not in client.session
    entry = AuditEntry.objects.get(action="user.confirmed")
    assert (entry.actor_label, entry.detail) == ("hr", {"by": "identity provider"})


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"auth_time": None}, "does not say when"),
        ({"auth_time": "now"}, "does not say when"),
        ({"auth_time": True}, "does not say when"),
        ({"auth_time": 1_700_000_000}, "without asking who you are"),
        ({"email": "owner@acme.test", "auth_time": 4_000_000_000}, "somebody else"),
        ({"nonce": "other"}, "another sign-in"),
    ],
)
def test_a_proof_that_proves_nothing_new_is_refused(
    company: Company, provider: FakeProvider, claims: dict[str, Any], said: str
) -> None:
    client = _hr(provider, company)
    url = "/settings/integrations/remote/settings/"
    query = _begin_again(client, provider, next=url)
    provider.claims |= claims
    page = come_back(client, query)
    assert said in page.content.decode()
    assert "Confirm that it is you" in page.content.decode()
    assert client.get(url).status_code == 302
    assert client.session["_auth_user_id"] == str(company.users["hr"].pk)
    assert AuditEntry.objects.filter(action="user.confirm_failed").count() == 1


def test_passwords_can_be_switched_off(
    company: Company, provider: FakeProvider, settings: Any
) -> None:
    settings.PASSWORD_SIGN_IN = False
    client = Client()
    page = client.get("/sign-in/").content.decode()
    assert "Sign in with" in page
    assert 'type="password"' not in page
    answer = client.post("/sign-in/", {"username": "owner", "password": PASSWORD})
    assert b"Nobody signs in with a password here" in answer.content
    assert not signed_in(client)
    client = _hr(provider, company)
    assert client.get("/account/password/").status_code == 404
    assert b"/account/password/" not in client.get("/").content
    page = client.post(f"/runs/{company.objects['run'].pk}/release/", {"reason": "x"})
    assert b'type="password"' not in page.content
    typed = {"reason": "x", "confirm_password": PASSWORD}
    assert client.post(f"/runs/{company.objects['run'].pk}/release/", typed).status_code == 422


@pytest.mark.peer
def test_a_real_provider_gives_a_new_proof(mock: str, settings: Any, company: Company) -> None:
    """It is told ``prompt`` and ``max_age``, and tells ``auth_time``."""
    settings.OIDC_DISCOVERY_URL = f"{mock}/.well-known/openid-configuration"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, "s3cret"
    settings.OUTBOUND_ALLOW_PRIVATE = ["127.0.0.0/8"]
    User.objects.filter(pk=company.users["hr"].pk).update(email="report@acme.test")
    client = Client()
    client.force_login(company.users["hr"])
    proof_age(client, 20)
    url = "/settings/integrations/remote/settings/"
    assert client.get(url)["Location"].startswith("/sign-in/confirm/")
    there = client.get("/sign-in/provider/", {"confirm": "1", "next": url})["Location"]
    assert "prompt=login&max_age=0" in there
    answer = requests.post(there, data={"sub": "report"}, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    page = client.get(f"{back.path}?{back.query}")
    assert page["Location"] == url
    assert client.get(url).status_code == 200
    assert AuditEntry.objects.get(action="user.confirmed").detail == {"by": "identity provider"}
