"""The page of a connection's calls."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from integrations.calls import CallsFilter, advice_for, calls_found, circuits_shown
from integrations.models import Connection
from people.defaults import workspace_get
from people.selectors import people_visible_to
from siit_remote.access import require
from siit_remote.lib import clock

_PAGE = 50


@require_GET
@require("integrations.view_delivery")
def calls(request: HttpRequest, key: str) -> HttpResponse:
    """Every recorded call of one connection, newest first."""
    connection = get_object_or_404(Connection, key=key)
    form = CallsFilter(request.GET)
    chosen = form.chosen()
    now = clock.now()
    page = Paginator(calls_found(connection, chosen, now=now), _PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "integrations/calls.html",
        {
            "connection": connection,
            "tab": "calls",
            "form": form,
            "filtered": bool(chosen),
            "page": page,
            "rows": _rows(request, page.object_list),
            "circuits": circuits_shown(connection, now=now),
            "now": now,
            "kept_days": workspace_get().calls_kept_days,
        },
    )


def _rows(request: HttpRequest, found: Any) -> list[dict[str, Any]]:
    """Each call with its advice; the person and the run only for who may see them."""
    calls = list(found)
    wanted = {call.person_id for call in calls if call.person_id}
    visible = set(
        people_visible_to(request.user).filter(pk__in=wanted).values_list("pk", flat=True)
    )
    runs = request.user.has_perm("workflows.view_run")
    rows = []
    for call in calls:
        kind, advice = advice_for(call)
        rows.append(
            {
                "call": call,
                "kind": kind,
                "advice": advice,
                "person": call.person if call.person_id in visible else None,
                "run": call.run_id if runs else None,
            }
        )
    return rows
