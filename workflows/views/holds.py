"""What is held: the lists, one with its people, and a second person's decision about it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.defaults import workspace_get
from people.export import table_lines
from siit_remote.access import require
from siit_remote.confirming import confirm_asked, confirm_first
from siit_remote.lib import clock
from siit_remote.often import EXPORTS, not_too_often
from workflows.category_rights import rights_of
from workflows.engine.limits import workspace_limits
from workflows.holds import (
    HeldRow,
    barred_why,
    held_rows,
    hold_discard,
    hold_release,
    holds_decided,
    holds_open,
    list_seal,
)
from workflows.limit_settings import LimitsForm, limits_change
from workflows.models import Hold, Run
from workflows.services import RefusedError
from workflows.views.forms import HoldForm
from workflows.views.rights import right_on, right_somewhere

_PAGE = 25
_COLUMNS = ("full_name", "work_email", "workflow", "due_at", "why", "held_because")


@require_GET
@right_somewhere("release")
def holds(request: HttpRequest) -> HttpResponse:
    """Lists that wait, and those that were decided."""
    single = Run.objects.filter(status=Run.Status.HELD).exclude(hold__status=Hold.Status.OPEN)
    rights = rights_of(request.user)
    way = {"column": "workflow__category"}
    decided = rights.open("release", holds_decided(), **way, trigger="runs__trigger")
    single = rights.open("release", single, **way, trigger="trigger")
    page = Paginator(decided, _PAGE).get_page(request.GET.get("page"))
    context = {
        "holds": rights.open("release", holds_open(), **way, trigger="runs__trigger"),
        "single": single.count(),
        "page": page,
    }
    return render(request, "workflows/holds.html", context)


@require_GET
@right_on("release", of="hold")
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """One list: exactly who, why, how many within which window."""
    found = _hold(pk)
    rows = held_rows(found)
    gone = (
        found.runs.exclude(status=Run.Status.HELD)
        .select_related("person", "person__team")
        .order_by("person__full_name")
    )
    context = {
        "hold": found,
        "rows": rows,
        "seal": list_seal(rows),
        "barred": barred_why(found, request.user),
        "gone": gone,
    }
    return render(request, "workflows/hold.html", context)


@require_POST
@right_on("release", of="hold")
@confirm_first("release")
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the chosen people's runs go on."""
    found = _hold(pk)

    def act(form: HoldForm) -> str:
        count = hold_release(
            found,
            run_ids=form.cleaned_data["runs"],
            seal=form.cleaned_data["seal"],
            named=form.cleaned_data["named"],
            reason=form.cleaned_data["reason"],
            now=clock.now(),
            actor=request.user,
        )
        return f"{count} {'run goes' if count == 1 else 'runs go'} on."

    return _decide(request, pk, act)


@require_POST
@right_on("release", of="hold")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """End the chosen people's runs; nothing was done and nothing will be."""
    found = _hold(pk)

    def act(form: HoldForm) -> str:
        count = hold_discard(
            found,
            run_ids=form.cleaned_data["runs"],
            seal=form.cleaned_data["seal"],
            reason=form.cleaned_data["reason"],
            now=clock.now(),
            actor=request.user,
        )
        return f"{count} {'run is' if count == 1 else 'runs are'} discarded."

    return _decide(request, pk, act)


@require_GET
@right_on("release", of="hold")
@not_too_often(EXPORTS)
def hold_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The list as a file, to look at with others."""
    found = _hold(pk)
    rows = (_csv_row(found, row) for row in held_rows(found))
    text = "".join(table_lines(_COLUMNS, rows))
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="held-{found.pk}.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@require("people.change_workspace")
def limits(request: HttpRequest) -> HttpResponse:
    """How many may start before a second person has to look."""
    workspace = workspace_get()
    data = request.POST if request.method == "POST" else None
    form = LimitsForm(data, instance=workspace, label_suffix="")
    if request.method == "POST" and form.is_valid():
        if asked := confirm_asked(request, doing="limits"):
            return asked
        changed = limits_change(
            form.cleaned_values(), reason=form.cleaned_data["reason"], actor=request.user
        )
        words = "The limits are changed. What is held stays held." if changed else "No change."
        messages.success(request, words)
        return redirect("limits")
    context = {"form": form, "whole": workspace_limits(workspace_get())}
    status = 422 if form.errors else 200
    return render(request, "workflows/limits.html", context, status=status)


def _hold(pk: int) -> Hold:
    return get_object_or_404(
        Hold.objects.select_related(
            "workflow__live_version", "version__published_by", "started_by", "decided_by"
        ),
        pk=pk,
    )


def _decide(request: HttpRequest, pk: int, act: Callable[[HoldForm], str]) -> HttpResponse:
    form = HoldForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose whom it is about and say why.")
        return redirect("hold", pk=pk)
    try:
        messages.success(request, act(form))
    except RefusedError as error:
        messages.error(request, str(error))
    return redirect("hold", pk=pk)


def _csv_row(hold: Hold, row: HeldRow) -> dict[str, str]:
    return {
        "full_name": row.person.full_name,
        "work_email": row.person.work_email,
        "workflow": hold.workflow.name,
        "due_at": row.run.due_at.isoformat(),
        "why": row.why,
        "held_because": hold.reason,
    }
