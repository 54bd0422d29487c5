"""The addresses that endpoints call: what they were asked for has ended, or gone on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from siit_remote.lib import clock
from workflows.callbacks import BODY_LIMIT, callback_take
from workflows.shipment_reports import report_take

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflows.callbacks import Taken


# No session stands behind it: the signature over the body is the proof, checked before parsing.
@csrf_exempt
@require_POST
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """202 taken, 200 seen before, 400 unreadable, 401 not genuine, 404, 410 over, 413 too large."""
    return _taken(request, token, callback_take)


# As above: the signature is the proof.
@csrf_exempt
@require_POST
def equipment_report(request: HttpRequest, key: str) -> HttpResponse:
    """202 taken, 200 seen before, 400 unreadable, 401 not genuine, 404, 413 too large."""
    return _taken(request, key, report_take)


def _taken(request: HttpRequest, name: str, take: Callable[..., Taken]) -> HttpResponse:
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told[:20]) > BODY_LIMIT:
        return HttpResponse(status=413)
    body = request.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        return HttpResponse(status=413)
    headers = {key.lower(): value for key, value in request.headers.items()}
    return HttpResponse(status=take(name, body=body, headers=headers, now=clock.system_now()).value)
