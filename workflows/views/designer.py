"""The designer: one page, one address for each verb, and a search for things chosen by name."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from people.identity import fields_hidden_from
from siit_remote.access import may, require
from siit_remote.lib import clock
from workflows.category_rights import rights_of
from workflows.designer.errors import EditRefusedError
from workflows.designer.outline import outline
from workflows.designer.picks import MOST, PICKS, Option
from workflows.designer.posted import Posted
from workflows.designer.verbs import Said, edit
from workflows.document.describe import describe_document
from workflows.document.diff import diff_documents
from workflows.document.parse import parse_document
from workflows.drafts import (
    DraftConflictError,
    draft_at,
    draft_step,
    draft_steps,
    draft_write,
)
from workflows.field_types import field_types_now
from workflows.models import Workflow
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError
from workflows.services import document_problems
from workflows.views.rights import right_on
from workflows.vocabulary import vocabulary_now

if TYPE_CHECKING:
    from workflows.document.shape import WorkflowDocument

_STEPS = {"undo": "Undone", "redo": "Done again"}
_PEOPLE = ("person", "recipient", "assignee")
_MAY_PICK = ("workflows.change_workflow", "integrations.change_application")
"""Who edits conditions: those of workflows, and of applications."""
_NOT_SENT_AGAIN = ("csrfmiddlewaretoken", "revision", "typing")


def _workflow(key: str) -> Workflow:
    rows = Workflow.objects.select_related("live_version", "draft_saved_by")
    return get_object_or_404(rows, key=key)


def _htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def editor_context(workflow: Workflow) -> dict[str, Any]:
    """Everything the editor shows. Raises ``DocumentError`` for a draft of another format."""
    document = parse_document(workflow.draft)
    vocabulary = vocabulary_now()
    version = workflow.live_version
    return {
        "workflow": workflow,
        "document": document,
        "base": reverse("designer", kwargs={"key": workflow.key}),
        "revision": workflow.draft_revision,
        "outline": outline(document, document_problems(document), vocabulary),
        "sentence": describe_document(document, vocabulary),
        "history": draft_steps(workflow),
        "differs": version is None or version.document != workflow.draft,
        "actions": _actions(),
    }


def _actions() -> list[tuple[str, list[Any]]]:
    """Every action by category, for the dialog that adds one."""
    found: dict[str, list[Any]] = {}
    for action in ACTIONS:
        found.setdefault(action.category, []).append(action)
    return sorted(found.items())


@require_GET
@right_on("edit")
def designer(request: HttpRequest, key: str) -> HttpResponse:
    """The editor of a workflow's draft."""
    found = _workflow(key)
    try:
        context = editor_context(found)
    except DocumentError as error:
        messages.error(request, f"The designer cannot read this draft: {error}")
        return redirect("workflow", key=key)
    context |= {"lists": _lists(), "may": rights_of(request.user).of(found)}
    return render(request, "workflows/designer/page.html", context)


def _lists() -> list[tuple[str, list[Option]]]:
    """The first suggestions under each input that searches; all of what stands in the code."""
    sizes = {"country": 300, "timezone": 700}
    return [(kind, pick.found("", sizes.get(kind, MOST))) for kind, pick in PICKS.items()]


@require_POST
@right_on("edit")
def designer_verb(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    """Carry out one verb on the draft that the editor saw."""
    found = _workflow(key)
    # A button says in its address which row it is for; the form around it holds the card.
    posted = Posted(dict(request.GET.lists()) | dict(request.POST.lists()))
    now = clock.now()
    try:
        said, saved = _carry_out(request, found, verb, posted, now)
    except DraftConflictError as conflict:
        return _conflict(request, conflict.workflow, verb, posted)
    except EditRefusedError as refused:
        return _refused(request, found, str(refused))
    return _answer(request, saved, said, typing=posted.one("typing") == "1")


def _carry_out(
    request: HttpRequest, found: Workflow, verb: str, posted: Posted, now: datetime
) -> tuple[Said, Workflow]:
    revision = posted.number("revision")
    if revision is None:
        raise EditRefusedError("The page did not say which draft it showed. Load it again.")
    if verb in _STEPS:
        back = verb == "undo"
        saved = draft_step(found, back=back, now=now, actor=request.user, revision=revision)
        return Said(words=_STEPS[verb], focus=f"designer-{verb}"), saved
    if found.draft_revision != revision:
        raise DraftConflictError(found)
    if verb == "discard":
        document, said = _live_document(found), Said(words="The draft is what is live again")
    else:
        edited = edit(found.draft, verb, posted, types=field_types_now())
        document, said = edited.document, edited.said
    saved = draft_write(
        found,
        document,
        now=now,
        actor=request.user,
        revision=revision,
        what=said.words if verb != "save" else f"Change in {posted.one('card')}",
        typing=posted.one("typing") == "1",
    )
    return said, saved


def _live_document(found: Workflow) -> WorkflowDocument:
    if found.live_version is None:
        raise EditRefusedError("Nothing is live yet: there is no version to go back to.")
    return parse_document(found.live_version.document)


def _answer(request: HttpRequest, saved: Workflow, said: Said, *, typing: bool) -> HttpResponse:
    """The editor anew; while somebody types only what stands around the cards."""
    if not _htmx(request):
        if said.words:
            messages.success(request, said.words)
        anchor = f"#{said.focus}" if said.focus else ""
        return redirect(f"{reverse('designer', kwargs={'key': saved.key})}{anchor}")
    context = editor_context(_workflow(saved.key)) | {"said": said, "typing": typing}
    response = render(request, "workflows/designer/answer.html", context)
    # At once, so that a save that waits behind this one goes out with the draft's new number.
    response["HX-Trigger"] = json.dumps({"draft-number": {"revision": saved.draft_revision}})
    if said.focus:
        told = {"draft-focus": {"element": said.focus}}
        response["HX-Trigger-After-Settle"] = json.dumps(told)
    if typing:
        response["HX-Reswap"] = "none"
    return response


def _refused(request: HttpRequest, found: Workflow, why: str) -> HttpResponse:
    if not _htmx(request):
        messages.error(request, f"Not saved. {why}")
        return redirect("designer", key=found.key)
    response = render(request, "workflows/designer/refused.html", {"why": why}, status=422)
    response["HX-Retarget"], response["HX-Reswap"] = "#designer-refused", "innerHTML"
    return response


def _conflict(request: HttpRequest, now: Workflow, verb: str, posted: Posted) -> HttpResponse:
    """Who changed it, what, and the choice: theirs, or mine on top of theirs."""
    context = editor_context(now)
    theirs = context["document"]
    seen = draft_at(now, posted.number("revision") or 0)
    context["their_changes"] = _changes(parse_document(seen), theirs) if seen else []
    context["my_changes"], context["my_error"] = [], ""
    try:
        mine = edit(now.draft, verb, posted, types=field_types_now()).document
        context["my_changes"] = _changes(theirs, mine)
    except EditRefusedError as refused:
        context["my_error"] = str(refused)
    context["verb_url"] = request.get_full_path()
    context["sent"] = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _NOT_SENT_AGAIN
        for value in values
    ]
    if not _htmx(request):
        context["conflict"] = True
        context["lists"] = _lists()
        context["may"] = rights_of(request.user).of(now)
        return render(request, "workflows/designer/page.html", context, status=409)
    response = render(request, "workflows/designer/conflict.html", context, status=409)
    response["HX-Retarget"], response["HX-Reswap"] = "#designer-refused", "innerHTML"
    return response


def _changes(old: WorkflowDocument, new: WorkflowDocument) -> list[str]:
    return diff_documents(old, new, vocabulary_now())


@require_GET
@require()
def pick(request: HttpRequest, kind: str) -> HttpResponse:
    """Things whose name holds ``q``, as options of a list; ``q`` empty: the first ones."""
    edits = rights_of(request.user).anywhere("edit")
    if not edits and not any(may(request.user, right) for right in _MAY_PICK):
        raise PermissionDenied
    found = PICKS.get(kind)
    if found is None or (kind in _PEOPLE and not may(request.user, "people.view_person")):
        raise Http404
    words = request.GET.get("q", "")[:100].strip()
    options = found.found(words, MOST, hidden=fields_hidden_from(request.user))
    return render(request, "workflows/designer/options.html", {"options": options})
