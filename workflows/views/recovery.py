"""After a restored backup: what to compare, and letting things go on; or holding them by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from siit_remote.access import require
from siit_remote.confirming import confirm_first
from siit_remote.lib import clock
from workflows.models import RecoveryHold
from workflows.recovery import (
    GOES_ON,
    PERMISSION,
    recovery_begin,
    recovery_end,
    recovery_open,
    recovery_seal,
    recovery_words,
)
from workflows.recovery_seen import comparison
from workflows.views.forms import ReasonForm, RestoredForm


@require_GET
@require("workflows.view_run")
def recovery(request: HttpRequest) -> HttpResponse:
    """The hold that is on, with what to compare; else how to put one on."""
    return _page(request, RestoredForm(label_suffix=""), ReasonForm(label_suffix=""))


@require_POST
@require(PERMISSION)
def begin(request: HttpRequest) -> HttpResponse:
    """Hold everything destructive."""
    form = RestoredForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, form, ReasonForm(label_suffix=""), status=422)
    begun = recovery_begin(
        reason=form.cleaned_data["reason"],
        stands_at=form.cleaned_data["stands_at"],
        now=clock.now(),
        actor=request.user,
    )
    if begun:
        messages.success(request, "Nothing is taken from anybody until you let it go on.")
    else:
        messages.info(request, "It is held already: see what to compare.")
    return redirect("recovery")


@require_POST
@require(PERMISSION)
@confirm_first("release")
def end(request: HttpRequest) -> HttpResponse:
    """Let everything go on."""
    form = ReasonForm(request.POST, label_suffix="")
    if not form.is_valid():
        return _page(request, RestoredForm(label_suffix=""), form, status=422)
    ended = recovery_end(
        seal=request.POST.get("seal", ""),
        reason=form.cleaned_data["reason"],
        now=clock.now(),
        actor=request.user,
    )
    if ended:
        messages.success(request, "It goes on: what waited is taken up within five minutes.")
    else:
        messages.error(request, "This is not the hold you looked at. See how it stands now.")
    return redirect("recovery")


def _page(
    request: HttpRequest, begin_form: RestoredForm, end_form: ReasonForm, *, status: int = 200
) -> HttpResponse:
    hold = recovery_open()
    context: dict[str, Any] = {
        "hold": hold,
        "may_decide": request.user.has_perm(PERMISSION),
        "begin_form": begin_form,
        "end_form": end_form,
        "earlier": RecoveryHold.objects.exclude(closed_at=None).select_related(
            "opened_by", "closed_by"
        )[:10],
    }
    if hold is not None:
        context |= {
            "words": recovery_words(hold),
            "goes_on": GOES_ON,
            "seal": recovery_seal(hold),
            "seen": comparison(hold, request.user),
        }
    return render(request, "workflows/recovery.html", context, status=status)
