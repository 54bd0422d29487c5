"""A workflow to read and to print: in words, as a list, as a picture."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from workflows.conditions.describe import describe_group
from workflows.designer.picture import picture_of
from workflows.designer.plan import plan_of
from workflows.document.describe import describe_document, describe_trigger
from workflows.document.parse import parse_document
from workflows.models import Workflow
from workflows.problems import DocumentError
from workflows.views.rights import right_on
from workflows.vocabulary import vocabulary_now


@require_GET
@right_on("view")
def printed(request: HttpRequest, key: str) -> HttpResponse:
    """What is live, or with ``version=draft`` (and where nothing is live) the draft."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    version = found.live_version if request.GET.get("version") != "draft" else None
    try:
        document = parse_document(version.document if version is not None else found.draft)
    except DocumentError as error:
        messages.error(request, f"It is of a format that is not read here: {error}")
        return redirect("workflow", key=key)
    vocabulary = vocabulary_now()
    when = describe_trigger(document.trigger, vocabulary).removeprefix("when ")
    group = document.conditions
    who = describe_group(group, vocabulary.field_types) if group is not None else "everybody"
    steps = plan_of(document, vocabulary)
    context = {
        "workflow": found,
        "document": document,
        "version": version,
        "owner": vocabulary.names.of("person", document.owner) if document.owner else "",
        "sentence": describe_document(document, vocabulary),
        "when": when,
        "who": who,
        "steps": steps,
        "picture": picture_of(when[:1].upper() + when[1:], who, steps),
    }
    return render(request, "workflows/printed.html", context)
