"""The approvals inbox. It shows what the signed-in person is asked, nothing else."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from people.identity import person_of
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.approvals import DecisionRefusedError, approval_decide, may_decide
from workflows.models import Approval, Delegation
from workflows.views.forms import CommentForm

_DECIDED_SHOWN = 30


def approvals_open_to(request: HttpRequest) -> QuerySet[Approval]:
    """What the person is asked, or somebody they stand in for; staff with the right see all."""
    found = Approval.objects.select_related(
        "subject", "subject__team", "approver", "decided_by", "step__run__workflow"
    )
    if request.user.is_staff and request.user.has_perm("workflows.view_approval"):
        return found
    me = person_of(request.user)
    if me is None:
        return found.none()
    # Whether a delegation holds today is for ``may_decide``; a past one still shows what was asked.
    away = Delegation.objects.filter(delegate=me).values("approver")
    return found.filter(Q(approver=me) | Q(approver__in=away))


@require_GET
@require()
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, oldest first, then what was decided."""
    found = approvals_open_to(request)
    return render(
        request,
        "workflows/approvals.html",
        {
            "pending": found.filter(status=Approval.Status.PENDING).order_by("due_at", "pk"),
            "decided": found.exclude(status=Approval.Status.PENDING)[:_DECIDED_SHOWN],
            "me": person_of(request.user),
        },
    )


@require_GET
@require()
def approval(request: HttpRequest, pk: int) -> HttpResponse:
    """One question. Opening the page decides nothing, however often a mail scanner does it."""
    found = get_object_or_404(approvals_open_to(request), pk=pk)
    me = person_of(request.user)
    return render(
        request,
        "workflows/approval.html",
        {
            "approval": found,
            "form": CommentForm(),
            "decides": me is not None
            and found.status == Approval.Status.PENDING
            and may_decide(found, me, now=clock.now()),
        },
    )


@require_POST
@require()
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or reject as the signed-in person."""
    found = get_object_or_404(approvals_open_to(request), pk=pk)
    me = person_of(request.user)
    form = CommentForm(request.POST)
    answer = request.POST.get("decision")
    if me is None or answer not in {"approve", "reject"} or not form.is_valid():
        messages.error(request, "Choose approve or reject; your account must be linked to you.")
        return redirect("approval", pk=pk)
    try:
        approval_decide(
            found.pk,
            by=me,
            approve=answer == "approve",
            comment=form.cleaned_data["comment"],
            now=clock.now(),
            actor=request.user,
        )
    except DecisionRefusedError as error:
        messages.error(request, str(error))
        return redirect("approval", pk=pk)
    messages.success(request, "Approved." if answer == "approve" else "Rejected.")
    return redirect("approvals")
