"""The list of people as it stood at a moment of the past."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from people.choices import PersonStatus, WorkerType
from people.history import PersonThen, directory_as_of, listed_as_of
from people.identity import fields_hidden_from
from people.models import Person
from people.moments import PARAMETER, MomentError, moment_asked
from siit_remote.access import require
from siit_remote.lib import clock

_PAGE = 50


@require_GET
@require("people.view_person")
def people_then(request: HttpRequest) -> HttpResponse:
    """Everybody whom the directory had then, by status and search. Read only."""
    now = clock.now()
    asked = request.GET.get(PARAMETER, "")
    try:
        moment = moment_asked(asked, now=now)
    except MomentError as error:
        messages.error(request, str(error))
        moment = None
    if moment is None:
        return redirect("people")
    hidden = fields_hidden_from(request.user)
    text, status = request.GET.get("q", ""), request.GET.get("status", "")
    found = listed_as_of(moment, text=text, hidden=hidden)
    counts = Counter(line.status for line in found)
    lines = [line for line in found if not status or line.status == status]
    page = Paginator(lines, _PAGE).get_page(request.GET.get("page"))
    keys = [line.id for line in page.object_list]
    told = directory_as_of(moment, people=Person.objects.filter(pk__in=keys))
    context = {
        "now": now,
        "moment": moment,
        "asked": asked,
        "q": text,
        "hidden": hidden,
        "tabs": _tabs(counts, status, asked=asked, q=text),
        "page": page,
        "rows": [(told[key], _words(told[key])) for key in keys if key in told],
    }
    return render(request, "people/people_then.html", context)


def _words(then: PersonThen) -> dict[str, str]:
    """Labels of the closed vocabularies."""
    kinds = dict(WorkerType.choices)
    states = dict(PersonStatus.choices)
    return {
        "worker_type": str(kinds.get(then.values["worker_type"], then.values["worker_type"])),
        "status": str(states.get(then.values["status"], then.values["status"])),
    }


def _tabs(counts: Counter[str], status: str, *, asked: str, q: str) -> list[dict[str, Any]]:
    def url(value: str) -> str:
        parts = {PARAMETER: asked, "q": q, "status": value}
        return "?" + urlencode({key: text for key, text in parts.items() if text})

    shown = [("", "All", sum(counts.values()))]
    shown += [
        (value, str(label), counts[value])
        for value, label in PersonStatus.choices
        if counts[value] or value == status
    ]
    return [
        {"label": label, "count": count, "url": url(value), "current": value == status}
        for value, label, count in shown
    ]
