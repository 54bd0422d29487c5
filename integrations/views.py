"""Settings → Integrations: what can be connected, what is, and how its syncs went."""

from __future__ import annotations

from itertools import groupby

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from integrations.connectors.base import CONNECTORS
from integrations.models import Connection, SyncRun
from integrations.people_sources import brings_people
from siit_remote.access import require

SECTIONS = ("HRIS", "Identity", "Chat", "Mail", "Equipment", "Other")
_PAGE = 20


def _section(category: str) -> str:
    return category if category in SECTIONS else "Other"


@require_GET
@require("integrations.view_connection")
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every connector by section, with the connections made from it."""
    made: dict[str, list[Connection]] = {}
    for connection in Connection.objects.all():
        made.setdefault(connection.connector, []).append(connection)
    known = sorted(
        CONNECTORS, key=lambda item: (SECTIONS.index(_section(item.category)), item.label)
    )
    sections = [
        (name, [(connector, made.get(connector.key, [])) for connector in connectors])
        for name, connectors in groupby(known, key=lambda item: _section(item.category))
    ]
    return render(request, "integrations/catalogue.html", {"sections": sections})


@require_GET
@require("integrations.view_connection")
def connection(request: HttpRequest, key: str) -> HttpResponse:
    """One connection: who we are there, its health, its log of syncs."""
    found = get_object_or_404(Connection, key=key)
    connector = CONNECTORS.get(found.connector)
    syncs = found.syncs.select_related("requested_by").defer("held_records", "names")
    return render(
        request,
        "integrations/connection.html",
        {
            "connection": found,
            "connector": connector,
            "is_source": brings_people(found),
            "page": Paginator(syncs, _PAGE).get_page(request.GET.get("page")),
            "held": syncs.filter(status=SyncRun.Status.HELD).first(),
            "deliveries": found.deliveries.all()[:10]
            if request.user.has_perm("integrations.view_delivery")
            else [],
        },
    )


@require_GET
@require("integrations.view_syncrun")
def sync_run(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """One sync with its counts and names, and what a held one would do."""
    found = get_object_or_404(
        SyncRun.objects.select_related("connection").defer("held_records"),
        pk=pk,
        connection__key=key,
    )
    return render(
        request, "integrations/sync_run.html", {"sync": found, "connection": found.connection}
    )
