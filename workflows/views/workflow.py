"""Workflows: the list, and one with its versions and its document."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from siit_remote.access import require
from workflows.document import dump_yaml, parse_document
from workflows.models import Run, Workflow

_LAST_RUNS = 10


def _document(workflow: Workflow) -> dict[str, Any]:
    """What is live, or the draft where nothing is."""
    version = workflow.live_version
    data: dict[str, Any] = version.document if version is not None else workflow.draft
    return data


def _yaml(data: dict[str, Any]) -> str:
    return dump_yaml(parse_document(data)) if data else ""


@require_GET
@require("workflows.view_workflow")
def workflows(request: HttpRequest) -> HttpResponse:
    """Every workflow with its sentence, state and last run."""
    last = Run.objects.filter(workflow=OuterRef("pk")).order_by("-pk")
    found = Workflow.objects.select_related("live_version").annotate(
        last_run_at=Subquery(last.values("due_at")[:1]),
        last_run_status=Subquery(last.values("status")[:1]),
    )
    return render(request, "workflows/list.html", {"workflows": found})


@require_GET
@require("workflows.view_workflow")
def workflow(request: HttpRequest, key: str) -> HttpResponse:
    """One workflow: what it does in words, its versions, its document, its last runs."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    return render(
        request,
        "workflows/workflow.html",
        {
            "workflow": found,
            "versions": found.versions.select_related("published_by"),
            "yaml": _yaml(_document(found)),
            "draft_differs": bool(
                found.live_version and found.draft and found.draft != found.live_version.document
            ),
            "runs": found.runs.select_related("person", "version")[:_LAST_RUNS]
            if request.user.has_perm("workflows.view_run")
            else None,
        },
    )


@require_GET
@require("workflows.view_workflow")
def document(request: HttpRequest, key: str) -> HttpResponse:
    """The document as a file, as ``export_workflows`` prints it."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    return HttpResponse(
        _yaml(_document(found)),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.key}.yaml"'},
    )
