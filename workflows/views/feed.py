"""The forecast as a subscribed calendar: make an address, end it, read it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from siit_remote.access import require
from siit_remote.lib import clock
from workflows.calendar_feed import (
    RIGHTS,
    TooOftenError,
    feed_calendar,
    feed_create,
    feed_open,
    feed_revoke,
)


def _user(request: HttpRequest) -> User:
    return get_object_or_404(User, pk=request.user.pk)


@require_POST
@require(*RIGHTS)
def feed_make(request: HttpRequest) -> HttpResponse:
    """Make the signed-in user's calendar address and show it, this once."""
    token = feed_create(_user(request), now=clock.now())
    address = f"{settings.SITE_URL}{reverse('calendar-feed', args=[token])}"
    response = render(request, "workflows/forecast_feed.html", {"address": address})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@require(*RIGHTS)
def feed_end(request: HttpRequest) -> HttpResponse:
    """Let the signed-in user's calendar address stop working."""
    if feed_revoke(_user(request)):
        messages.success(request, "The calendar address stopped working.")
    else:
        messages.info(request, "There was no calendar address.")
    return redirect("forecast")


@require_GET
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar itself. The secret in the address is the only key; nobody signs in here."""
    now = clock.now()
    try:
        found = feed_open(token, reader=request.META.get("REMOTE_ADDR", ""), now=now)
    except TooOftenError:
        return HttpResponse(
            "Too many requests; ask again in an hour.\n",
            status=429,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": "3600"},
        )
    if found is None:
        raise Http404
    return HttpResponse(
        feed_calendar(found, site=settings.SITE_URL, now=now),
        content_type="text/calendar; charset=utf-8",
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": 'inline; filename="forecast.ics"',
            "X-Robots-Tag": "noindex",
        },
    )
