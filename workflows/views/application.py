"""The catalogue of applications: the list, one application, who has it, what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from integrations.access_calls import is_readable
from integrations.models import AppAccess, Application
from people.identity import fields_hidden_from
from people.models import Person
from people.plan import FIELDS
from siit_remote.access import may, require
from siit_remote.lib import clock
from workflows.access.drift import HINTS, Drift, drift_count, drift_of, people_sorted
from workflows.access.listing import (
    UNKNOWN,
    application_rows,
    applications_found,
    categories,
    counted_since,
    how_words,
    kind_tabs,
)
from workflows.access.owning import (
    MEND,
    SEE,
    SEE_LIST,
    applications_seen,
    may_look_after,
    owner_of,
)
from workflows.access.should import directory_today, rule_fields, rule_words
from workflows.conditions.masking import names_of

if TYPE_CHECKING:
    from django.core.paginator import Page

_PAGE = 50
_EVERYBODY = "people"


@require_GET
@require()
def applications(request: HttpRequest) -> HttpResponse:
    """Every application, or those one owns: who gets it, and how it stands."""
    seen = applications_seen(request.user)
    everything = request.user.has_perms(SEE_LIST)
    if not everything and not seen.exists():
        raise PermissionDenied
    query = request.GET.get("q", "").strip()[:200]
    category = request.GET.get("category", "")
    retired = request.GET.get("state") == "retired"
    found = applications_found(seen, query=query, category=category, retired=retired)
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    rows = application_rows(list(page.object_list))
    context = {
        "rows": rows,
        "counted": counted_since(rows),
        "page": page,
        "query": query,
        "category": category,
        "categories": categories(seen),
        "everything": everything,
        "retired": retired,
        "filtered": bool(query or category or retired),
    }
    return render(request, "workflows/access/applications.html", context)


@require_POST
@require()
def applications_count(request: HttpRequest) -> HttpResponse:
    """Count now what differs, for the applications of the page it was pressed on."""
    seen = applications_seen(request.user)
    if not request.user.has_perms(SEE_LIST) and not seen.exists():
        raise PermissionDenied
    keys = request.POST.getlist("application")[:_PAGE]
    rows = seen.filter(key__in=keys, active=True).select_related("connection")
    if number := drift_count(list(rows), now=clock.now()):
        what = "one application" if number == 1 else f"{number} applications"
        messages.success(request, f"Counted for {what}.")
    back = reverse("applications")
    asked = request.POST.get("query", "")[:500]
    return redirect(f"{back}?{QueryDict(asked).urlencode()}" if asked else back)


@require_GET
@require()
def application(request: HttpRequest, key: str) -> HttpResponse:
    """One application: what it is, who has it, what differs from its rule."""
    found = looked_after(request, key, SEE)
    hidden = fields_hidden_from(request.user)
    drift = drift_of(found, people=directory_today(clock.now()))
    veiled = bool(rule_fields(found.entitle) & names_of(hidden))
    if veiled:
        drift = drift.without_rule()
    counts = drift.counts()
    kinds = [kind for kind, _, _ in kind_tabs(counts)]
    show = request.GET.get("show", kinds[0] if kinds else _EVERYBODY)
    if show not in (*kinds, UNKNOWN):
        show = _EVERYBODY
    context: dict[str, Any] = {
        "application": found,
        "rule": rule_words(found),
        "how": how_words(found),
        "readable": is_readable(found),
        "reading": getattr(found, "reading", None),
        # Of people whom an owner does not see elsewhere they learn the name.
        "hidden": hidden if may(request.user, "people.view_person") else frozenset(FIELDS),
        "sees_people": may(request.user, "people.view_person"),
        "veiled": veiled,
        "show": show,
        "hint": HINTS.get(show, ""),
        "tabs": _tabs(found, counts, show),
        "may_mend": may_look_after(request.user, found, MEND),
        # An owner gives themselves nothing.
        "myself": None if request.user.has_perms(MEND) else owner_of(request.user),
        "may_match": request.user.has_perms(MEND),
    }
    part = {_EVERYBODY: _holders, UNKNOWN: _strangers}.get(show, _differing)
    context |= part(request, found, drift, show)
    return render(request, "workflows/access/application.html", context)


def looked_after(request: HttpRequest, key: str, rights: tuple[str, ...]) -> Application:
    """The application, for whom a right or ownership lets in; for others as if it were not there.

    Raises ``PermissionDenied``: who owns another one learns no names by trying.
    """
    rows = Application.objects.select_related("owner", "connection", "reading")
    found = rows.filter(key=key).first()
    if found is not None and may_look_after(request.user, found, rights):
        return found
    if found is None and request.user.has_perms(rights):
        raise Http404
    raise PermissionDenied


def _tabs(found: Application, counts: dict[str, int], show: str) -> list[dict[str, Any]]:
    holders = AppAccess.objects.filter(AppAccess.HELD, application=found).count()
    entries = [*kind_tabs(counts)]
    if counts.get(UNKNOWN):
        entries.append((UNKNOWN, "Unknown accounts", counts[UNKNOWN]))
    entries.append((_EVERYBODY, "Who has it", holders))
    return [
        {
            "label": words,
            "count": number,
            "url": f"?show={kind}",
            "current": kind == show,
            "hint": HINTS.get(kind, ""),
        }
        for kind, words, number in entries
    ]


def _differing(request: HttpRequest, found: Application, drift: Drift, show: str) -> dict[str, Any]:
    ids = people_sorted(drift.kinds[show])
    page: Page[int] = Paginator(ids, _PAGE).get_page(request.GET.get("page"))
    keys = list(page.object_list)
    people = Person.objects.filter(pk__in=keys).select_related("team").in_bulk()
    rows = _accesses(found, keys)
    seen = {
        row.person_id: row
        for row in found.reported.filter(person_id__in=keys, gone_at__isnull=True)
    }
    return {
        "page": page,
        "rows": [
            {"person": people[pk], "access": rows.get(pk), "reported": seen.get(pk)}
            for pk in keys
            if pk in people
        ],
    }


def _accesses(found: Application, keys: list[int]) -> dict[int, AppAccess]:
    rows = found.accesses.exclude(state=AppAccess.State.REVOKED).filter(person_id__in=keys)
    return {row.person_id: row for row in rows}


def _holders(request: HttpRequest, found: Application, drift: Drift, show: str) -> dict[str, Any]:
    rows = found.accesses.exclude(state=AppAccess.State.REVOKED).select_related("person__team")
    page = Paginator(rows.order_by("person__full_name", "pk"), _PAGE).get_page(
        request.GET.get("page")
    )
    return {
        "page": page,
        "rows": [{"person": row.person, "access": row, "reported": None} for row in page],
    }


def _strangers(request: HttpRequest, found: Application, drift: Drift, show: str) -> dict[str, Any]:
    rows = found.reported.filter(gone_at__isnull=True, person__isnull=True)
    page = Paginator(rows.order_by("email", "username", "pk"), _PAGE).get_page(
        request.GET.get("page")
    )
    return {"page": page, "strangers": list(page.object_list), "rows": []}
