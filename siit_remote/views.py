"""Pages that belong to no single application: health, theme, activity, home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from people.defaults import workspace_get
from people.identity import person_of
from siit_remote.access import require
from siit_remote.audit.actions import ACTIONS
from siit_remote.audit.models import AuditEntry
from siit_remote.context import THEMES
from siit_remote.health import overview
from siit_remote.home import DAYS_AHEAD, coming_up, leaving_figure, notices, waiting_for
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet

_PAGE = 50
_YEAR = 365 * 24 * 3600


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The web process answers. No database, no account, no personal data."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and has every migration; 503 names which of the two is missing."""
    checks = {"database": False, "migrations": False}
    try:
        connection.ensure_connection()
        checks["database"] = True
        executor = MigrationExecutor(connection)
        checks["migrations"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        # The answer itself is the report; details belong into the database's own log.
        return JsonResponse({"status": "unavailable", "checks": checks}, status=503)
    ready = all(checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503
    )


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon when what they show is no page of ours (a part, a file)."""
    return redirect(static("siit/favicon.svg"))


@require_POST
def theme_set(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or system in a cookie; back to the page it came from."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest("Unknown theme.")
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    response = redirect(target)
    response.set_cookie(
        "theme",
        theme,
        max_age=_YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@require_GET
@require()
def home(request: HttpRequest) -> HttpResponse:
    """What needs attention, what waits, and who comes and goes, by what the person may see."""
    me = person_of(request.user)
    seen = overview(request.user)
    today = clock.now().astimezone(ZoneInfo(workspace_get().timezone)).date()
    return render(
        request,
        "home.html",
        {
            "overview": seen,
            "me": me,
            "notices": notices(seen),
            "waiting": waiting_for(me),
            "coming": coming_up(request.user, today=today),
            "leaving": leaving_figure(request.user, today=today),
            "days_ahead": DAYS_AHEAD,
        },
    )


def _filtered(query: Any) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.select_related("actor")
    if (action := query.get("action", "")) in ACTIONS:
        entries = entries.filter(action=action)
    if text := query.get("q", "").strip():
        entries = entries.filter(object_label__icontains=text) | entries.filter(
            actor_label__icontains=text
        )
    return entries


@require_GET
@require("audit.view_auditentry")
def activity(request: HttpRequest) -> HttpResponse:
    """The audit log, newest first."""
    page = Paginator(_filtered(request.GET), _PAGE).get_page(request.GET.get("page"))
    for entry in page.object_list:
        entry.words = ACTIONS.get(entry.action, entry.action)
    return render(
        request,
        "activity.html",
        {"page": page, "actions": ACTIONS, "query": request.GET.get("q", "")},
    )
