"""The address that is called from outside, and the page of the subscription."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from integrations.errors import IntegrationError
from integrations.hints import BODY_LIMIT, hint_is_genuine, hint_receive, path_digest
from integrations.models import Connection, WebhookSubscription
from integrations.subscriptions import (
    address_problem,
    subscription_of,
    webhook_remove,
    webhook_replay,
    webhook_rotate,
    webhook_subscribe,
    webhook_undelivered,
)
from siit_remote.access import require
from siit_remote.confirming import confirm_first
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)
_IDS = 500


# No session stands behind it: the signature over the body is the proof, checked before parsing.
@csrf_exempt
@require_POST
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Take in one call: 202 kept, 200 seen before, 401 not genuine, 404 unknown, 413 too large."""
    found = WebhookSubscription.objects.select_related("connection").only(
        "connection", "secrets_token", "old_key_until", "connection__status", "connection__account"
    )
    subscription = found.filter(path_hash=path_digest(token)).first()
    if subscription is None or subscription.connection.status == Connection.Status.DISCONNECTED:
        return HttpResponse(status=404)
    body = _body(request)
    if body is None:
        return HttpResponse(status=413)
    signature = request.headers.get("X-Remote-Signature", "")
    now = clock.system_now()
    if not hint_is_genuine(
        subscription,
        body=body,
        signature=signature,
        timestamp=request.headers.get("X-Remote-Timestamp", ""),
        now=now,
    ):
        logger.info("A call for connection %s was not genuine", subscription.connection_id)
        return HttpResponse(status=401)
    new = hint_receive(subscription, body=body, signature=signature, now=now)
    return HttpResponse(status=202 if new else 200)


def _body(request: HttpRequest) -> bytes | None:
    """The raw bytes; ``None`` for more than is read."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told[:20]) > BODY_LIMIT:
        return None
    body = request.read(BODY_LIMIT + 1)
    return body if len(body) <= BODY_LIMIT else None


@require_GET
@require("integrations.view_connection")
def webhooks(request: HttpRequest, key: str) -> HttpResponse:
    """The subscription, and on request what did not arrive."""
    connection = get_object_or_404(Connection, key=key, finished_at__isnull=False)
    subscription = subscription_of(connection)
    context: dict[str, Any] = {
        "connection": connection,
        "tab": "webhooks",
        "subscription": subscription,
        "problem": address_problem(connection),
        "receipts": subscription.receipts.all()[:20] if subscription else (),
    }
    if subscription and "undelivered" in request.GET:
        context["asked"] = True
        try:
            context["undelivered"] = webhook_undelivered(connection)
        except IntegrationError as error:
            context["trouble"] = error.message
    return render(request, "integrations/webhooks.html", context)


def _act(request: HttpRequest, key: str, act: Callable[[Connection], str], done: str) -> Any:
    """Do one thing to the subscription and say how it went."""
    connection = get_object_or_404(Connection, key=key, finished_at__isnull=False)
    try:
        problem = act(connection)
    except IntegrationError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
        if problem:
            messages.warning(request, problem)
    return redirect("connection-webhooks", key=key)


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


@require_POST
@require("integrations.change_connection")
def subscribe(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the other side to call us."""

    def act(connection: Connection) -> str:
        webhook_subscribe(connection, actor=_actor(request), now=clock.now())
        return ""

    return cast("HttpResponse", _act(request, key, act, "Subscribed. Changes now arrive at once."))


@require_POST
@require("integrations.change_connection")
@confirm_first("signing_key")
def rotate(request: HttpRequest, key: str) -> HttpResponse:
    """Replace the signing key."""

    def act(connection: Connection) -> str:
        return webhook_rotate(connection, actor=_actor(request), now=clock.system_now())

    done = "The key is replaced. The former one is valid for another hour."
    return cast("HttpResponse", _act(request, key, act, done))


@require_POST
@require("integrations.change_connection")
def remove(request: HttpRequest, key: str) -> HttpResponse:
    """End the subscription."""

    def act(connection: Connection) -> str:
        return webhook_remove(connection, actor=_actor(request))

    done = "Removed. People are read at the usual intervals only."
    return cast("HttpResponse", _act(request, key, act, done))


@require_POST
@require("integrations.change_connection")
def replay(request: HttpRequest, key: str) -> HttpResponse:
    """Ask for undelivered events once more."""
    ids = [text for text in request.POST.getlist("id")[:_IDS] if text]

    def act(connection: Connection) -> str:
        if ids:
            webhook_replay(connection, ids=ids, actor=_actor(request))
        return "" if ids else "No event was chosen."

    return cast("HttpResponse", _act(request, key, act, f"Asked for {len(ids)} events again."))
