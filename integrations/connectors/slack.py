"""Slack: messages over the Web API, members over its SCIM API (Business+ and Enterprise plans)."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from integrations.answers import parse_json, raise_for_status
from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    OutgoingMessage,
    RemoteAccount,
    Setting,
    TestResult,
    Transport,
)
from integrations.connectors.scim.accounts import Accounts
from integrations.connectors.scim.matching import is_active, same, to_account
from integrations.connectors.scim.session import Capabilities, ScimSession
from integrations.errors import (
    ConfigError,
    IntegrationError,
    NotAvailableError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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
_NO_API = (
    "Your Slack plan has no SCIM API (it needs Business+ or Enterprise and an admin token with the "
    "scope “admin”), so Slack members cannot be deactivated from here."
)


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no mention, link or channel can hide in it.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class SlackClient:
    """Implements ``Messenger`` and ``MemberAdmin`` of :mod:`integrations.connectors.base`."""

    channel = "slack"

    def __init__(
        self, transport: Transport, *, base_url: str, bot_token: str, scim: ScimSession | None
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._bot_token = bot_token
        self._scim = scim
        # Slack's userName is the handle; the address is found through its own filter "email".
        self._accounts = (
            Accounts(scim, Capabilities(), address_filters=("email", "userName")) if scim else None
        )

    def test(self) -> TestResult:
        """Who the bot is, and whether the workspace's plan has the SCIM API.

        The two are apart: one that does not answer is a problem in words, both are a failure.
        """
        account: dict[str, Any] = {}
        failures: list[IntegrationError] = []
        if self._bot_token:
            try:
                # https://docs.slack.dev/reference/methods/auth.test
                answer = self._web("auth.test", json={})
                account = {"name": answer.get("team", ""), "team_id": answer.get("team_id", "")}
            except IntegrationError as error:
                failures.append(error)
        messages = bool(self._bot_token) and not failures
        members = False
        if self._scim is not None:
            try:
                with _plan_limits():
                    self._scim.get(
                        self._scim.address("Users"),
                        params={"startIndex": "1", "count": "1"},
                        what="listing Slack members",
                    )
                members = True
            except IntegrationError as error:
                failures.append(error)
        if failures and not messages and not members:
            raise failures[0]
        return TestResult(
            account=account,
            capabilities={"messages": messages, "members": members},
            problems=tuple(error.message for error in failures),
        )

    def send(
        self,
        message: OutgoingMessage,
        *,
        idempotency_key: str,
        before_effect: Callable[[], None],
    ) -> str:
        """Post to the person with this address, or to a ``#channel``; returns channel and ts."""
        if not self._bot_token:
            raise NotAvailableError("This Slack connection has no bot token to send messages with.")
        channel = message.to if message.to.startswith("#") else self._direct_channel(message.to)
        text = escaped(message.text)
        if message.subject:
            text = f"*{escaped(message.subject)}*\n{text}"
        before_effect()
        # https://docs.slack.dev/reference/methods/chat.postMessage
        answer = self._web(
            "chat.postMessage",
            json={"channel": channel, "text": text, "unfurl_links": False, "unfurl_media": False},
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        return f"{answer.get('channel', channel)}/{answer.get('ts', '')}"

    def _direct_channel(self, email: str) -> str:
        # https://docs.slack.dev/reference/methods/users.lookupByEmail
        user = self._web("users.lookupByEmail", params={"email": email}).get("user")
        if not isinstance(user, dict) or not isinstance(user.get("id"), str):
            raise TransientError("Slack answered without a member.")
        profile = user.get("profile")
        shown = profile.get("email") if isinstance(profile, dict) else None
        if shown is not None and not same(shown, email):
            raise PermanentError("Slack answered with another member than the one asked for.")
        if user.get("deleted") is True:
            raise PermanentError("The Slack member with this address is deactivated.")
        # https://docs.slack.dev/reference/methods/conversations.open
        opened = self._web("conversations.open", json={"users": user["id"]}).get("channel")
        if not isinstance(opened, dict) or not isinstance(opened.get("id"), str):
            raise TransientError("Slack opened no conversation.")
        return str(opened["id"])

    def _web(
        self,
        method: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        idempotency_key: str = "",
        repeatable: bool = True,
    ) -> dict[str, Any]:
        """One Web API call. Slack says 200 to nearly everything: ``ok`` tells."""
        try:
            answer = self._transport.request(
                "GET" if json is None else "POST",
                f"{self._base_url}/{method}",
                headers={"Authorization": f"Bearer {self._bot_token}"},
                params=params,
                json=json,
                idempotency_key=idempotency_key,
            )
            raise_for_status(answer, what=f"calling Slack ({method})")
        except UncertainError as error:
            if repeatable:
                raise TransientError(error.message) from error
            raise
        value = parse_json(answer.body)
        if isinstance(value, dict) and value.get("ok") is True:
            return value
        code = value.get("error") if isinstance(value, dict) else None
        raise _refusal(code if isinstance(code, str) else "", method=method, repeatable=repeatable)

    def find_member(self, work_email: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberAdmin`."""
        with _plan_limits():
            found = self._members().by_email(work_email, thorough=True)
        return to_account(found) if found is not None else None

    def deactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberAdmin`.

        https://docs.slack.dev/reference/scim-api#delete-users-id: DELETE deactivates, the member's
        messages stay.
        """
        with _plan_limits():
            members, scim = self._members(), self._scim
            found = members.by_email(work_email, thorough=True)
            if found is None or scim is None:
                return None
            account = to_account(found)
            if not account.active:
                return account
            failure: IntegrationError | None = None
            try:
                scim.send(
                    "DELETE",
                    scim.location(found, kind="Users"),
                    what="deactivating the Slack member",
                    idempotency_key=idempotency_key,
                )
            except (TransientError, UncertainError) as error:
                failure = error
            except PermanentError as error:
                if error.status not in {404, 410}:
                    raise
            now = members.by_id(account.external_id)
        if now is not None and is_active(now):
            raise TransientError(
                "Slack still shows the member as active; it is tried again."
            ) from failure
        return RemoteAccount(
            external_id=account.external_id,
            username=account.username,
            active=False,
            emails=account.emails,
        )

    def reactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberReactivator`.

        https://docs.slack.dev/reference/scim-api#patch-users-id: active may be set again.
        """
        with _plan_limits():
            members = self._members()
            found = members.by_email(work_email, thorough=True)
            if found is None:
                return None
            return members.reactivate(
                to_account(found).external_id, idempotency_key=idempotency_key
            )

    def _members(self) -> Accounts:
        if self._accounts is None:
            raise NotAvailableError("This Slack connection has no admin token. " + _NO_API)
        return self._accounts


@contextlib.contextmanager
def _plan_limits() -> Iterator[None]:
    """Say what Slack's refusal means on plans without the SCIM API."""
    try:
        yield
    except (UnauthorizedError, PermanentError) as error:
        if error.status in {402, 403, 404, 501}:
            raise NotAvailableError(_NO_API, status=error.status) from error
        raise


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
        return PermanentError("There is no Slack member with this address.", status=404)
    return PermanentError(f"Slack refused {method} ({shown}).")


@CONNECTORS.register
class SlackConnector:
    """A Slack workspace."""

    key = "slack"
    label = "Slack"
    category = "Chat"
    help = "Sends messages as your bot; on Business+ and Enterprise also deactivates members."
    icon = "message"
    settings: tuple[Setting, ...] = (
        Setting(name="base_url", label="Web API address", default="https://slack.com/api"),
        Setting(
            name="scim_base_url",
            label="SCIM API address",
            default="https://api.slack.com/scim/v2",
        ),
        Setting(
            name="bot_token",
            label="Bot token",
            help="xoxb-… with chat:write, im:write, users:read and users:read.email.",
            secret=True,
        ),
        Setting(
            name="admin_token",
            label="Admin token",
            help="xoxp-… of an owner or admin with the scope admin: closes accounts.",
            secret=True,
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> SlackClient:
        """Bind to one connection."""
        bot, admin = settings.secrets.get("bot_token", ""), settings.secrets.get("admin_token", "")
        if not bot and not admin:
            raise ConfigError("Slack needs a bot_token, an admin_token, or both.")
        scim = None
        if admin:
            scim_base_url = settings.config.get("scim_base_url") or "https://api.slack.com/scim/v2"
            scim = ScimSession(transport, base_url=scim_base_url, token=admin)
        return SlackClient(
            transport,
            base_url=settings.config.get("base_url") or "https://slack.com/api",
            bot_token=bot,
            scim=scim,
        )
