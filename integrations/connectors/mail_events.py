"""What a sender tells of a mail afterwards, in words that hold no address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_KINDS: dict[str, str] = {
    "bounced": "bounced",
    "rejected": "refused",
    "failed": "refused",
    "complained": "complained",
    "deferred": "deferred",
    "delivered": "delivered",
}
_WHY: dict[str, str] = {
    "invalid": "The address does not exist or is badly written.",
    "bounced": "The receiving server does not take mail for this address.",
    "timed_out": "The receiving server did not answer for too long.",
    "blocked": "The receiving server blocks mail from this sender.",
    "spam": "The mail was taken for spam.",
    "unsubscribed": "The recipient has unsubscribed at the sender service.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailNews:
    """One thing that happened to one mail after it was handed over."""

    message_id: str
    kind: str
    why: str
    digest: str
    """The same for a repeated call."""


def news_of(events: Iterable[Any]) -> tuple[MailNews, ...]:
    """Those of anymail's events that say what became of a mail."""
    found = []
    for event in events:
        kind = _KINDS.get(str(event.event_type))
        message_id = str(event.message_id or "")
        if kind is None or not message_id:
            continue
        parts = (message_id, kind, str(event.event_id or ""), str(event.timestamp or ""))
        found.append(
            MailNews(
                message_id=message_id[:200],
                kind=kind,
                why=_WHY.get(str(event.reject_reason), ""),
                digest=hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
            )
        )
    return tuple(found)
