"""Who leaves and has left; the evidence of one of them, on a page and to take out."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.defaults import workspace_get
from people.export import table_lines
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to, timezone_of
from siit_remote.access import may, require
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.often import EXPORTS, not_too_often
from workflows.access.evidence import Evidence, evidence_of
from workflows.access.evidence_pdf import evidence_pdf
from workflows.access.evidence_table import COLUMNS, evidence_lines
from workflows.access.leavers import (
    COUNTED,
    OVERDUE,
    WORDS,
    fleet,
    leavers,
    leaving_people,
    minutes_words,
)
from workflows.category_rights import rights_of

RIGHTS = ("people.view_person", "integrations.view_appaccess", "workflows.view_run")
_PAGE = 50
_ALL = "all"


def today_here() -> date:
    """The workspace's date."""
    return clock.now().astimezone(ZoneInfo(workspace_get().timezone)).date()


def refuse_without_dates(user: Any) -> frozenset[str]:
    """The fields hidden from ``user``; who may not see last days sees nothing of leavers."""
    hidden = fields_hidden_from(user)
    if "end_date" in hidden:
        raise PermissionDenied
    return hidden


@require_GET
@require(*RIGHTS)
def leavers_page(request: HttpRequest) -> HttpResponse:
    """Everybody with a last day, and how they stand."""
    hidden = refuse_without_dates(request.user)
    today = today_here()
    found = leavers(leaving_people(today=today), now=clock.now())
    numbers = {state: sum(one.state == state for one in found) for state in WORDS}
    wanted = request.GET.get("state", "")
    state = wanted if wanted in (*WORDS, _ALL) else OVERDUE if numbers[OVERDUE] else _ALL
    page = Paginator([one for one in found if state in (_ALL, one.state)], _PAGE).get_page(
        request.GET.get("page")
    )
    people = (
        Person.objects.filter(pk__in=[one.person_id for one in page])
        .select_related("team")
        .in_bulk()
    )
    context = {
        "rows": [
            {
                "person": people[one.person_id],
                "leaver": one,
                "words": WORDS[one.state],
                "took": minutes_words(one.minutes),
                "late": minutes_words(one.open_minutes),
            }
            for one in page
            if one.person_id in people
        ],
        "page": page,
        "state": state,
        "hidden": hidden,
        "fleet": fleet_words(found, today=today),
        "days": COUNTED.days,
        "tabs": [
            {
                "label": words,
                "count": numbers[key],
                "url": f"?state={key}",
                "current": key == state,
            }
            for key, words in WORDS.items()
        ]
        + [{"label": "All", "count": len(found), "url": "?state=all", "current": state == _ALL}],
    }
    return render(request, "workflows/access/leavers.html", context)


def fleet_words(found: Any, *, today: date) -> dict[str, Any]:
    """The figure in words, for pages."""
    figure = fleet(found, today=today)
    return {
        "leavers": figure.leavers,
        "median": minutes_words(figure.median),
        "worst": minutes_words(figure.worst),
        "overdue": figure.overdue,
        "longest": minutes_words(figure.longest_overdue),
    }


def _evidence(request: HttpRequest, pk: int) -> Evidence:
    hidden = refuse_without_dates(request.user)
    person = get_object_or_404(
        people_visible_to(request.user).select_related("team", "legal_entity", "manager"), pk=pk
    )
    rights = rights_of(request.user)
    return evidence_of(person, hidden=hidden, now=clock.now(), rights=rights)


@require_GET
@require(*RIGHTS)
def leaver(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence of one leaver on one page."""
    evidence = _evidence(request, pk)
    one = evidence.leaver
    context = {
        "evidence": evidence,
        "person": evidence.person,
        "leaver": one,
        "zone": timezone_of(evidence.person),
        "words": WORDS[one.state] if one is not None else "",
        "took": minutes_words(one.minutes) if one is not None else "",
        "late": minutes_words(one.open_minutes) if one is not None else "",
        "hidden": fields_hidden_from(request.user),
        "may_export": may(request.user, "people.export_people"),
    }
    return render(request, "workflows/access/leaver.html", context)


@require_GET
@require(*RIGHTS, "people.export_people")
@not_too_often(EXPORTS)
def leaver_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence as rows; cells that a spreadsheet would run are disarmed."""
    evidence = _evidence(request, pk)
    _exported(request, evidence, "csv")
    rows = (line.cells() for line in evidence_lines(evidence))
    body = "\N{BYTE ORDER MARK}" + "".join(table_lines(COLUMNS, rows))
    return _file(body.encode(), "text/csv; charset=utf-8", evidence, "csv")


@require_GET
@require(*RIGHTS, "people.export_people")
@not_too_often(EXPORTS)
def leaver_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence as PDF."""
    evidence = _evidence(request, pk)
    _exported(request, evidence, "pdf")
    body = evidence_pdf(evidence, zone=timezone_of(evidence.person))
    return _file(body, "application/pdf", evidence, "pdf")


def _exported(request: HttpRequest, evidence: Evidence, kind: str) -> None:
    record(
        "leaver.exported",
        actor=request.user,
        object_type="person",
        object_key=str(evidence.person.pk),
        object_label=str(evidence.person),
        detail={"format": kind},
    )


def _file(body: bytes, kind: str, evidence: Evidence, ending: str) -> HttpResponse:
    """No name in the file's name: addresses and histories keep those."""
    response = HttpResponse(body, content_type=kind)
    day = f"{evidence.made_at:%Y-%m-%d}"
    response["Content-Disposition"] = (
        f'attachment; filename="leaver-{evidence.person.pk}-{day}.{ending}"'
    )
    response["Cache-Control"] = "no-store"
    return response
