"""Questions in Slack: the message with its buttons, and the form for a reason.

https://docs.slack.dev/reference/block-kit
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.chat import ChatQuestion, Posted, Pressed
from integrations.connectors.scim.matching import same
from integrations.connectors.slack.interaction import APPROVE, FORM, OPEN, REASON, REJECT
from integrations.connectors.slack.markup import escaped, section

if TYPE_CHECKING:
    from integrations.connectors.slack.web import SlackWeb

_WAITED_FOR = 2.0
"""Seconds for a call that somebody waits for: Slack gives three for the whole answer."""
_REASON_LIMIT = 2_000


def blocks_of(question: ChatQuestion) -> list[dict[str, Any]]:
    """The message. Whatever people wrote is escaped: it mentions nobody and links nowhere."""
    head = f"{escaped(question.intro)}\n*{escaped(question.title)}*"
    blocks = [section(head)]
    told = "\n".join(
        f"*{escaped(label)}:* {escaped(value)[:500]}" for label, value in question.lines if value
    )
    if told:
        blocks.append(section(told))
    if question.outcome:
        blocks.append(section(escaped(question.outcome)))
    buttons: list[dict[str, Any]] = []
    if question.answerable:
        approve = _button("Approve", APPROVE, value=question.value, style="primary")
        buttons = [approve] if question.approvable else []
        buttons.append(_button("Reject…", REJECT, value=question.value, style="danger"))
    if question.link:
        buttons.append({**_button("Open", OPEN), "url": question.link})
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _button(label: str, action: str, **more: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": action, **more}


def _view(title: str, blocks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title},
        "blocks": blocks,
        **more,
    }


def reason_form(pressed: Pressed, *, title: str) -> dict[str, Any]:
    """Asks why. What is rejected without a reason helps nobody, so Slack requires one."""
    field = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": _REASON_LIMIT,
    }
    label = {"type": "plain_text", "text": "Why? The requester will read it."}
    place = f"{pressed.posted.channel}/{pressed.posted.ts}" if pressed.posted else ""
    return _view(
        "Reject",
        [
            section(f"*{escaped(title)}*"),
            {"type": "input", "block_id": REASON, "label": label, "element": field},
        ],
        callback_id=FORM,
        private_metadata=f"{pressed.value} {place}"[:3_000],
        submit={"type": "plain_text", "text": "Reject"},
        close={"type": "plain_text", "text": "Cancel"},
    )


def form_answer(problem: str) -> dict[str, object]:
    """Close the form, or say in it why the answer did not count."""
    if not problem:
        return {"response_action": "clear"}
    view = _view("Not decided", [section(escaped(problem))])
    return {"response_action": "update", "view": view}


class SlackQuestions:
    """The calls around questions, as one workspace's bot. ``team`` is the workspace's id."""

    def __init__(self, web: SlackWeb, *, team: str) -> None:
        self._web = web
        self._team = team

    def ask(self, work_email: str, question: ChatQuestion, *, idempotency_key: str) -> Posted:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        channel = self._web.direct_channel(work_email)
        # https://docs.slack.dev/reference/methods/chat.postMessage
        answer = self._web.call(
            "chat.postMessage",
            json={"channel": channel, **_content(question)},
            idempotency_key=idempotency_key,
            repeatable=False,
        )
        return Posted(channel=str(answer.get("channel") or channel), ts=str(answer.get("ts") or ""))

    def show(self, posted: Posted, question: ChatQuestion) -> None:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        # https://docs.slack.dev/reference/methods/chat.update
        self._web.call(
            "chat.update",
            json={"channel": posted.channel, "ts": posted.ts, **_content(question)},
        )

    def whisper(self, posted: Posted, user: str, text: str) -> None:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        # https://docs.slack.dev/reference/methods/chat.postEphemeral
        self._web.call(
            "chat.postEphemeral",
            json={"channel": posted.channel, "user": user, "text": escaped(text)},
            timeout=_WAITED_FOR,
        )

    def ask_reason(self, pressed: Pressed, *, title: str) -> None:
        """See :class:`~integrations.connectors.chat.AsksInChat`."""
        # https://docs.slack.dev/reference/methods/views.open
        self._web.call(
            "views.open",
            json={"trigger_id": pressed.trigger, "view": reason_form(pressed, title=title)},
            timeout=_WAITED_FOR,
        )

    def address_of(self, user: str) -> str:
        """See :class:`~integrations.connectors.chat.AsksInChat`.

        Guests of another company in a shared channel have members' ids too: they are nobody here.
        """
        # https://docs.slack.dev/reference/methods/users.info
        found = self._web.call("users.info", form={"user": user}, timeout=_WAITED_FOR).get("user")
        if not isinstance(found, dict) or found.get("id") != user:
            return ""
        if found.get("deleted") is True or found.get("is_bot") is True:
            return ""
        if found.get("is_stranger") is True or found.get("is_email_confirmed") is False:
            return ""
        if self._team and not same(found.get("team_id", self._team), self._team):
            return ""
        profile = found.get("profile")
        email = profile.get("email") if isinstance(profile, dict) else None
        return email.strip().lower() if isinstance(email, str) else ""


def _content(question: ChatQuestion) -> dict[str, Any]:
    text = f"{escaped(question.intro)} {escaped(question.title)}"
    return {
        "text": f"{text} {escaped(question.outcome)}".strip(),
        "blocks": blocks_of(question),
        "unfurl_links": False,
        "unfurl_media": False,
    }
