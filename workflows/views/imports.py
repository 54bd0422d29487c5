"""Take a workflow document in as a draft."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from siit_remote.access import require
from siit_remote.lib import clock
from workflows.document import load_document
from workflows.problems import DocumentError
from workflows.services import workflow_import

_MAX = 262_144


class ImportForm(forms.Form):
    """A document, pasted."""

    document = forms.CharField(
        label="Document (YAML or JSON)",
        max_length=_MAX,
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "false"}),
        help_text="As “Export YAML” and the command export_workflows print it.",
    )


@require_http_methods(["GET", "POST"])
@require("workflows.change_workflow", "workflows.add_workflow")
def import_document(request: HttpRequest) -> HttpResponse:
    """Save the document as a draft. Nothing runs before somebody publishes it."""
    form = ImportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            saved = workflow_import(
                load_document(form.cleaned_data["document"]),
                publish=False,
                now=clock.now(),
                actor=request.user,
            )
        except DocumentError as error:
            for problem in error.problems:
                form.add_error("document", str(problem))
        else:
            messages.success(request, f"{saved.workflow.name} is saved as a draft.")
            return redirect("workflow", key=saved.workflow.key)
    return render(request, "workflows/import.html", {"form": form})
