"""One Slack workspace: ``Messenger``, ``MemberAdmin``, ``MemberReactivator``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import OutgoingMessage, RemoteAccount, TestResult
from integrations.connectors.identity import Ability
from integrations.connectors.slack.markup import escaped, paragraphs
from integrations.connectors.slack.members import NO_API, Members
from integrations.connectors.slack.web import SlackWeb
from integrations.errors import IntegrationError, NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integrations.connectors.base import Transport
    from integrations.connectors.scim.session import ScimSession


class SlackClient:
    """Bound to one workspace by a bot token, an admin token, or both."""

    channel = "slack"

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        bot_token: str,
        scim: ScimSession | None,
        found: Mapping[str, Any] | None = None,
    ) -> None:
        self._bot_token = bot_token
        self._web = SlackWeb(transport, base_url=base_url, bot_token=bot_token)
        self._has_admin = scim is not None
        self._members = Members(scim)
        self._found = found or {}

    def test(self) -> TestResult:
        """Who the bot is, and whether the workspace's plan has the SCIM API.

        The two are apart: one that does not answer is a problem in words, both are a failure.
        """
        account: dict[str, Any] = {}
        failures: list[IntegrationError] = []
        if self._bot_token:
            try:
                # https://docs.slack.dev/reference/methods/auth.test
                answer = self._web.call("auth.test", json={})
                account = {"name": answer.get("team", ""), "team_id": answer.get("team_id", "")}
            except IntegrationError as error:
                failures.append(error)
        messages = bool(self._bot_token) and not failures
        members = False
        if self._has_admin:
            try:
                self._members.prove()
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

    def abilities(self) -> tuple[Ability, ...]:
        """What the last test found, in words."""
        messages = bool(self._bot_token) and self._found.get("messages") is not False
        members = self._has_admin and self._found.get("members") is not False
        no_bot = "" if messages else "Enter a bot token."
        closed = "" if members else NO_API
        return (
            Ability(words="Send messages to people and channels", able=messages, note=no_bot),
            Ability(words="Deactivate and reactivate members", able=members, note=closed),
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
        direct = not message.to.startswith("#")
        channel = self._web.direct_channel(message.to) if direct else message.to
        text = escaped(message.text)
        if message.subject:
            text = f"*{escaped(message.subject)}*\n{text}"
        before_effect()
        # https://docs.slack.dev/reference/methods/chat.postMessage
        answer = self._web.call(
            "chat.postMessage",
            json={
                "channel": channel,
                "text": text,
                "blocks": paragraphs(text),
                "unfurl_links": False,
                "unfurl_media": False,
            },
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        return f"{answer.get('channel', channel)}/{answer.get('ts', '')}"

    def find_member(self, work_email: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberAdmin`."""
        return self._members.find(work_email)

    def deactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberAdmin`."""
        return self._members.deactivate(work_email, idempotency_key=idempotency_key)

    def reactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberReactivator`."""
        return self._members.reactivate(work_email, idempotency_key=idempotency_key)
