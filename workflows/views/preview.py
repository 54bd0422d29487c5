"""Who a workflow would run for, who nearly, who not, and what each step would do. No effects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.folding import fold
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to
from siit_remote.lib import clock
from workflows.conditions.masking import data_with_sources
from workflows.engine.outlook import StepPreview, steps_preview
from workflows.engine.planner import PlannedWorkflow, run_key
from workflows.engine.standing import (
    CANNOT_TELL,
    HELD,
    MATCHED,
    NOT_MATCHED,
    Shown,
    Standing,
    ordered,
    standing_shown,
    standings,
)
from workflows.engine.starting import due_now
from workflows.engine.world import load_happenings, load_world, planned_draft, planned_version
from workflows.models import Run, Workflow
from workflows.problems import DocumentError
from workflows.views.hidden_dates import hidden_dates, starts_on_hidden_date
from workflows.views.rights import right_on
from workflows.views.why import why_address

_PAGE = 50
_TABS = (
    (MATCHED, "Matched"),
    (HELD, "A person decides"),
    (NOT_MATCHED, "Not matched"),
    (CANNOT_TELL, "Cannot tell"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One person of the page: who, why, when, and the trace with the source of each value."""

    person: Person
    shown: Shown
    trace: dict[str, Any]
    due: datetime | None
    zone: str
    why: str


def chosen_version(workflow: Workflow, name: str, *, now: datetime) -> tuple[PlannedWorkflow, str]:
    """The live version or the draft, and which it is. Raises ``DocumentError``."""
    version = workflow.live_version
    if name == "draft" or version is None:
        return planned_draft(workflow, now=now), "draft"
    return planned_version(version), "live"


@require_GET
@right_on("view", "people.view_person")
def preview_page(request: HttpRequest, key: str) -> HttpResponse:
    """Everybody of the directory in groups, a page at a time."""
    workflow = get_object_or_404(Workflow.objects.select_related("live_version__workflow"), key=key)
    now = clock.now()
    context: dict[str, Any] = {"workflow": workflow, "now": now}
    try:
        planned, version = chosen_version(workflow, request.GET.get("version", ""), now=now)
    except DocumentError as error:
        problems = [str(problem) for problem in error.problems][:5]
        return render(request, "workflows/preview.html", context | {"problems": problems})
    if starts_on_hidden_date(request, planned.document):
        return hidden_dates(request, workflow)
    world = load_world(happenings=load_happenings())
    found = standings(planned, world, now=now)
    counts = {group: sum(item.group == group for item in found) for group, _ in _TABS}
    group = request.GET.get("group", MATCHED)
    group = group if group in counts else MATCHED
    listed = _searched(ordered(found, group), request.GET.get("q", ""))
    page = Paginator(listed, _PAGE).get_page(request.GET.get("page"))
    context |= {
        "version": version,
        "has_draft": workflow.live_version is not None,
        "group": group,
        "query": request.GET.get("q", ""),
        "total": len(found),
        "counts": counts,
        "tabs": _tabs(request, counts, group),
        "page": page,
        "rows": _rows(request, workflow, planned, list(page.object_list), now=now),
        "held": _held(workflow, planned, now=now),
    }
    return render(request, "workflows/preview.html", context)


def _held(workflow: Workflow, planned: PlannedWorkflow, *, now: datetime) -> dict[str, int]:
    """Why a pass right now would hold runs, and how many for each reason."""
    due = due_now(workflow, planned, now=now)
    return dict(Counter(item.reason for item in due if item.status == Run.Status.HELD))


def _searched(listed: list[Standing], text: str) -> list[Standing]:
    """Those in whose name or e-mail every word is found, accents and case aside."""
    words = fold(text).split()
    if not words:
        return listed
    return [
        item
        for item in listed
        if all(word in fold(f"{item.person.label} {item.person.work_email}") for word in words)
    ]


def _tabs(request: HttpRequest, counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    query = request.GET.copy()
    query.pop("page", None)
    tabs = []
    for group, label in _TABS:
        if group == HELD and not counts[group] and chosen != group:
            continue
        query["group"] = group
        tabs.append(
            {
                "label": label,
                "count": counts[group],
                "url": f"?{query.urlencode()}",
                "current": group == chosen,
            }
        )
    return tabs


def _people(ids: list[int]) -> QuerySet[Person]:
    return Person.objects.filter(pk__in=ids).select_related("team", "manager", "legal_entity")


def _rows(
    request: HttpRequest,
    workflow: Workflow,
    planned: PlannedWorkflow,
    items: list[Standing],
    *,
    now: datetime,
) -> list[Row]:
    hidden = fields_hidden_from(request.user)
    people = {person.pk: person for person in _people([item.person.id for item in items])}
    rows = []
    for item in items:
        person = people.get(item.person.id)
        if person is None:
            continue
        shown = standing_shown(planned, item, now=now, hidden=hidden)
        trace = shown.trace.to_data() if shown.trace else {}
        occurrence = item.judged.occurrence if item.judged else None
        rows.append(
            Row(
                person=person,
                shown=shown,
                trace=data_with_sources(trace, person.value_sources),
                due=occurrence.due_at if occurrence else None,
                zone=occurrence.timezone if occurrence else item.person.timezone,
                why=why_address(workflow, person),
            )
        )
    return rows


@require_GET
@right_on("view", "people.view_person")
def preview_person(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """What every step would do for one person, with that person's real values. No effects."""
    workflow = get_object_or_404(Workflow.objects.select_related("live_version__workflow"), key=key)
    person = get_object_or_404(
        people_visible_to(request.user).select_related("team", "manager", "legal_entity"), pk=pk
    )
    now = clock.now()
    try:
        planned, version = chosen_version(workflow, request.GET.get("version", ""), now=now)
    except DocumentError as error:
        raise Http404 from error
    if starts_on_hidden_date(request, planned.document):
        return hidden_dates(request, workflow)
    world = load_world(happenings=load_happenings(), person_ids=[pk])
    item = standings(planned, world, now=now)[0]
    hidden = fields_hidden_from(request.user)
    shown = standing_shown(planned, item, now=now, hidden=hidden)
    trace = shown.trace.to_data() if shown.trace else {}
    return render(
        request,
        "workflows/preview_person.html",
        {
            "workflow": workflow,
            "person": person,
            "version": version,
            "shown": shown,
            "trace": data_with_sources(trace, person.value_sources),
            "due": item.judged.occurrence.due_at if item.judged else None,
            "zone": item.person.timezone,
            "steps": person_steps(planned, person, shown, now=now),
            "why": why_address(workflow, person),
        },
    )


def person_steps(
    planned: PlannedWorkflow, person: Person, shown: Shown, *, now: datetime
) -> list[StepPreview]:
    """The steps in words, as at the person's moment (or now where nothing sets it off)."""
    judged = shown.standing.judged
    moment = max(now, judged.occurrence.due_at) if judged else now
    anchor = judged.key if judged else run_key(planned.key, person.pk, "preview", "")
    zone = judged.occurrence.timezone if judged else shown.standing.person.timezone
    return steps_preview(planned, person, shown.facts, now=moment, key=anchor, timezone=zone)
