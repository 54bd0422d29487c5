"""Signed calls to an endpoint of the customer's own (Standard Webhooks)."""

from __future__ import annotations

import binascii
import json
import re
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

from integrations.answers import raise_for_status
from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    HttpResponse,
    Setting,
    TestResult,
    Transport,
)
from integrations.connectors.identity import Ability
from integrations.connectors.inbound import Inbound
from integrations.errors import ConfigError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TIMEOUT = 15.0
_MAX_BYTES = 64_000
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PLACE = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
# Ours, or about the framing of the message: a workflow's headers cannot replace them.
_RESERVED = re.compile(
    r"webhook-.*|idempotency-key|authorization|proxy-.*|host|content-length|transfer-encoding"
    r"|connection|te|trailer|upgrade|expect|cookie",
    re.IGNORECASE,
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in text.split(","))))


def _signer(secret: str) -> Webhook:
    """``whsec_`` introduces base64 as the standard has it; any other text is the key itself."""
    try:
        return Webhook(secret if secret.startswith("whsec_") else secret.encode())
    except (binascii.Error, ValueError, EmptyWebhookSecretError) as error:
        raise ConfigError(
            "The signing secret is not usable: whsec_ must be followed by base64."
        ) from error


def join_path(base_url: str, path: str) -> str:
    """``path`` below ``base_url``. Raises ``ConfigError`` for one that leads anywhere else."""
    if not path:
        return base_url
    plain = unquote(unquote(path.partition("?")[0]))
    if (
        "\\" in plain
        or "#" in path
        or "//" in plain
        or any(segment in {".", ".."} for segment in plain.split("/"))
        or not plain.isprintable()
    ):
        raise ConfigError("The path must lie below the connection's address, without “..”.")
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


class HttpCaller:
    """Implements :class:`integrations.connectors.base.SignedCaller`."""

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        signer: Webhook,
        bearer_token: str,
        serves: tuple[str, ...],
        success: frozenset[int],
    ) -> None:
        self._transport = transport
        self._base_url = base_url
        self._signer = signer
        self._bearer_token = bearer_token
        self._success = success
        self.serves = serves

    def test(self) -> TestResult:
        """See whether anything answers. Without effect: a signed call would be acted upon."""
        self._transport.request("HEAD", self._base_url, timeout=_TIMEOUT, max_bytes=_MAX_BYTES)
        return TestResult(account={"name": urlsplit(self._base_url).hostname or ""})

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """See :class:`~integrations.connectors.identity.TellsAbilities`."""
        return (
            Ability(words="be called by a workflow’s step, each call signed"),
            Ability(words="call back, signed, when the work has taken longer"),
            Ability(words="give and take applications that are set to it"),
            Ability(words="ship the bundles that are set to it, and report where they are"),
            Ability(
                words="stand in where no other connection does something",
                can=bool(self.serves),
                why="nothing is entered under “Stands in for” in its settings",
            ),
            Ability(
                words="say who has an application",
                can=False,
                why="it is told what to do and not asked; the record here is what was told",
            ),
        )

    def call(
        self,
        payload: Mapping[str, Any],
        *,
        idempotency_key: str,
        sent_at: datetime,
        method: str = "POST",
        path: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        raw_body: str | None = None,
        expect: frozenset[int] = frozenset(),
        shown_path: str = "",
    ) -> HttpResponse:
        """Sign and send. ``raw_body`` replaces the JSON of ``payload``; a GET has no body.

        Raises unless the answer's status is among ``expect``, else one of those configured as
        success (default: 2xx).
        """
        if method not in _METHODS:
            raise ConfigError(f"{method[:20]!r} is not one of {', '.join(sorted(_METHODS))}.")
        if raw_body is None:
            raw_body = "" if method == "GET" else _to_json(payload)
        answer = self._transport.request(
            method,
            join_path(self._base_url, path),
            params=query,
            headers={**_own_headers(headers), **self._signed(raw_body, idempotency_key, sent_at)},
            body=raw_body.encode() or None,
            idempotency_key=idempotency_key,
            timeout=_TIMEOUT,
            max_bytes=_MAX_BYTES,
            shown_path=_shown(shown_path),
        )
        success = expect or self._success
        if answer.status in success:
            return answer
        raise_for_status(answer, what="making the signed call")
        if success:
            raise PermanentError(
                f"The target answered {answer.status}, which does not count as success here.",
                status=answer.status,
                request_id=answer.request_id[:120],
                connection=answer.connection,
            )
        return answer

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether this was signed with our secret within the last five minutes."""
        try:
            self._signer.verify(body, dict(headers))
        except (WebhookVerificationError, ValueError, TypeError):
            # The library decodes what strangers sent; what it stumbles over is not genuine.
            return False
        return True

    def _signed(self, body: str, idempotency_key: str, sent_at: datetime) -> dict[str, str]:
        # https://github.com/standard-webhooks/standard-webhooks – the id stays the same over
        # retries, so that a receiver recognises a repeat.
        sent_at = sent_at.astimezone(UTC)
        signed = {
            "webhook-id": idempotency_key,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": self._signer.sign(
                msg_id=idempotency_key, timestamp=sent_at, data=body
            ),
            "Idempotency-Key": idempotency_key,
        }
        if self._bearer_token:
            signed["Authorization"] = f"Bearer {self._bearer_token}"
        return signed


def _shown(template: str) -> str:
    """A path's template as the log shows it: places to fill, not what fills them."""
    plain = _PLACE.sub("{…}", template).lstrip("/")
    return f"/{plain}" if template else ""


def _to_json(payload: Mapping[str, Any]) -> str:
    try:
        return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ConfigError("The body of the call is no JSON.") from error


def _own_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    found = {"Content-Type": "application/json"}
    for name, value in (headers or {}).items():
        if not _HEADER.fullmatch(name) or not value.isprintable() or not value.isascii():
            raise ConfigError(f"“{name[:60]}” is not a header that can be sent.")
        if _RESERVED.fullmatch(name):
            raise ConfigError(f"The header {name} is set by us and cannot be replaced.")
        found = {known: old for known, old in found.items() if known.lower() != name.lower()}
        found[name] = value
    return found


def _statuses(text: str) -> frozenset[int]:
    words = _words(text)
    if not all(re.fullmatch(r"[1-5]\d\d", word) for word in words):
        raise ConfigError("success must be a comma list of HTTP statuses, as 200,202,409.")
    return frozenset(map(int, words))


@CONNECTORS.register
class HttpConnector:
    """An endpoint of the customer's own that does what no other connection does."""

    key = "http"
    label = "Signed HTTP calls"
    category = "Other"
    help = "Calls an address of yours, signed after Standard Webhooks, for what has no connector."
    icon = "globe"
    settings: tuple[Setting, ...] = (
        Setting(name="base_url", label="Base address", required=True),
        Setting(
            name="serves",
            label="Stands in for",
            help="Keys of actions it does where no other connection does, as "
            "apps.assign,apps.revoke.",
        ),
        Setting(
            name="success",
            label="Statuses of success",
            help="A comma list, as 200,202,409. Empty: every 2xx.",
        ),
        Setting(
            name="signing_secret",
            label="Signing secret",
            help="whsec_… in base64, or any text, shared with the receiver.",
            required=True,
            secret=True,
        ),
        Setting(name="bearer_token", label="Bearer token", secret=True),
    )

    inbound = (
        Inbound(
            label="Reports of equipment",
            path="/hooks/equipment/{key}/",
            help="A shipping partner says here where a shipment is, signed with the same secret.",
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> HttpCaller:
        """Bind to one connection."""
        base_url, secret = (
            settings.config.get("base_url", ""),
            settings.secrets.get("signing_secret", ""),
        )
        if not base_url or not secret:
            raise ConfigError("Signed calls need base_url and signing_secret.")
        if "?" in base_url or "#" in base_url:
            raise ConfigError("base_url must not hold a query or fragment.")
        return HttpCaller(
            transport,
            base_url=base_url,
            signer=_signer(secret),
            bearer_token=settings.secrets.get("bearer_token", ""),
            serves=_words(settings.config.get("serves", "")),
            success=_statuses(settings.config.get("success", "")),
        )
