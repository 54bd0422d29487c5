"""Who holds which approval since when, and moving one to somebody else."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from people.models import Person
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.approvals import DecisionRefusedError, approval_reassign
from workflows.inbox import holders, runs_without_approver
from workflows.models import Approval
from workflows.standing_in import away_among
from workflows.views.forms import ReassignForm


@require_GET
@require("workflows.reassign_approval")
def stuck(request: HttpRequest) -> HttpResponse:
    """Everybody who holds something, the oldest first, and what nobody can be asked about."""
    now = clock.now()
    found = holders(request.user, now)
    return render(
        request,
        "workflows/approvals_stuck.html",
        {
            "holders": found,
            "away": away_among([holder.person for holder in found], now),
            "held": runs_without_approver(request.user),
            "now": now,
        },
    )


@require_POST
@require("workflows.reassign_approval")
def reassign(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a question to somebody else."""
    found = get_object_or_404(Approval, pk=pk)
    form = ReassignForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Name a person by work email, and say why.")
        return redirect("approvals-stuck")
    to = Person.objects.filter(work_email=form.cleaned_data["to"].lower()).first()
    if to is None:
        messages.error(request, f"Nobody has the work email {form.cleaned_data['to']}.")
        return redirect("approvals-stuck")
    try:
        approval_reassign(
            found.pk,
            to=to,
            reason=form.cleaned_data["reason"],
            now=clock.now(),
            actor=request.user,
        )
    except DecisionRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{found.title}: {to} is asked now.")
    return redirect("approvals-stuck")
