"""The approvals inbox. It shows what the signed-in person is asked, nothing else."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.identity import person_of
from siit_remote.access import require
from workflows.models import Approval

_DECIDED_SHOWN = 30


def approvals_open_to(request: HttpRequest) -> QuerySet[Approval]:
    """Approvals whose approver is the signed-in person; all with ``view_approval`` as staff."""
    found = Approval.objects.select_related(
        "subject", "subject__team", "approver", "decided_by", "step__run__workflow"
    )
    if request.user.is_staff and request.user.has_perm("workflows.view_approval"):
        return found
    me = person_of(request.user)
    return found.filter(approver=me) if me is not None else found.none()


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
    return render(request, "workflows/approval.html", {"approval": found})
