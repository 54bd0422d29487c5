"""Text and blocks as Slack shows them."""

from __future__ import annotations

from typing import Any

_SECTION = 2_900
_BLOCKS = 45


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no mention, link or channel can hide in it.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(markup: str) -> dict[str, Any]:
    """One block of text, within Slack's limit of 3,000 characters; it must not be empty.

    https://docs.slack.dev/reference/block-kit/blocks/section-block
    """
    return {"type": "section", "text": {"type": "mrkdwn", "text": markup[:_SECTION] or " "}}


def paragraphs(markup: str) -> list[dict[str, Any]]:
    """A text of any length as blocks: cut at line ends, no more than a message may hold."""
    blocks: list[dict[str, Any]] = []
    piece = ""
    for line in markup.split("\n"):
        while len(piece) + len(line) + 1 > _SECTION:
            room = _SECTION - len(piece) - 1
            cut = piece if piece else line[:room]
            line = line if piece else line[room:]
            blocks.append(section(cut))
            piece = ""
        piece = f"{piece}\n{line}" if piece else line
    if piece.strip():
        blocks.append(section(piece))
    return blocks[:_BLOCKS] or [section(" ")]
