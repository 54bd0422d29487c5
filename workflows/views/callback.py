"""The address that an endpoint calls when what it was asked for has ended."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from siit_remote.lib import clock
from workflows.callbacks import BODY_LIMIT, callback_take


# No session stands behind it: the signature over the body is the proof, checked before parsing.
@csrf_exempt
@require_POST
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """202 taken, 200 seen before, 400 unreadable, 401 not genuine, 404, 410 over, 413 too large."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not told.isdecimal() or int(told[:20]) > BODY_LIMIT:
        return HttpResponse(status=413)
    body = request.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    taken = callback_take(token, body=body, headers=headers, now=clock.system_now())
    return HttpResponse(status=taken.value)
