"""Questions put to people in a chat, answered by its buttons: what any such chat must offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

ALSO, INSTEAD, NEVER = "as well as by mail", "instead of by mail", "no"
"""When approvers are asked in the chat: choices of the connection's setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatQuestion:
    """One question as it is shown. ``answerable`` false: words alone, no buttons."""

    intro: str
    title: str
    lines: tuple[tuple[str, str], ...] = ()
    """(label, value) of what the answer is about."""
    outcome: str = ""
    """What became of it, once nobody is to answer any more."""
    value: str = ""
    """Comes back with the press of a button."""
    link: str = ""
    answerable: bool = True
    approvable: bool = True
    """False: it is refused in the chat at most; who approves opens ``link``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a message stands."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What somebody did with a question of ours, as the chat tells it."""

    kind: str
    """approve | reject | explained (the reason of a rejection was sent) | nothing."""
    team: str
    user: str
    value: str = ""
    comment: str = ""
    posted: Posted | None = None
    trigger: str = ""
    """Opens a form for a few seconds."""


@runtime_checkable
class AsksInChat(Protocol):
    """Puts questions to people, and hears what they press."""

    when_asked: str
    """One of :data:`ALSO`, :data:`INSTEAD`, :data:`NEVER`."""

    def ask(self, work_email: str, question: ChatQuestion, *, idempotency_key: str) -> Posted:
        """Put the question to the member with this address. Raises ``IntegrationError``."""
        ...

    def show(self, posted: Posted, question: ChatQuestion) -> None:
        """Replace what stands there. ``PermanentError``: it cannot be changed any more."""
        ...

    def whisper(self, posted: Posted, user: str, text: str) -> None:
        """Say something below the message that only ``user`` sees."""
        ...

    def ask_reason(self, pressed: Pressed, *, title: str) -> None:
        """Open a form for the reason of a rejection."""
        ...

    def address_of(self, user: str) -> str:
        """The confirmed work email of a member of this very workspace, else ``""``."""
        ...

    def is_genuine(self, *, body: bytes, timestamp: str, signature: str, now: datetime) -> bool:
        """Whether the chat itself sent ``body`` within the last five minutes."""
        ...

    def read_press(self, body: bytes) -> Pressed | None:
        """What a genuine call says; ``None`` for what makes no sense."""
        ...

    def form_answer(self, problem: str) -> dict[str, object]:
        """What to answer to a sent form: close it, or show why it did not count."""
        ...
