"""Runs: the list, and one with its steps, attempts and the reason it was decided."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from siit_remote.access import require
from workflows.models import Run, StepRun

_PAGE = 50
TABS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("open", "Open", (Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.WAITING)),
    ("held", "Held", (Run.Status.HELD,)),
    ("failed", "Failed", (Run.Status.FAILED, Run.Status.DONE_WITH_ERRORS)),
    ("done", "Done", (Run.Status.DONE,)),
    ("dropped", "Cancelled", (Run.Status.CANCELLED, Run.Status.SUPERSEDED)),
)


def _filtered(query: QueryDict) -> QuerySet[Run]:
    runs = Run.objects.select_related("workflow", "version", "person", "person__team")
    if workflow := query.get("workflow", ""):
        runs = runs.filter(workflow__key=workflow)
    if text := query.get("q", "").strip().lower():
        runs = runs.filter(person__full_name__icontains=text) | runs.filter(
            person__work_email__icontains=text
        )
    return runs.defer("snapshot", "trace")


@require_GET
@require("workflows.view_run")
def runs(request: HttpRequest) -> HttpResponse:
    """Runs, newest first, in tabs by state."""
    chosen = request.GET.get("state", "")
    found = _filtered(request.GET)
    counted = {key: found.filter(status__in=states).count() for key, _, states in TABS}
    query = request.GET.copy()
    query.pop("page", None)
    tabs = []
    for key, label, count in [
        ("", "All", found.count()),
        *((key, label, counted[key]) for key, label, _ in TABS),
    ]:
        query["state"] = key
        tabs.append(
            {
                "label": label,
                "count": count,
                "url": f"?{query.urlencode()}",
                "current": key == chosen,
            }
        )
    for key, _, states in TABS:
        if key == chosen:
            found = found.filter(status__in=states)
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "workflows/runs.html",
        {"page": page, "tabs": tabs, "query": request.GET.get("q", ""), "state": chosen},
    )


@require_GET
@require("workflows.view_run")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: what it decided on, what each step did, every attempt."""
    steps = StepRun.objects.prefetch_related("tries", "approvals__approver", "tasks")
    found = get_object_or_404(
        Run.objects.select_related(
            "workflow", "version", "person", "person__team", "request__service"
        ).prefetch_related(Prefetch("steps", queryset=steps)),
        pk=pk,
    )
    return render(request, "workflows/run.html", {"run": found})
