"""The list of people as it stood at a moment of the past."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from people.choices import PersonStatus, WorkerType
from people.folding import search_text
from people.history import PersonThen, directory_as_of
from people.identity import fields_hidden_from
from people.models import Person
from people.moments import PARAMETER, MomentError, moment_asked
from people.searching import words_of
from siit_remote.access import require
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Collection

_PAGE = 50
_SEARCHED = ("full_name", "preferred_name", "work_email", "job_title", "remote_id", "display_id")


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
    found = _matching(directory_as_of(moment).values(), request.GET.get("q", ""), hidden)
    status = request.GET.get("status", "")
    counts = Counter(str(then.values["status"]) for then in found)
    shown = [then for then in found if not status or then.values["status"] == status]
    page = Paginator(shown, _PAGE).get_page(request.GET.get("page"))
    bosses = [then.values["manager"] for then in page.object_list]
    context = {
        "now": now,
        "moment": moment,
        "asked": asked,
        "q": request.GET.get("q", ""),
        "hidden": hidden,
        "tabs": _tabs(counts, status, asked=asked, q=request.GET.get("q", "")),
        "page": page,
        "rows": [(then, _words(then)) for then in page.object_list],
        "managers": Person.objects.in_bulk([pk for pk in bosses if isinstance(pk, int)]),
    }
    return render(request, "people/people_then.html", context)


def _matching(
    everybody: Collection[PersonThen], text: str, hidden: frozenset[str]
) -> list[PersonThen]:
    """Sorted by name; the search looks where today's does, less what the account may not see."""
    words = words_of(text)
    names = [name for name in _SEARCHED if name not in hidden]
    found = [
        then
        for then in everybody
        if not words or _holds(words, search_text(str(then.values[name]) for name in names))
    ]
    return sorted(found, key=lambda then: (then.name.lower(), then.id))


def _holds(words: list[str], text: str) -> bool:
    return all(word in text for word in words)


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
