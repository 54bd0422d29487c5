"""What the draft would have done over the last ninety days, as a page or a part of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.selectors import people_visible_to
from siit_remote.lib import clock
from workflows.calendar_feed import OTHERS
from workflows.engine.backtest import Would, backtest
from workflows.models import Workflow
from workflows.problems import DocumentError
from workflows.views.hidden_dates import hidden_dates, starts_on_hidden_date
from workflows.views.preview import chosen_version
from workflows.views.rights import right_on

_SHOWN = 100


@require_GET
@right_on("view", *OTHERS)
def backtest_page(request: HttpRequest, key: str) -> HttpResponse:
    """The difference by name; a fragment for htmx, a page of its own without it."""
    workflow = get_object_or_404(Workflow.objects.select_related("live_version__workflow"), key=key)
    now = clock.now()
    whole = request.headers.get("HX-Request") != "true"
    template = "workflows/backtest.html" if whole else "workflows/backtest_part.html"
    context = {"workflow": workflow, "shown": _SHOWN}
    try:
        planned, version = chosen_version(workflow, request.GET.get("version", "draft"), now=now)
    except DocumentError:
        return render(request, template, {**context, "unreadable": True})
    if starts_on_hidden_date(request, planned.document):
        return hidden_dates(request, workflow)
    found = backtest(workflow, planned, now=now)
    seen = set(people_visible_to(request.user).values_list("pk", flat=True))

    def visible(rows: tuple[Would, ...]) -> list[Would]:
        return [row for row in rows if row.person_id in seen]

    context |= {
        "version": version,
        "backtest": found,
        "only_would": visible(found.only_would),
        "only_ran": visible(found.only_ran),
        "would": visible(found.would),
        "held": visible(found.held),
        "skipped": visible(found.skipped),
    }
    return render(request, template, context)
