"""What the signed-in person asked for."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.identity import person_of
from siit_remote.access import require
from workflows.models import Request, Service


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
