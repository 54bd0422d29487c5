"""Settings → Integrations: what can be connected, what is, and how its syncs went."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from integrations.abilities import abilities_of
from integrations.authorization import trouble_of
from integrations.calls import circuits_shown
from integrations.catalogue import sections
from integrations.connectors.base import CONNECTORS
from integrations.connectors.inbound import CalledBack, Inbound
from integrations.freshness import full_syncs, is_stale, last_good_sync, next_sync_at
from integrations.models import Connection, SyncRun
from integrations.people_sources import brings_people
from integrations.sync_log import CHANGED_SHOWN, changed_people, named_people
from people.defaults import workspace_get
from people.identity import fields_hidden_from
from siit_remote.access import require
from siit_remote.lib import clock

_PAGE = 20
LIVE = (SyncRun.Status.ASKED, SyncRun.Status.RUNNING)


@require_GET
@require("integrations.view_connection")
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every connector by section, with the connections made from it; searched by ``q``."""
    query = request.GET.get("q", "").strip()[:100]
    context = {"sections": sections(query), "query": query}
    if request.headers.get("HX-Request") == "true":
        return render(request, "integrations/catalogue_sections.html", context)
    return render(request, "integrations/catalogue.html", context)


@require_GET
@require("integrations.view_connection")
def connection(request: HttpRequest, key: str) -> HttpResponse:
    """One connection: who we are there, its health, its log of syncs."""
    found = get_object_or_404(Connection, key=key)
    connector = CONNECTORS.get(found.connector)
    context: dict[str, Any] = {"connection": found, "connector": connector, "tab": "overview"}
    if request.user.has_perm("integrations.view_delivery"):
        context["deliveries"] = found.deliveries.all()[:5]
    context["circuits"] = circuits_shown(found, now=clock.now())
    context["now"] = clock.now()
    context["abilities"] = abilities_of(found)
    context["inbound"] = _inbound(found, connector)
    if not brings_people(found):
        context["waiting"] = found.status == Connection.Status.NEEDS_ATTENTION
        return render(request, "integrations/connection.html", context)
    live = live_sync(found, asked=request.GET.get("asked", ""))
    if request.headers.get("HX-Request") == "true":
        return _live(request, found, live)
    hours = workspace_get().sync_every_hours
    syncs = found.syncs.select_related("requested_by").defer("held_records", "names", "review")
    good = last_good_sync(found)
    context.update(
        live=live,
        page=Paginator(syncs, _PAGE).get_page(request.GET.get("page")),
        held=syncs.filter(status=SyncRun.Status.HELD).first(),
        hours=hours,
        last_good=good,
        next_at=next_sync_at(found, every=timedelta(hours=hours)),
        stale=is_stale(found, last_good=good, at=clock.now(), hours=hours),
        trouble=trouble_of(found),
    )
    return render(request, "integrations/source.html", context)


def _inbound(connection: Connection, connector: object) -> list[tuple[Inbound, str]]:
    """Where the other side calls us, with the whole address."""
    if not isinstance(connector, CalledBack) or connection.status == Connection.Status.DISCONNECTED:
        return []
    base = settings.SITE_URL.rstrip("/")
    return [(one, base + one.path.format(key=connection.key)) for one in connector.inbound]


def live_sync(connection: Connection, *, asked: str) -> SyncRun | str | None:
    """The sync that runs, ``"waiting"`` for one that was asked for, or nothing.

    ``asked`` is the number of the newest sync when somebody pressed *Sync now*.
    """
    rows = connection.syncs.filter(status__in=LIVE).defer("review")
    running = rows.order_by(F("lease_until").desc(nulls_last=True)).first()
    if running is not None:
        return running
    known = int(asked) if asked.isdecimal() and len(asked) < 19 else None
    if known is None or full_syncs(connection).filter(pk__gt=known).exists():
        return None
    return "waiting"


def _live(request: HttpRequest, connection: Connection, live: SyncRun | str | None) -> HttpResponse:
    if live is None:
        address = reverse("connection", kwargs={"key": connection.key})
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    context = {"connection": connection, "live": live, "asked": request.GET.get("asked", "")}
    return render(request, "integrations/live.html", context)


@require_GET
@require("integrations.view_syncrun")
def sync_run(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """One sync with its counts, names and reasons, and what a held one would do."""
    found = get_object_or_404(
        SyncRun.objects.select_related("connection", "requested_by").defer(
            "held_records", "review"
        ),
        pk=pk,
        connection__key=key,
    )
    if request.headers.get("HX-Request") == "true":
        if found.status not in LIVE:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        context = {"connection": found.connection, "live": found, "own": True}
        return render(request, "integrations/live.html", context)
    names = found.names
    context = {
        "sync": found,
        "connection": found.connection,
        "is_live": found.status in LIVE,
        "selected": names.get("selected", ()),
        "created": named_people(names.get("created", ())),
        "ended": named_people(names.get("ended", ())),
        "missing": names.get("missing", ()),
        "changed": changed_people(found, hidden=fields_hidden_from(request.user)),
        "shown": CHANGED_SHOWN,
    }
    return render(request, "integrations/sync_run.html", context)
