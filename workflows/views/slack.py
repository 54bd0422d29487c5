"""The address that Slack calls when somebody presses a button of ours."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.connectors.chat import NEVER, AsksInChat
from integrations.errors import ConfigError
from integrations.models import Connection
from integrations.services import client_for
from siit_remote.lib import clock
from workflows.chat_deciding import press_handle

logger = logging.getLogger(__name__)
_BODY_LIMIT = 256 * 1024


# No session stands behind it: Slack's signature over the raw body is the proof.
@csrf_exempt
@require_POST
def slack_pressed(request: HttpRequest, key: str) -> HttpResponse:
    """One press: 200 taken in, 400 makes no sense, 401 not genuine, 404 unknown, 413 too large."""
    found = _asking(key)
    if found is None:
        return HttpResponse(status=404)
    connection, client = found
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told[:20]) > _BODY_LIMIT:
        return HttpResponse(status=413)
    body = request.read(_BODY_LIMIT + 1)
    if len(body) > _BODY_LIMIT:
        return HttpResponse(status=413)
    genuine = client.is_genuine(
        body=body,
        timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
        signature=request.headers.get("X-Slack-Signature", ""),
        now=clock.system_now(),
    )
    if not genuine:
        logger.info("A press for connection %s was not genuine", connection.pk)
        return HttpResponse(status=401)
    pressed = client.read_press(body)
    if pressed is None:
        return HttpResponse(status=400)
    reply = press_handle(connection, client, pressed, now=clock.now())
    if reply.body:
        return JsonResponse(reply.body, status=reply.status)
    return HttpResponse(status=reply.status)


def _asking(key: str) -> tuple[Connection, AsksInChat] | None:
    """The connection, where it is ready and may ask; every other one is unknown to strangers."""
    connection = Connection.objects.filter(key=key, status=Connection.Status.READY).first()
    if connection is None:
        return None
    try:
        client = client_for(connection)
    except ConfigError:
        return None
    if not isinstance(client, AsksInChat) or client.when_asked == NEVER:
        return None
    return connection, client
