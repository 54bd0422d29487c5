"""A new workflow: from nothing, from a document of the gallery, or as a copy of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST

from people.identity import person_of
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.category_rights import rights_of
from workflows.conditions.tree import Group
from workflows.designer.gallery import gallery, gallery_document
from workflows.document.describe import describe_document
from workflows.document.parse import parse_document
from workflows.document.shape import WorkflowDocument
from workflows.models import Workflow
from workflows.services import draft_save
from workflows.vocabulary import vocabulary_now


class NewForm(forms.Form):
    """A name, and what to begin from."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        required=False,
        help_text="As Contractor offboarding. You can change it later.",
    )
    start = forms.CharField(required=False, max_length=80)

    def clean(self) -> dict[str, Any]:
        """From nothing there must be a name."""
        data: dict[str, Any] = super().clean() or {}
        start = data.get("start") or ""
        if start and gallery_document(start) is None:
            self.add_error(None, "This template is not in the gallery any more.")
        elif not start and not (data.get("name") or "").strip():
            self.add_error("name", "Give the workflow a name.")
        return data


def key_unused(name: str) -> str:
    """A key that no workflow has, from its name."""
    base = slugify(name)[:60].strip("-_") or "workflow"
    key, number = base, 1
    while Workflow.objects.filter(key=key).exists():
        number += 1
        key = f"{base}-{number}"
    return key


def _from(start: str, name: str, owner: str) -> WorkflowDocument:
    found = gallery_document(start)
    if found is None:
        # An empty group, so that “everybody” has to be said by somebody before it is published.
        return WorkflowDocument(
            key=key_unused(name), name=name.strip(), owner=owner, conditions=Group()
        )
    title = name.strip() or found.name
    return replace(found, key=key_unused(title), name=title, owner=found.owner or owner)


@require_http_methods(["GET", "POST"])
@require("workflows.change_workflow", "workflows.add_workflow")
def workflow_new(request: HttpRequest) -> HttpResponse:
    """Choose what to begin from; the draft then opens in the designer."""
    form = NewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        person = person_of(request.user)
        document = _from(
            form.cleaned_data["start"],
            form.cleaned_data["name"],
            person.work_email if person else "",
        )
        saved = draft_save(document, now=clock.now(), actor=request.user)
        return redirect("designer", key=saved.key)
    vocabulary = vocabulary_now()
    samples = [(item, describe_document(item, vocabulary)) for item in gallery()]
    status = 422 if form.is_bound else 200
    context = {"form": form, "samples": samples}
    return render(request, "workflows/designer/new.html", context, status=status)


@require_POST
@require("workflows.change_workflow", "workflows.add_workflow")
def workflow_duplicate(request: HttpRequest, key: str) -> HttpResponse:
    """A new workflow with the same draft; nothing of it is live."""
    found = get_object_or_404(rights_of(request.user).open("view", Workflow.objects.all()), key=key)
    document = parse_document(found.draft)
    name = f"{document.name or found.name} (copy)"[:200]
    copy = replace(document, key=key_unused(name), name=name)
    saved = draft_save(copy, now=clock.now(), actor=request.user)
    messages.success(request, f"{saved.name} is a draft of its own.")
    return redirect("designer", key=saved.key)
