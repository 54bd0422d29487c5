"""Pages that would tell a date which the reader may not see: they say so, and nothing else."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from people.identity import fields_hidden_from
from workflows.document.shape import WorkflowDocument
from workflows.models import Workflow
from workflows.nodes import TRIGGERS


def starts_on_hidden_date(request: HttpRequest, document: WorkflowDocument) -> bool:
    """Whether the workflow starts on a date of the person that is hidden from the reader."""
    trigger = TRIGGERS.get(document.trigger.type)
    return trigger is not None and trigger.field in fields_hidden_from(request.user)


def hidden_dates(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    """A page, or a part of one for htmx, in the place of moments that would tell the date."""
    whole = request.headers.get("HX-Request") != "true"
    template = "workflows/hidden_dates.html" if whole else "workflows/hidden_dates_part.html"
    return render(request, template, {"workflow": workflow})
