"""One Slack workspace: ``Messenger``, ``MemberAdmin``, ``MemberReactivator``, ``AsksInChat``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import OutgoingMessage, RemoteAccount, TestResult
from integrations.connectors.chat import ALSO, NEVER
from integrations.connectors.identity import Ability
from integrations.connectors.slack import interaction
from integrations.connectors.slack.markup import escaped, paragraphs
from integrations.connectors.slack.members import NO_API, Members
from integrations.connectors.slack.questions import SlackQuestions, form_answer
from integrations.connectors.slack.web import SlackWeb
from integrations.errors import IntegrationError, NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from integrations.connectors.base import Transport
    from integrations.connectors.chat import ChatQuestion, Posted, Pressed
    from integrations.connectors.scim.session import ScimSession


# https://docs.slack.dev/reference/scopes: for messages, conversations and who a member is.
_NEEDED = frozenset({"chat:write", "im:write", "users:read", "users:read.email"})


_NO_ADMIN = "enter an admin token; Slack gives one this right on Business+ and Enterprise only"


def _lacks(scopes: list[str]) -> list[str]:
    if not scopes:
        return []
    return [
        f"The bot token lacks {', '.join(scopes)}. Add it under OAuth & Permissions in your Slack "
        "app and install the app again."
    ]


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
        signing_secret: str = "",
        when_asked: str = ALSO,
        team: str = "",
    ) -> None:
        self._bot_token = bot_token
        self._web = SlackWeb(transport, base_url=base_url, bot_token=bot_token)
        self._has_admin = scim is not None
        self._members = Members(scim)
        self._secret = signing_secret
        self._team = team
        self._questions = SlackQuestions(self._web, team=team)
        # Without the secret no press of a button could be told from a forged one.
        self.when_asked = when_asked if bot_token and signing_secret else NEVER

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
        lacking = sorted(_NEEDED - self._web.scopes) if messages and self._web.scopes else []
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
            problems=(*(error.message for error in failures), *_lacks(lacking)),
        )

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """What the last test found, in words."""
        messages = bool(self._bot_token) and capabilities.get("messages") is not False
        members = self._has_admin and capabilities.get("members") is not False
        asks = messages and self.when_asked != NEVER
        return (
            Ability(
                words="send messages to people and channels",
                can=messages,
                why="enter a bot token that works",
            ),
            Ability(
                words="ask approvers with buttons",
                can=asks,
                why="enter your Slack app's signing secret, and choose that it may ask",
            ),
            Ability(
                words="deactivate and reactivate members",
                can=members,
                why=NO_API if self._has_admin else _NO_ADMIN,
            ),
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
        """See :class:`~integrations.connectors.identity.MemberReactivator`."""
        return self._members.reactivate(work_email, idempotency_key=idempotency_key)

    def ask(self, work_email: str, question: ChatQuestion, *, idempotency_key: str) -> Posted:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        return self._questions.ask(work_email, question, idempotency_key=idempotency_key)

    def show(self, posted: Posted, question: ChatQuestion) -> None:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        self._questions.show(posted, question)

    def whisper(self, posted: Posted, user: str, text: str) -> None:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        self._questions.whisper(posted, user, text)

    def ask_reason(self, pressed: Pressed, *, title: str) -> None:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        self._questions.ask_reason(pressed, title=title)

    def address_of(self, user: str) -> str:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        return self._questions.address_of(user)

    def is_genuine(self, *, body: bytes, timestamp: str, signature: str, now: datetime) -> bool:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        return interaction.is_genuine(
            self._secret, body=body, timestamp=timestamp, signature=signature, now=now
        )

    def read_press(self, body: bytes) -> Pressed | None:
        """See :class:`~integrations.connectors.chat.AsksInChat`. Another workspace is nobody."""
        pressed = interaction.read_press(body)
        if pressed is not None and self._team and pressed.team != self._team:
            return None
        return pressed

    def form_answer(self, problem: str) -> dict[str, object]:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        return form_answer(problem)
