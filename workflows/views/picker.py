"""Names for inputs that take a person: a few colleagues whose name or address fits."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from people.choices import PersonStatus
from people.identity import fields_hidden_from, person_of
from people.models import Person
from people.selectors import search
from siit_remote.access import require

_SHOWN = 8
_SHORTEST = 2


@require_GET
@require()
def person_options(request: HttpRequest) -> HttpResponse:
    """Options for a list of suggestions: name and work email, as in any address book."""
    # The input sends itself, under whatever name its form gave it.
    text = str(next(iter(request.GET.values()), "")).strip()[:100]
    me = person_of(request.user)
    allowed = (me is not None and me.is_current) or request.user.has_perm("people.view_person")
    found = Person.objects.none()
    if allowed and len(text) >= _SHORTEST:
        people = Person.objects.exclude(status=PersonStatus.ENDED)
        found = search(people, text, hidden=fields_hidden_from(request.user))[:_SHOWN]
    return render(request, "workflows/person_options.html", {"people": found})
