"""Approvers asked in a chat: the question is put there, and shown as it stands wherever decided."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F

from integrations.accounts import stopping_when_refused
from integrations.connectors.chat import INSTEAD, NEVER, AsksInChat, ChatQuestion, Posted
from integrations.errors import ConfigError, IntegrationError, PermanentError, UncertainError
from integrations.models import Connection
from integrations.services import client_for
from people.models import Person
from workflows.deciding import answers_of, approval_takes
from workflows.models import Approval, ChatMessage

log = logging.getLogger(__name__)

Status = Approval.Status
_AT_ONCE = 50
_KEPT = timedelta(days=60)
_LINES = 8
ON_PAGE = "Approving takes something from somebody, so it is done where you confirm that it is you:"


def chat_of() -> tuple[Connection, AsksInChat] | None:
    """The first ready connection that may ask approvers."""
    for connection in Connection.objects.filter(status=Connection.Status.READY).order_by("name"):
        try:
            client = client_for(connection)
        except ConfigError:
            continue
        if isinstance(client, AsksInChat) and client.when_asked != NEVER:
            return connection, client
    return None


def chat_ask(approval: Approval, to: Person, *, intro: str, key: str, now: datetime) -> bool:
    """Put the question to ``to`` in the chat. True where that takes the place of a mail.

    A chat that does not work is no reason for nobody to be asked: the mail goes out then.
    """
    found = chat_of()
    if found is None:
        return False
    connection, client = found
    try:
        with stopping_when_refused(connection):
            posted = client.ask(
                to.work_email, question_for(approval, intro=intro), idempotency_key=key
            )
    except UncertainError:
        # It may stand there, and nobody can say where: the mail makes sure.
        log.warning("approval %s: the chat gave no answer", approval.pk)
        return False
    except IntegrationError as error:
        log.info("approval %s: not asked in the chat (%s)", approval.pk, error.code)
        return False
    ChatMessage.objects.get_or_create(
        connection=connection,
        channel=posted.channel[:60],
        ts=posted.ts[:40],
        defaults={
            "approval": approval,
            "person": to,
            "shown": approval.status,
            "posted_at": now,
        },
    )
    return client.when_asked == INSTEAD


def question_for(approval: Approval, *, intro: str = "") -> ChatQuestion:
    """The approval as a message: with buttons while it is to be decided, else what became of it."""
    request = approval.step.run.request
    due = f"{approval.due_at:%-d %b %Y}" if approval.due_at else ""
    lines: list[tuple[str, Any]] = [("Why you", approval.why_asked)]
    lines += answers_of(request)[:_LINES] if request is not None else []
    lines += [("What happens", approval.summary)]
    pending = approval.status == Status.PENDING
    takes = pending and approval_takes(approval)
    if pending:
        lines.append(("Please decide by", due))
    if takes:
        lines.append(("To approve", "Press Open. It takes something, so it asks who you are."))
    return ChatQuestion(
        intro=intro
        or ("Your decision is asked for:" if pending else "Your decision was asked for:"),
        title=approval.title,
        lines=tuple((label, str(value)) for label, value in lines if value not in ("", None)),
        outcome=outcome_words(approval),
        value=str(approval.pk),
        link=approval_link(approval),
        answerable=pending,
        approvable=not takes,
    )


def approval_link(approval: Approval) -> str:
    """Where the question stands, whole."""
    return f"{settings.SITE_URL}/approvals/{approval.pk}/"


def outcome_words(approval: Approval) -> str:
    """What became of it, in words; empty while it is to be decided."""
    if approval.status == Status.PENDING:
        return ""
    if approval.status == Status.INFO:
        return f"{approval.subject} was asked something first; the question comes back after that."
    if approval.decided_by is not None and approval.decided_at is not None:
        words = f"{approval.get_status_display()} by {approval.decided_by}"
        when = f" on {approval.decided_at:%-d %b %Y %H:%M} UTC."
        reason = f"\n“{approval.comment}”" if approval.comment else ""
        return f"{words}{when}{reason}"
    return approval.closed_reason or "It is not to be decided any more."


def chat_refresh(*, now: datetime) -> int:
    """Show every message as its approval stands now, wherever it was decided. How many changed.

    What cannot be changed there any more is let go; what fails for the moment is tried again.
    """
    rows = (
        ChatMessage.objects.exclude(shown=F("approval__status"))
        .filter(posted_at__gte=now - _KEPT, connection__status=Connection.Status.READY)
        .select_related(
            "connection",
            "approval__decided_by",
            "approval__subject",
            "approval__step__run__request__service",
        )
        .order_by("pk")
    )
    clients: dict[int, AsksInChat | None] = {}
    changed = 0
    for row in rows[:_AT_ONCE]:
        client = clients.setdefault(row.connection_id, _asking(row.connection))
        if client is None:
            continue
        status = row.approval.status
        posted = Posted(channel=row.channel, ts=row.ts)
        try:
            with stopping_when_refused(row.connection):
                client.show(posted, question_for(row.approval))
        except PermanentError as error:
            log.info("approval %s: its message cannot change (%s)", row.approval_id, error.code)
        except IntegrationError as error:
            log.warning("approval %s: message not changed yet (%s)", row.approval_id, error.code)
            clients[row.connection_id] = None
            continue
        # What was shown is what is written down: a decision made meanwhile is seen next time.
        changed += ChatMessage.objects.filter(pk=row.pk).update(shown=status)
    return changed


def _asking(connection: Connection) -> AsksInChat | None:
    try:
        client = client_for(connection)
    except ConfigError:
        return None
    return client if isinstance(client, AsksInChat) else None
