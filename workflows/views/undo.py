"""Taking a run back: the preview, and the deed with its reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from siit_remote.lib import clock
from workflows.models import Run
from workflows.services import RefusedError
from workflows.undo import run_undo, undo_plan, undo_refusal
from workflows.views.forms import ReasonForm
from workflows.views.rights import right_on


@require_http_methods(["GET", "POST"])
@right_on("run", of="run")
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what would be taken back; with a reason, do it."""
    run = get_object_or_404(
        Run.objects.select_related("workflow", "version", "person", "person__team"), pk=pk
    )
    now = clock.now()
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = run_undo(run, reason=form.cleaned_data["reason"], now=now, actor=request.user)
        except RefusedError as error:
            messages.error(request, str(error))
            return redirect("run-undo", pk=pk)
        messages.success(request, "It is being taken back; this run shows how.")
        return redirect("run", pk=made.pk)
    context = {
        "run": run,
        "form": form,
        "refused": undo_refusal(run, now=now),
        "plan": undo_plan(run, now=now),
        "done": run.undone_by.first(),
    }
    return render(request, "workflows/undo.html", context, status=422 if form.errors else 200)
