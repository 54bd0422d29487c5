"""Slack's Web API: one call, and what its answers mean.

https://docs.slack.dev/apis/web-api: nearly everything is answered with 200; ``ok`` tells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from integrations.answers import parse_json, raise_for_status
from integrations.connectors.scim.matching import same
from integrations.errors import (
    IntegrationError,
    PermanentError,
    RateLimitedError,
    RecipientRefusedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.base import Transport

_CREDENTIAL = frozenset(
    {
        "account_inactive",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
    }
)
_DOWN = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
_CODE = re.compile(r"[a-z0-9_]{1,60}")


class SlackWeb:
    """Calls as the bot of one workspace."""

    def __init__(self, transport: Transport, *, base_url: str, bot_token: str) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._bot_token = bot_token
        self.scopes: frozenset[str] = frozenset()
        """What the token may do, as Slack's last answer said; empty where it said nothing."""

    def call(
        self,
        method: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        idempotency_key: str = "",
        repeatable: bool = True,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Call ``method`` with ``json``, or with a ``form`` where Slack takes no JSON.

        Raises ``IntegrationError``.
        ``repeatable``: the same call twice does nothing twice, so no answer means “try again”.
        ``timeout`` in seconds, for calls that somebody waits for.
        """
        try:
            headers = {"Authorization": f"Bearer {self._bot_token}"}
            if json is None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            answer = self._transport.request(
                "POST",
                f"{self._base_url}/{method}",
                headers=headers,
                json=json,
                body=urlencode(form or {}).encode() if json is None else None,
                idempotency_key=idempotency_key,
                timeout=timeout,
            )
            raise_for_status(answer, what=f"calling Slack ({method})")
        except UncertainError as error:
            if repeatable:
                raise TransientError(error.message) from error
            raise
        value = parse_json(answer.body)
        told = answer.headers.get("x-oauth-scopes", "")
        self.scopes = (
            frozenset(filter(None, (one.strip() for one in told.split(",")))) or self.scopes
        )
        if isinstance(value, dict) and value.get("ok") is True:
            return value
        code = value.get("error") if isinstance(value, dict) else None
        raise _refusal(code if isinstance(code, str) else "", method=method, repeatable=repeatable)

    def direct_channel(self, email: str) -> str:
        """The conversation with the member who has this very address."""
        # https://docs.slack.dev/reference/methods/users.lookupByEmail
        user = self.call("users.lookupByEmail", form={"email": email}).get("user")
        if not isinstance(user, dict) or not isinstance(user.get("id"), str):
            raise TransientError("Slack answered without a member.")
        profile = user.get("profile")
        shown = profile.get("email") if isinstance(profile, dict) else None
        if shown is not None and not same(shown, email):
            raise PermanentError("Slack answered with another member than the one asked for.")
        if user.get("deleted") is True:
            raise RecipientRefusedError("The Slack member with this address is deactivated.")
        # https://docs.slack.dev/reference/methods/conversations.open
        opened = self.call("conversations.open", json={"users": user["id"]}).get("channel")
        if not isinstance(opened, dict) or not isinstance(opened.get("id"), str):
            raise TransientError("Slack opened no conversation.")
        return str(opened["id"])


def _refusal(code: str, *, method: str, repeatable: bool) -> IntegrationError:
    shown = code if _CODE.fullmatch(code) else "no reason given"
    if code in _CREDENTIAL:
        return UnauthorizedError(f"Slack refused the bot token ({shown}) for {method}.")
    if code in {"ratelimited", "rate_limited"}:
        return RateLimitedError(f"Slack asks us to slow down ({method}).")
    if code in _DOWN:
        kind = TransientError if repeatable else UncertainError
        return kind(f"Slack could not say whether {method} worked ({shown}).")
    if code == "users_not_found":
        return RecipientRefusedError("There is no Slack member with this address.", status=404)
    return PermanentError(f"Slack refused {method} ({shown}).")
