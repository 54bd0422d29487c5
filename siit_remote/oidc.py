"""Sign-in by an identity provider: OpenID Connect, code flow with PKCE, by discovery address.

Everything that is not exactly as asked for is refused with words; see decisions. The provider is
reached through the one door for outbound traffic.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import jwt
from django.conf import settings

from integrations.errors import IntegrationError
from integrations.transport import Attempt, ConnectionRef, HttpTransport

log = logging.getLogger(__name__)

WELL_KNOWN: Final = "/.well-known/openid-configuration"
# Signatures only the provider can make: a shared secret or none at all proves nothing.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
LEEWAY_SECONDS: Final = 60
PENDING_SECONDS: Final = 600


class SignInRefusedError(Exception):
    """Nobody is signed in; the message says why and what to do, and holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in under way, kept in the visitor's own session. ``at`` is a Unix time."""

    state: str
    nonce: str
    verifier: str
    next: str
    at: float
    confirm: bool = False
    """Who is signed in proves once more who it is: nobody is signed in by it."""

    @classmethod
    def begin(cls, *, next_url: str, now: datetime, confirm: bool = False) -> Pending:
        """Three values nobody can guess."""
        return cls(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(64),
            next=next_url,
            at=now.timestamp(),
            confirm=confirm,
        )

    @property
    def challenge(self) -> str:
        """What the provider compares the verifier with (S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _attempt(attempt: Attempt) -> None:
    if attempt.error is not None:
        log.warning("identity provider: %s %s", attempt.operation, attempt.error.code)


class Provider:
    """The provider as its discovery document describes it."""

    def __init__(self) -> None:
        self._transport = HttpTransport(
            ConnectionRef(id=None, key="sign-in"),
            recorder=_attempt,
            allow_private=settings.OUTBOUND_ALLOW_PRIVATE,
        )
        url = settings.OIDC_DISCOVERY_URL
        found = self._json("GET", url)
        self.issuer = str(found.get("issuer", ""))
        if url.removesuffix(WELL_KNOWN).rstrip("/") != self.issuer.rstrip("/"):
            raise SignInRefusedError(
                "The identity provider calls itself something else than OIDC_DISCOVERY_URL says."
            )
        self._metadata = found

    def _endpoint(self, name: str) -> str:
        address = self._metadata.get(name)
        if not isinstance(address, str) or not address:
            raise SignInRefusedError(f"The identity provider names no {name.replace('_', ' ')}.")
        return address

    def _json(self, method: str, url: str, **extra: Any) -> dict[str, Any]:
        try:
            answer = self._transport.request(method, url, timeout=10, **extra)
        except IntegrationError as error:
            raise SignInRefusedError(
                "The identity provider cannot be reached. Try again, or sign in with a password."
            ) from error
        try:
            found = json.loads(answer.body)
        except ValueError:
            found = None
        if answer.status >= 400 or not isinstance(found, dict):
            raise SignInRefusedError(
                "The identity provider refused. Begin again; if it stays so, ask your IT."
            )
        return found

    def authorization_url(self, pending: Pending, *, back: str) -> str:
        """Where the visitor is sent."""
        query = {
            "response_type": "code",
            "client_id": settings.OIDC_CLIENT_ID,
            "redirect_uri": back,
            "scope": "openid email profile",
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        if pending.confirm:
            # Both ask the same; max_age also obliges the provider to say when it was (auth_time).
            # https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
            query |= {"prompt": "login", "max_age": "0"}
        address = self._endpoint("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def claims(self, code: str, pending: Pending, *, back: str) -> dict[str, Any]:
        """Exchange the code and judge the token. Raises :class:`SignInRefusedError`."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": settings.OIDC_CLIENT_ID,
            "code_verifier": pending.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        methods = self._metadata.get("token_endpoint_auth_methods_supported")
        if isinstance(methods, list) and "client_secret_basic" not in methods:
            form["client_secret"] = settings.OIDC_CLIENT_SECRET
        elif settings.OIDC_CLIENT_SECRET:
            pair = f"{settings.OIDC_CLIENT_ID}:{settings.OIDC_CLIENT_SECRET}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = self._json(
            "POST",
            self._endpoint("token_endpoint"),
            headers=headers,
            body=urlencode(form).encode(),
        )
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SignInRefusedError("The identity provider sent no identity.")
        claims = self._judged(token, pending.nonce)
        if "email" not in claims and isinstance(answer.get("access_token"), str):
            claims |= self._userinfo(str(answer["access_token"]), str(claims["sub"]))
        return claims

    def _judged(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key=self._key(token),
                algorithms=list(ALGORITHMS),
                audience=settings.OIDC_CLIENT_ID,
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            log.warning("identity token refused: %s", type(error).__name__)
            raise SignInRefusedError(
                "The identity provider's answer does not hold: it is for somebody else, too old, "
                "or not signed as it should be. Begin again."
            ) from error
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise SignInRefusedError("The answer belongs to another sign-in. Begin again.")
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            raise SignInRefusedError("The answer was made for another application.")
        return claims

    def _key(self, token: str) -> Any:
        """The provider's key that the token names, read afresh: keys are rotated."""
        kid = jwt.get_unverified_header(token).get("kid")
        keys = jwt.PyJWKSet.from_dict(self._json("GET", self._endpoint("jwks_uri"))).keys
        fitting = [key for key in keys if kid is None or key.key_id == kid]
        if len(fitting) != 1:
            raise jwt.InvalidKeyError("No single key fits.")
        return fitting[0]

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        found = self._json("GET", self._endpoint("userinfo_endpoint"), headers=headers)
        if found.get("sub") != subject:
            raise SignInRefusedError("The identity provider speaks of two people. Begin again.")
        return {name: found[name] for name in ("email", "email_verified") if name in found}


def verified_email(claims: Mapping[str, Any]) -> str:
    """The address, lower-case, that the provider vouches for. Raises when it does not."""
    email = str(claims.get("email", "")).strip().lower()
    if "@" not in email:
        raise SignInRefusedError("The identity provider names no email. Ask your IT to release it.")
    if claims.get("email_verified") is not True:
        raise SignInRefusedError(
            f"{email} is not verified at the identity provider, so it proves nothing. "
            "Verify it there, then sign in again."
        )
    return email


def proved_at(claims: Mapping[str, Any], *, now: datetime) -> datetime | None:
    """When the provider last made sure who it is, never later than ``now``; ``None``: untold."""
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return datetime.fromtimestamp(min(max(told, 0), now.timestamp()), UTC)


def proved_again_at(claims: Mapping[str, Any], pending: Pending, *, now: datetime) -> datetime:
    """As :func:`proved_at`, for a proof asked for by ``pending``; an older one is refused."""
    at = proved_at(claims, now=now)
    if at is None:
        raise SignInRefusedError(
            "The identity provider does not say when you proved who you are. Your IT can have it "
            "send “auth_time”."
        )
    if at.timestamp() < pending.at - LEEWAY_SECONDS:
        raise SignInRefusedError(
            "The identity provider let you pass without asking who you are. Sign out there, then "
            "try again."
        )
    return at
