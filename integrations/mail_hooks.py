"""Calls from mail senders: what became of a mail that was handed over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.connectors.mail_api import MailApiClient
from integrations.errors import IntegrationError
from integrations.models import Connection, MailEvent
from integrations.services import client_for
from siit_remote.lib import clock
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from datetime import datetime

    from integrations.connectors.mail_events import MailNews

logger = logging.getLogger(__name__)
FOLLOW = "siit_remote.tasks.follow_bounces"
BODY_LIMIT = 512 * 1024
"""Bytes of the largest call that is read; a sender may tell of many mails at once."""


# No session stands behind it: the sender's signature, or the password it was given, is the proof.
@csrf_exempt
@require_POST
def mail_hook(request: HttpRequest, key: str) -> HttpResponse:
    """202 taken, 400 unreadable, 401 not genuine, 404 unknown, 413 too large."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told[:20]) > BODY_LIMIT:
        return HttpResponse(status=413)
    connection = Connection.objects.filter(key=key, connector="mail-api").first()
    if connection is None:
        return HttpResponse(status=404)
    try:
        client = client_for(connection)
    except IntegrationError:
        return HttpResponse(status=404)
    if not isinstance(client, MailApiClient):
        return HttpResponse(status=404)
    try:
        news = client.news(request)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        logger.info("A call for connection %s cannot be read: %s", connection.pk, type(error))
        return HttpResponse(status=400)
    if news is None:
        logger.info("A call for connection %s was not genuine", connection.pk)
        return HttpResponse(status=401)
    mail_events_keep(connection, news, now=clock.system_now())
    if any(one.kind in MailEvent.NOT_THERE for one in news):
        ring(FOLLOW)
    return HttpResponse(status=202)


def mail_events_keep(connection: Connection, news: tuple[MailNews, ...], *, now: datetime) -> int:
    """Write each down once. Returns how many there were."""
    MailEvent.objects.bulk_create(
        [
            MailEvent(
                connection=connection,
                message_id=one.message_id,
                kind=one.kind,
                why=one.why,
                digest=one.digest,
                received_at=now,
            )
            for one in news
        ],
        ignore_conflicts=True,
    )
    return len(news)
