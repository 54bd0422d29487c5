"""Mail about approvals: to whom is asked, who is asked no longer, and who asked."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError
from people.models import Person
from workflows.chat import chat_ask
from workflows.mail import notice_send
from workflows.models import Approval, Request
from workflows.standing_in import delegations_of

if TYPE_CHECKING:
    from workflows.nodes import ActionContext

log = logging.getLogger(__name__)


def _line(text: str) -> str:
    """A name with a line break in it must not become another header."""
    return " ".join(text.split())[:300]


def _send(to: Person, subject: str, text: str, *, key: str) -> bool:
    """False where the mail could not be handed over; the page says the same all the same."""
    message = OutgoingMessage(
        to=to.work_email, subject=_line(subject), text=f"Hello {to.display_name},\n\n{text}\n"
    )
    try:
        notice_send(message, key=key)
    except IntegrationError as error:
        log.warning("no mail (%s): %s", key, error.code)
        return False
    return True


def approver_tell(approval: Approval, *, now: datetime, subject: str) -> None:
    """Ask the approver and who stands in for them today, by mail and in the chat as it is set.

    The mail's link only opens: deciding takes the reader's own session.
    """
    link = f"{settings.SITE_URL}/approvals/{approval.pk}/"
    due = f"Please decide by {approval.due_at:%-d %b %Y}." if approval.due_at else ""
    what = "\n".join(line for line in (approval.title, approval.summary, due) if line)
    text = f"your decision is asked for: {what}\n\nOpen it here and sign in to decide:\n{link}"
    key = f"approval:{approval.pk}:{approval.reminders}"
    in_chat = chat_ask(approval, approval.approver, intro=_intro(approval), key=key, now=now)
    sent = in_chat or _send(approval.approver, subject, text, key=key)
    for row in delegations_of([approval.approver_id], now):
        if row.delegate_id != approval.subject_id:
            words = f"you stand in for {approval.approver}.\n\n{text}"
            own = f"{key}:{row.delegate_id}"
            intro = f"You stand in for {approval.approver}. {_intro(approval)}"
            in_chat = chat_ask(approval, row.delegate, intro=intro, key=own, now=now)
            sent = in_chat or _send(row.delegate, subject, words, key=own) or sent
    if sent:
        # The question stands in the inbox in any case; told to nobody, the next look tries again.
        Approval.objects.filter(pk=approval.pk).update(notified_at=now)


def _intro(approval: Approval) -> str:
    words = "Your decision is asked for:"
    return f"Reminder. {words}" if approval.reminders else words


def released_tell(approval: Approval, words: str) -> None:
    """Who was asked is told that they need not decide. Who has left gets no word of ours."""
    if approval.approver.is_current:
        text = f"you need not decide any more: {approval.title}\n\n{words}"
        key = f"approval:{approval.pk}:released"
        _send(approval.approver, f"Not needed any more: {approval.title}", text, key=key)


def requester_tell(ctx: ActionContext, words: str) -> None:
    """Who asked for something is told why it is not given."""
    if ctx.request is not None:
        request_tell(ctx.request, words, key=f"answer:{ctx.idempotency_key}")


def request_tell(request: Request, words: str, *, key: str) -> None:
    """A word to the requester, with the way to their request."""
    link = f"{settings.SITE_URL}/requests/{request.pk}/"
    subject = f"Your request: {request.service.name}"
    _send(request.requester, subject, f"{words}\n\n{link}", key=key)
