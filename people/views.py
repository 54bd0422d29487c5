"""The directory for people who use it, not only administer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from people.choices import PersonStatus
from people.identity import fields_hidden_from, person_of
from people.moments import PARAMETER
from people.searching import search
from people.selectors import people_visible_to
from people.tabs import ALL, CURRENT, TABS, Tab, counts, tab_for
from siit_remote.access import require

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from people.models import Person

_PAGE = 30
_TEAM_TABS = {CURRENT, ALL, *PersonStatus.values}


@require_GET
@require()
def people(request: HttpRequest) -> HttpResponse:
    """The whole directory for who may see it; a manager's team, an employee's own entry.

    With ``as_of`` the directory as it stood then.
    """
    if request.user.has_perm("people.view_person"):
        if request.GET.get(PARAMETER):
            return redirect(f"{reverse('people-then')}?{request.GET.urlencode()}")
        if request.user.is_staff:
            query = request.GET.urlencode()
            return redirect(reverse("admin:people_person_changelist") + (query and f"?{query}"))
    me = person_of(request.user)
    team = people_visible_to(request.user).select_related("team", "manager", "legal_entity")
    if me is not None:
        team = team.exclude(pk=me.pk)
    text = request.GET.get("q", "")
    hidden = fields_hidden_from(request.user)
    tab = tab_for(request.GET.get("tab", ""), default=ALL if text else CURRENT)
    found = search(tab.narrow(team), text, hidden=hidden)
    context = {
        "me": me,
        "has_team": team.exists(),
        "q": text,
        "tab": tab.key,
        "tabs": _tabs(team, tab, text),
        "page": Paginator(found, _PAGE).get_page(request.GET.get("page")),
        "hidden": hidden,
    }
    return render(request, "people/team.html", context)


def _tabs(team: QuerySet[Person], current: Tab, text: str) -> list[dict[str, Any]]:
    by_status, problems = counts(team)
    shown = []
    for tab in TABS:
        number = tab.count(by_status, problems)
        if tab.key not in _TEAM_TABS or (not number and tab.key not in (CURRENT, current.key)):
            continue
        parts = {"tab": tab.key, **({"q": text} if text else {})}
        shown.append(
            {
                "label": "Working now" if tab.key == CURRENT else tab.label,
                "count": number,
                "url": f"?{urlencode(parts)}",
                "current": tab.key == current.key,
            }
        )
    return shown
