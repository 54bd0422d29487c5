"""Publish a draft, with its effect; look at a version; bring one back as a draft."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.defaults import workspace_get
from siit_remote.confirming import confirm_asked
from siit_remote.lib import clock
from workflows.category_rights import rights_of
from workflows.designer.effect import effect_of, runs_movable, runs_open
from workflows.designer.matching import directory
from workflows.designer.outline import outline
from workflows.designer.warnings import warnings_of
from workflows.document import dump_yaml
from workflows.document.describe import describe_document
from workflows.document.diff import diff_documents
from workflows.document.parse import parse_document
from workflows.document.shape import WorkflowDocument
from workflows.drafts import draft_write
from workflows.engine.guard import is_destructive
from workflows.models import Workflow, WorkflowVersion
from workflows.problems import DocumentError
from workflows.services import RefusedError, document_problems, workflow_publish
from workflows.views.rights import right_on
from workflows.vocabulary import vocabulary_now


class PublishForm(forms.Form):
    """What running cases do, and that everybody is meant where there are no conditions."""

    revision = forms.IntegerField(min_value=0, required=False)
    running = forms.ChoiceField(
        choices=[("finish", "finish"), ("move", "move")], required=False, initial="finish"
    )
    everybody = forms.BooleanField(required=False)


def _live(workflow: Workflow) -> WorkflowDocument | None:
    version = workflow.live_version
    return parse_document(version.document) if version is not None else None


def is_grave(workflow: Workflow, draft: WorkflowDocument) -> bool:
    """It takes something from people, and does so for the first time or under other limits."""
    if not any(is_destructive(step) for _, step in draft.walk()):
        return False
    live = _live(workflow)
    return live is None or live.limits != draft.limits


def _page(
    request: HttpRequest, found: Workflow, *, status: int = 200, error: str = ""
) -> HttpResponse:
    now = clock.now()
    draft, live = parse_document(found.draft), _live(found)
    vocabulary = vocabulary_now()
    people = directory(now.astimezone(ZoneInfo(workspace_get().timezone)).date())
    problems = document_problems(draft)
    problems += warnings_of(draft, key=found.key, now=now, people=people)
    links = outline(draft, problems, vocabulary).problems
    errors = [link for link in links if link.problem.level == "error"]
    movable = runs_movable(found, draft)
    open_runs = runs_open(found)
    context: dict[str, Any] = {
        "workflow": found,
        "sentence": describe_document(draft, vocabulary),
        "changes": diff_documents(live, draft, vocabulary) if live else [],
        "first": live is None,
        "same": live == draft and found.status == Workflow.Status.LIVE,
        "errors": errors,
        "warnings": [link for link in links if link.problem.level == "warning"],
        "for_everybody": draft.conditions is None,
        "effect": effect_of(found, draft, live, now=now, people=people),
        "open_runs": open_runs,
        "movable": len(movable),
        "staying": open_runs - len(movable),
        "error": error,
    }
    return render(request, "workflows/designer/publish.html", context, status=status)


@require_http_methods(["GET", "POST"])
@right_on("publish")
def publish(request: HttpRequest, key: str) -> HttpResponse:
    """Show what publishing changes, in words and in effect; then do it."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    try:
        draft = parse_document(found.draft)
        if request.method == "GET":
            return _page(request, found)
        form = PublishForm(request.POST)
        form.is_valid()
        seen = form.cleaned_data.get("revision")
        if seen is not None and seen != found.draft_revision:
            words = "The draft was changed since you looked at it. This is what it says now."
            return _page(request, found, status=409, error=words)
        if draft.conditions is None and not form.cleaned_data.get("everybody"):
            words = "It has no conditions. Tick that it is meant for everybody, or add conditions."
            return _page(request, found, status=422, error=words)
        if is_grave(found, draft) and (asked := confirm_asked(request, doing="publish")):
            return asked
        version = workflow_publish(
            found,
            now=clock.now(),
            actor=request.user,
            move=runs_movable(found, draft) if form.cleaned_data.get("running") == "move" else (),
        )
    except (DocumentError, RefusedError) as error:
        messages.error(request, str(error))
        return redirect("workflow", key=key)
    messages.success(request, f"{found.name} is live: version {version.number}.")
    return redirect("workflow", key=key)


@require_GET
@right_on("view", "workflows.view_workflowversion")
def version_page(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One published version: in words, as YAML, and against what is live."""
    rows = WorkflowVersion.objects.select_related("workflow__live_version", "published_by")
    found = get_object_or_404(rows, workflow__key=key, number=number)
    try:
        document = parse_document(found.document)
        live = _live(found.workflow)
    except DocumentError as error:
        messages.error(request, f"This version is of a format that is not read here: {error}")
        return redirect("workflow", key=key)
    context = {
        "workflow": found.workflow,
        "version": found,
        "sentence": describe_document(document, vocabulary_now()),
        "yaml": dump_yaml(document),
        "changes": diff_documents(live, document, vocabulary_now()) if live else [],
        "may": rights_of(request.user).of(found.workflow),
        "is_live": found.pk == found.workflow.live_version_id,
        "runs": found.runs.count(),
    }
    return render(request, "workflows/designer/version.html", context)


@require_POST
@right_on("edit")
def version_restore(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Make a draft of a version. What is live stays live until somebody publishes."""
    found = get_object_or_404(
        WorkflowVersion.objects.select_related("workflow"), workflow__key=key, number=number
    )
    draft_write(
        found.workflow,
        parse_document(found.document),
        now=clock.now(),
        actor=request.user,
        what=f"Version {number} brought back",
    )
    messages.success(request, f"The draft says what version {number} said. Undo brings yours back.")
    return redirect("designer", key=key)
