"""The catalogue of applications: the list, one application, who has it, what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from integrations.access_calls import is_readable
from integrations.access_reading import MatchRefusedError, reading_ask, reported_match
from integrations.models import AppAccess, Application, ReportedAccess
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to, person_by_email
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
from workflows.access.mending import Mended, Pair, access_mend
from workflows.access.should import directory_today, rule_fields, rule_words
from workflows.conditions.masking import names_of
from workflows.services import RefusedError

if TYPE_CHECKING:
    from django.core.paginator import Page

_PAGE = 50
_EVERYBODY = "people"


@require_GET
@require("integrations.view_application")
def applications(request: HttpRequest) -> HttpResponse:
    """Every application, who gets it, and how it stands."""
    query = request.GET.get("q", "").strip()[:200]
    category = request.GET.get("category", "")
    retired = request.GET.get("state") == "retired"
    found = applications_found(query=query, category=category, retired=retired)
    page = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    rows = application_rows(list(page.object_list))
    context = {
        "rows": rows,
        "counted": counted_since(rows),
        "page": page,
        "query": query,
        "category": category,
        "categories": categories(),
        "retired": retired,
        "filtered": bool(query or category or retired),
    }
    return render(request, "workflows/access/applications.html", context)


@require_POST
@require("integrations.view_application")
def applications_count(request: HttpRequest) -> HttpResponse:
    """Count now what differs, for the applications of the page it was pressed on."""
    keys = request.POST.getlist("application")[:_PAGE]
    rows = Application.objects.filter(key__in=keys, active=True).select_related("connection")
    if number := drift_count(list(rows), now=clock.now()):
        what = "one application" if number == 1 else f"{number} applications"
        messages.success(request, f"Counted for {what}.")
    back = reverse("applications")
    asked = request.POST.get("query", "")[:500]
    return redirect(f"{back}?{QueryDict(asked).urlencode()}" if asked else back)


@require_GET
@require("integrations.view_application", "people.view_person")
def application(request: HttpRequest, key: str) -> HttpResponse:
    """One application: what it is, who has it, what differs from its rule."""
    found = get_object_or_404(
        Application.objects.select_related("owner", "connection", "reading"), key=key
    )
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
        "hidden": hidden,
        "veiled": veiled,
        "show": show,
        "hint": HINTS.get(show, ""),
        "tabs": _tabs(found, counts, show),
        "may_mend": may(request.user, "integrations.change_appaccess"),
    }
    part = {_EVERYBODY: _holders, UNKNOWN: _strangers}.get(show, _differing)
    context |= part(request, found, drift, show)
    return render(request, "workflows/access/application.html", context)


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


@require_POST
@require("integrations.change_appaccess")
def application_read(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the connection soon who has it."""
    found = get_object_or_404(Application.objects.select_related("connection"), key=key)
    if is_readable(found):
        reading_ask(found, now=clock.now(), actor=request.user)
        messages.success(
            request, f"{found.connection} is asked within a minute; load the page again then."
        )
    else:
        messages.error(request, f"No connection can say who has {found}.")
    return redirect("application", key=key)


@require_POST
@require("integrations.change_appaccess", "people.view_person")
def access_match(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whose a reported account is."""
    row = get_object_or_404(ReportedAccess.objects.select_related("application__connection"), pk=pk)
    back = f"{reverse('application', args=[row.application.key])}?show={UNKNOWN}"
    person = person_by_email(request.POST.get("email", ""))
    if person is None:
        messages.error(request, "Nobody has this work email. Nothing was changed.")
        return redirect(back)
    try:
        reported_match(row, person, now=clock.now(), actor=request.user)
    except MatchRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row.username or row.external_id} belongs to {person}.")
    return redirect(back)


@require_POST
@require("integrations.change_appaccess", "people.view_person")
def mend(request: HttpRequest) -> HttpResponse:
    """Do one thing for everybody who is ticked; each tick is “application:person”."""
    back = _back(request)
    try:
        done = access_mend(
            _pairs(request),
            request.POST.get("act", ""),
            reason=request.POST.get("reason", ""),
            now=clock.now(),
            actor=request.user,
        )
    except RefusedError as error:
        messages.error(request, str(error))
        return redirect(back)
    for level, words in _told(done):
        messages.add_message(request, level, words)
    return redirect(back)


def _back(request: HttpRequest) -> str:
    """The page it was pressed on: an application's, a person's, else the list."""
    key, person = request.POST.get("application", ""), request.POST.get("person", "")
    if Application.objects.filter(key=key).exists():
        return reverse("application", args=[key])
    if person.isascii() and person.isdecimal() and len(person) < 18:
        return reverse("person-access", args=[person])
    return reverse("applications")


def _pairs(request: HttpRequest) -> list[Pair]:
    """What was ticked, as far as it exists and may be seen."""
    ticked = [text.partition(":") for text in request.POST.getlist("pair")[:500]]
    keys = {key for key, _, _ in ticked}
    ids = {int(pk) for _, _, pk in ticked if pk.isascii() and pk.isdecimal() and len(pk) < 18}
    known = {
        row.key: row
        for row in Application.objects.filter(key__in=keys).select_related("connection")
    }
    people = people_visible_to(request.user).filter(pk__in=ids).in_bulk()
    return [
        Pair(application=known[key], person=people[int(pk)])
        for key, _, pk in dict.fromkeys(ticked)
        if key in known and pk.isdecimal() and int(pk) in people
    ]


def _told(done: Mended) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    going = len(done.runs) - done.held
    if going:
        runs = "One run" if going == 1 else f"{going} runs"
        found.append((messages.SUCCESS, f"{runs} started; the pages show how far they are."))
    if done.held:
        found.append(
            (
                messages.WARNING,
                f"{done.held} held: {done.runs[0].reason} Nothing has happened yet.",
            )
        )
    if done.written:
        found.append((messages.SUCCESS, f"{done.written} written down."))
    if done.passed_over:
        found.append(
            (
                messages.WARNING,
                f"{done.passed_over} passed over: the connection says otherwise, or they are not "
                "in the directory any more.",
            )
        )
    return found
