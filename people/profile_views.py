"""One person's page: what the account may see of them, now or at a moment of the past."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from people.history import person_as_of
from people.identity import fields_hidden_from
from people.moments import PARAMETER, MomentError, moment_asked
from people.problem_guide import guide_for
from people.profile import groups_then, profile_groups
from people.selectors import manager_chain, people_visible_to, tree_below
from people.sources import source_names, source_words
from people.timeline import timeline_page
from siit_remote.access import require
from siit_remote.lib import clock

if TYPE_CHECKING:
    from datetime import datetime

    from people.models import Person, SourceRecord

TABS = (
    ("", "Overview"),
    ("timeline", "Timeline"),
    ("workflows", "Workflows"),
    ("sources", "Sources"),
)
"""Only the first is for who sees no more than their own people."""
_REPORTS = 50


@require_GET
@require()
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person. Whom the account may not see does not exist for it (404)."""
    found = get_object_or_404(
        people_visible_to(request.user).select_related("team", "manager", "legal_entity"), pk=pk
    )
    everything = request.user.has_perm("people.view_person")
    now = clock.now()
    try:
        moment = moment_asked(request.GET.get(PARAMETER, "") if everything else "", now=now)
    except MomentError as error:
        messages.error(request, str(error))
        return redirect("person", pk=found.pk)
    hidden = fields_hidden_from(request.user)
    context: dict[str, Any] = {
        "person": found,
        "hidden": hidden,
        "sees_everything": everything,
        "now": now,
    }
    if moment is not None:
        context.update(_past(found, hidden=hidden, moment=moment))
        return render(request, "people/person_then.html", context)
    tab = request.GET.get("tab", "") if everything else ""
    tab = tab if tab in dict(TABS) else ""
    context.update(tab=tab, tabs=_tabs(tab) if everything else [])
    context.update(_PARTS[tab](request, found, hidden))
    return render(request, "people/person.html", context)


def _tabs(current: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": f"?tab={key}" if key else "?", "current": key == current}
        for key, label in TABS
    ]


def _past(found: Person, *, hidden: frozenset[str], moment: datetime) -> dict[str, Any]:
    then = person_as_of(found, moment=moment)
    return {
        "moment": moment,
        "then": then,
        "groups": groups_then(then, hidden=hidden) if then is not None else (),
    }


def _overview(request: HttpRequest, found: Person, hidden: frozenset[str]) -> dict[str, Any]:
    open_to = people_visible_to(request.user)
    chain = manager_chain(found) if "manager" not in hidden else []
    reports = open_to.filter(manager=found).select_related("team")
    everything = request.user.has_perm("people.view_person")
    openable = set(
        open_to.filter(pk__in=[above.pk for above in chain]).values_list("pk", flat=True)
    )
    records = list(found.source_records.all()) if everything else []
    return {
        "groups": profile_groups(found, hidden=hidden),
        "chain": [(boss, boss.pk in openable) for boss in chain],
        "openable": openable,
        "reports": reports[:_REPORTS],
        "reports_count": reports.count(),
        "below_count": open_to.filter(pk__in=tree_below([found.pk])).count(),
        "employments": [_employment(record, source_names(), hidden) for record in records],
        "guides": guide_for(found) if everything else [],
        "aliases": found.aliases.all() if everything else [],
    }


def _timeline(request: HttpRequest, found: Person, hidden: frozenset[str]) -> dict[str, Any]:
    number = request.GET.get("page", "1")
    return {
        "page": timeline_page(
            found,
            user=request.user,
            hidden=hidden,
            kind=request.GET.get("kind", ""),
            number=int(number) if number.isdecimal() else 1,
        )
    }


def _workflows(request: HttpRequest, found: Person, hidden: frozenset[str]) -> dict[str, Any]:
    return {}


def _sources(request: HttpRequest, found: Person, hidden: frozenset[str]) -> dict[str, Any]:
    raw = request.user.has_perm("people.view_raw_payload")
    names = source_names()
    return {
        "raw": raw,
        "records": [
            {
                **_employment(record, names, hidden),
                "payload": _payload(record, hidden) if raw else "",
            }
            for record in found.source_records.all()
        ],
        "merges": found.merges.filter(undone_at=None).select_related("done_by"),
        "overrides": found.overrides.exclude(field__in=hidden).select_related("set_by"),
    }


_PARTS = {"": _overview, "timeline": _timeline, "workflows": _workflows, "sources": _sources}


def _employment(
    record: SourceRecord, names: dict[str, str], hidden: frozenset[str]
) -> dict[str, Any]:
    """One record in words: who says it, since when, until when, in which state."""
    said = {key: value for key, value in record.values.items() if key not in hidden}
    return {
        "record": record,
        "source": source_words(record.source, names),
        "worker_type": said.get("worker_type", ""),
        "worker_type_raw": said.get("worker_type_raw", ""),
        "job_title": said.get("job_title", ""),
        "legal_entity": said.get("legal_entity", ""),
        "status_raw": said.get("contract_status_raw", ""),
        "start_date": said.get("start_date"),
        "end_date": said.get("end_date"),
    }


def _payload(record: SourceRecord, hidden: frozenset[str]) -> str:
    """What is kept of what the source sent, without hidden fields."""
    kept = {key: value for key, value in record.values.items() if key not in hidden}
    return json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True)
