"""A word to people about their tasks: one message a look, however many tasks it tells of."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError
from people.models import Person
from workflows.mail import messenger_for, notice_send
from workflows.models import Task

log = logging.getLogger(__name__)
_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One task that somebody is told of, and why now."""

    task: Task
    why: str
    """“New”, “Due today”, “Overdue” …"""


def tasks_tell(to: Person, words: Sequence[Word], *, now: datetime) -> bool:
    """By mail, and by Slack where it is connected. False when neither took it.

    Titles and days only: what a task is about is read after signing in.
    """
    lines = [_line(word) for word in words[:_LISTED]]
    if len(words) > _LISTED:
        lines.append(f"… and {len(words) - _LISTED} more.")
    first = words[0]
    subject = f"{first.why}: {first.task.title}"
    if len(words) > 1:
        subject = f"{len(words)} tasks need you"
    one = f"/tasks/{first.task.pk}/" if len(words) == 1 else "/tasks/"
    text = "\n".join(
        [
            f"Hello {to.display_name},",
            "",
            *lines,
            "",
            "Open and do them here:",
            settings.SITE_URL + one,
        ]
    )
    message = OutgoingMessage(
        to=to.work_email, subject=" ".join(subject.split())[:300], text=f"{text}\n"
    )
    key = f"tasks:{to.pk}:{now.isoformat()}"
    return any([_by_mail(message, key), _by_slack(message, key)])


def _line(word: Word) -> str:
    due = f", due {word.task.due_on:%-d %b %Y}" if word.task.due_on else ""
    return f"- {word.why}: {' '.join(word.task.title.split())}{due}"


def _by_mail(message: OutgoingMessage, key: str) -> bool:
    try:
        notice_send(message, key=key)
    except IntegrationError as error:
        log.warning("no mail (%s): %s", key, error.code)
        return False
    return True


def _by_slack(message: OutgoingMessage, key: str) -> bool:
    found = messenger_for("slack")
    if found is None:
        return False
    try:
        found[1].send(message, idempotency_key=key, before_effect=_nothing)
    except IntegrationError as error:
        log.warning("no word by Slack (%s): %s", key, error.code)
        return False
    return True


def _nothing() -> None:
    """A reminder may be repeated; nobody needs to know how far it got."""
