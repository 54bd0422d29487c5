"""Workflows: the list, and one with its versions and its document."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.identity import fields_hidden_from
from siit_remote.lib import clock
from workflows.category_rights import rights_of
from workflows.document import dump_yaml
from workflows.document.describe import describe_document
from workflows.document.diff import diff_documents
from workflows.document.parse import parse_document
from workflows.document.shape import WorkflowDocument
from workflows.document.validate import Vocabulary, validate_document
from workflows.forecasting import workflows_telling
from workflows.models import Run, Workflow
from workflows.next_runs import next_runs_known
from workflows.nodes import TRIGGERS
from workflows.problems import DocumentError, Problem
from workflows.services import document_problems
from workflows.views.rights import right_on, right_somewhere, runs_open
from workflows.vocabulary import NodeVocabulary, vocabulary_now

_LAST_RUNS = 10
_LATELY = timedelta(days=30)


def _document(workflow: Workflow) -> dict[str, Any]:
    """What is live, or the draft where nothing is."""
    version = workflow.live_version
    data: dict[str, Any] = version.document if version is not None else workflow.draft
    return data


def _parsed(data: dict[str, Any]) -> WorkflowDocument | None:
    """The stored document; ``None`` for one of another format version, which is only shown."""
    try:
        return parse_document(data) if data else None
    except DocumentError:
        return None


def _yaml(data: dict[str, Any]) -> str:
    parsed = _parsed(data)
    return dump_yaml(parsed) if parsed else ""


def _sentence(data: dict[str, Any], vocabulary: Vocabulary) -> str:
    parsed = _parsed(data)
    return describe_document(parsed, vocabulary) if parsed else ""


def _draft_state(workflow: Workflow) -> tuple[list[Problem], list[str]]:
    """What stands against publishing the draft, and what publishing it would change."""
    try:
        draft = parse_document(workflow.draft)
    except DocumentError as error:
        return list(error.problems), []
    live = _parsed(workflow.live_version.document) if workflow.live_version else None
    return document_problems(draft), diff_documents(live, draft, vocabulary_now()) if live else []


@require_GET
@right_somewhere("view")
def workflows(request: HttpRequest) -> HttpResponse:
    """Every workflow with its sentence, state, owner, problems and what ran lately."""
    rights = rights_of(request.user)
    last = Run.objects.filter(workflow=OuterRef("pk")).order_by("-pk")
    last = last.exclude(trigger__in=rights.telling())
    rows = rights.open("view", Workflow.objects.select_related("live_version"))
    found = rows.annotate(
        last_run_at=Subquery(last.values("due_at")[:1]),
        last_run_status=Subquery(last.values("status")[:1]),
    )
    vocabulary, lately = vocabulary_now(), _lately(clock.now())
    listed = [
        {
            "workflow": row,
            "sentence": _sentence(_document(row), vocabulary),
            "owner": vocabulary.names.of("person", row.owner) if row.owner else "",
            "lately": lately.get(row.pk),
            "errors": _errors(row, vocabulary),
            "waits": _waits(row),
        }
        for row in found
    ]
    return render(request, "workflows/list.html", {"rows": listed, "days": _LATELY.days})


def _lately(now: datetime) -> dict[int, dict[str, int]]:
    """Workflow → how many runs were due lately, and how many of them failed or are held."""
    failed = Q(status__in=[Run.Status.FAILED, Run.Status.DONE_WITH_ERRORS])
    rows = (
        Run.objects.filter(due_at__gte=now - _LATELY, due_at__lte=now)
        .order_by()
        .values("workflow_id")
        .annotate(
            total=Count("pk"),
            failed=Count("pk", filter=failed),
            held=Count("pk", filter=Q(status=Run.Status.HELD)),
        )
    )
    return {row["workflow_id"]: row for row in rows}


def _waits(row: Workflow) -> bool:
    """Whether it starts when something happens, so that nobody can foretell it."""
    parsed = _parsed(_document(row))
    trigger = TRIGGERS.get(parsed.trigger.type) if parsed is not None else None
    return trigger is not None and not trigger.forecastable


def _errors(row: Workflow, vocabulary: NodeVocabulary) -> int:
    """How many problems keep the draft from being published; of a live workflow, what is live."""
    parsed = _parsed(_document(row))
    if parsed is None:
        return 1 if _document(row) else 0
    return sum(item.level == "error" for item in validate_document(parsed, vocabulary))


@require_GET
@right_somewhere("view")
def next_runs(request: HttpRequest) -> HttpResponse:
    """The next start of each workflow in the list, or of the one named, once the page is there."""
    hidden = fields_hidden_from(request.user)
    keys = rights_of(request.user).keys("view")
    named = request.GET.get("workflow")
    if named:
        keys &= {named}
    # A moment about a date that is hidden from the reader would tell it.
    keys -= workflows_telling(hidden) if hidden else set()
    known = next_runs_known(now=clock.now())
    rows = [(key, known.get(key)) for key in sorted(keys)]
    return render(request, "workflows/next_runs.html", {"rows": rows, "named": named})


@require_GET
@right_on("view")
def workflow(request: HttpRequest, key: str) -> HttpResponse:
    """One workflow: what it does in words, its versions, its document, its last runs."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    problems, changes = _draft_state(found)
    publishable = found.live_version is None or bool(changes)
    vocabulary = vocabulary_now()
    return render(
        request,
        "workflows/workflow.html",
        {
            "workflow": found,
            "may": rights_of(request.user).of(found),
            "owner": vocabulary.names.of("person", found.owner) if found.owner else "",
            "sentence": _sentence(_document(found), vocabulary),
            "waits": _waits(found),
            "problems": problems,
            "changes": changes,
            "may_publish": publishable and not any(item.level == "error" for item in problems),
            "versions": found.versions.select_related("published_by"),
            "yaml": _yaml(_document(found)),
            "runs": runs_open(request.user, found.runs.select_related("person", "version"))[
                :_LAST_RUNS
            ]
            if request.user.has_perm("workflows.view_run")
            else None,
        },
    )


@require_GET
@right_on("view")
def document(request: HttpRequest, key: str) -> HttpResponse:
    """The document as a file, as ``export_workflows`` prints it."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    return HttpResponse(
        _yaml(_document(found)),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.key}.yaml"'},
    )
