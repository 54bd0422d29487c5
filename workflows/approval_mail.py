"""Mail about approvals: to whom is asked, and to whom it is about."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError
from workflows.mail import notice_send
from workflows.models import Approval

if TYPE_CHECKING:
    from workflows.nodes import ActionContext

log = logging.getLogger(__name__)


def _line(text: str) -> str:
    """A name with a line break in it must not become another header."""
    return " ".join(text.split())[:300]


def approver_tell(approval: Approval, *, now: datetime, subject: str) -> None:
    """Mail the approver. The link only opens: deciding takes the approver's own session."""
    link = f"{settings.SITE_URL}/approvals/{approval.pk}/"
    text = (
        f"Hello {approval.approver.display_name},\n\nyour decision is asked for: {approval.title}\n"
        f"{approval.summary}\n\nOpen it here and sign in to decide:\n{link}\n"
    )
    message = OutgoingMessage(to=approval.approver.work_email, subject=_line(subject), text=text)
    try:
        notice_send(message, key=f"approval:{approval.pk}:{approval.reminders}")
    except IntegrationError as error:
        # The question stands in the inbox all the same; the next look at the step tries again.
        log.warning("no mail about approval %s: %s", approval.pk, error.code)
        return
    Approval.objects.filter(pk=approval.pk).update(notified_at=now)


def requester_tell(ctx: ActionContext, words: str) -> None:
    """Who asked for something is told why it is not given."""
    if ctx.request is None:
        return
    message = OutgoingMessage(
        to=ctx.person.work_email,
        subject=_line(f"Your request: {ctx.request.service.name}"),
        text=f"Hello {ctx.person.display_name},\n\n{words}\n\n"
        f"{settings.SITE_URL}/requests/{ctx.request.pk}/\n",
    )
    try:
        notice_send(message, key=f"answer:{ctx.idempotency_key}")
    except IntegrationError as error:
        log.warning("no mail about request %s: %s", ctx.request.pk, error.code)
