"""What the signed-in person asked for."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from people.identity import person_of
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.models import Request, Service
from workflows.problems import DocumentError
from workflows.requests import request_submit
from workflows.views.request_form import RequestForm


def requests_open_to(request: HttpRequest) -> QuerySet[Request]:
    """All with ``view_request``; others see their own."""
    found = Request.objects.select_related("service", "requester", "requester__team")
    if request.user.has_perm("workflows.view_request"):
        return found
    me = person_of(request.user)
    return found.filter(requester=me) if me is not None else found.none()


@require_GET
@require()
def requests(request: HttpRequest) -> HttpResponse:
    """One's own requests, and the catalogue of what can be asked for."""
    me = person_of(request.user)
    mine = Request.objects.select_related("service").filter(requester=me) if me else []
    return render(
        request,
        "workflows/requests.html",
        {"mine": mine, "services": Service.objects.filter(active=True), "me": me},
    )


@require_GET
@require()
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One request and what became of it."""
    found = get_object_or_404(requests_open_to(request), pk=pk)
    labels = {field.get("name"): field.get("label") for field in found.service.fields}
    answers = [(labels.get(name) or name, value) for name, value in found.form.items()]
    return render(request, "workflows/request.html", {"found": found, "answers": answers})


@require_http_methods(["GET", "POST"])
@require("workflows.add_request")
def request_new(request: HttpRequest, service: str) -> HttpResponse:
    """Ask for something of the catalogue."""
    found = get_object_or_404(Service, key=service, active=True)
    me = person_of(request.user)
    if me is None:
        messages.error(request, "Your account is not linked to a person; ask the owner.")
        return redirect("requests")
    form = RequestForm(request.POST if request.method == "POST" else None, service=found)
    if request.method == "POST" and form.is_valid():
        try:
            made = request_submit(
                service=found,
                requester=me,
                form=form.answers(),
                now=clock.now(),
                actor=request.user,
            )
        except DocumentError as error:
            for problem in error.problems:
                form.add_problem(problem.path, problem.message)
        else:
            messages.success(request, f"{found.name}: your request is sent.")
            return redirect("request", pk=made.pk)
    return render(request, "workflows/request_new.html", {"service": found, "form": form})
