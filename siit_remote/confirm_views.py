"""The page “Confirm that it is you”, for whoever is on the way to something grave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from siit_remote.access import require
from siit_remote.confirming import (
    DOING,
    PASSWORD,
    confirmed_lately,
    confirmed_to_type,
    inside,
    password_confirm,
    pending,
    ways,
)

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
@require()
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask, then lead on to ``next``; without one, to what was kept meanwhile."""
    given = request.POST if request.method == "POST" else request.GET
    target, doing = given.get("next", ""), given.get("doing", "")
    kept = pending(request) if not target else None
    problem, status = "", 200
    if request.method == "POST":
        problem, status = password_confirm(request, request.POST.get(PASSWORD, ""))
        if not problem and kept is None:
            return redirect(inside(request, target, otherwise=reverse("home")))
    if kept is not None and confirmed_lately(request):
        return _go_on(request, kept)
    if kept is None and not problem and confirmed_to_type(request):
        return redirect(inside(request, target, otherwise=reverse("home")))
    context = {
        "doing": DOING.get(kept["doing"] if kept else doing, ""),
        "key": doing if doing in DOING else "",
        "problem": problem,
        "next": target,
        "back": kept["back"] if kept else "",
        "kept": kept is not None,
        "provider": settings.OIDC_NAME,
        **ways(request),
    }
    return render(request, "registration/confirm.html", context, status=status)


def _go_on(request: HttpRequest, kept: dict[str, Any]) -> HttpResponse:
    """What was typed, to be sent by a press: coming back from the provider changes nothing."""
    context = {
        "doing": DOING[kept["doing"]],
        "action": kept["path"],
        "fields": kept["fields"],
        "back": kept["back"],
    }
    return render(request, "registration/go_on.html", context)
