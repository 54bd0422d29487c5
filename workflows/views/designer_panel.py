"""What the designer's panel works out late, who is behind its counts, and a test with a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from people.defaults import workspace_get
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to, person_by_email
from siit_remote.lib import clock
from workflows.conditions.describe import describe_group, describe_rule, value_words
from workflows.conditions.tree import Group, Rule
from workflows.designer.matching import (
    depends_on_event,
    directory,
    present_people,
    row_at,
    row_counts,
)
from workflows.designer.outline import outline
from workflows.designer.panel import next_runs, rehearsals
from workflows.designer.picks import PICKS
from workflows.designer.rehearse import rehearse
from workflows.designer.warnings import others_alike, warnings_of
from workflows.document.parse import parse_document
from workflows.fields import custom_name, field_spec
from workflows.models import Workflow
from workflows.views.hidden_dates import hidden_dates, starts_on_hidden_date
from workflows.views.rights import right_on, runs_open
from workflows.vocabulary import vocabulary_now

_PAGE = 50
_LAST_RUNS = 5


def _today(now: datetime) -> Any:
    """The day in the workspace's zone: a condition on dates is counted by it."""
    return now.astimezone(ZoneInfo(workspace_get().timezone)).date()


@require_GET
@right_on("edit")
def panel(request: HttpRequest, key: str) -> HttpResponse:
    """Counts, next runs, approvers and last runs of a draft."""
    found = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    document = parse_document(found.draft)
    now = clock.now()
    people = directory(_today(now))
    others = (other.conditions for _, other in others_alike(document, key=found.key))
    people.prepare([document.conditions, *others])
    since = found.live_since
    warnings = warnings_of(document, key=found.key, now=now, people=people)
    context = {
        "workflow": found,
        "document": document,
        "warnings": outline(document, warnings, vocabulary_now()).problems,
        "count": people.count(document.conditions),
        "depends": depends_on_event(document.conditions),
        "could": len(people.eligible(document)),
        "rows": row_counts(document, people=people),
        "coming": None
        if starts_on_hidden_date(request, document)
        else next_runs(document, key=found.key, live_since=since, now=now, people=people),
        "rehearsals": rehearsals(document, now=now, people=people),
        "runs": runs_open(request.user, found.runs.select_related("person"))[:_LAST_RUNS]
        if request.user.has_perm("workflows.view_run")
        else None,
    }
    return render(request, "workflows/designer/panel.html", context)


_WHO = {"matched": "Who passes", "missed": "Who does not", "unknown": "Nobody can tell"}


@require_GET
@right_on("edit", "people.view_person")
def matching(request: HttpRequest, key: str) -> HttpResponse:
    """The people behind a count: who passes a row, who not, with the value and its source."""
    found = get_object_or_404(Workflow, key=key)
    document = parse_document(found.draft)
    path, who = request.GET.get("row", ""), request.GET.get("who", "matched")
    entry = row_at(document, path)
    group = Group(rules=(entry,)) if isinstance(entry, Rule) else entry
    matched, unknown = directory(_today(clock.now())).split(group)
    people = present_people().filter(pk__in=people_visible_to(request.user))
    lists = {
        "matched": people.filter(pk__in=matched),
        "unknown": people.filter(pk__in=unknown),
        "missed": people.exclude(pk__in=matched | unknown),
    }
    chosen = lists.get(who, lists["matched"]).order_by("full_name", "pk")
    page = Paginator(chosen.select_related("manager", "team", "legal_entity"), _PAGE).get_page(
        request.GET.get("page")
    )
    rules = [rule for _, rule in group.walk_rules()] if group is not None else []
    hidden = fields_hidden_from(request.user)
    base = f"{reverse('designer-matching', kwargs={'key': key})}?row={path}"
    tabs = [
        {
            "label": words,
            "count": lists[name].count(),
            "url": f"{base}&who={name}",
            "current": name == who,
        }
        for name, words in _WHO.items()
    ]
    context = {
        "workflow": found,
        "words": _words(entry),
        "tabs": tabs,
        "page": page,
        "people": [(person, _values(person, rules, hidden)) for person in page],
    }
    return render(request, "workflows/designer/matching.html", context)


def _words(entry: Group | Rule | None) -> str:
    if entry is None:
        return "everybody"
    types = vocabulary_now().field_types
    return describe_rule(entry, types) if isinstance(entry, Rule) else describe_group(entry, types)


def _values(person: Person, rules: list[Rule], hidden: frozenset[str]) -> list[dict[str, str]]:
    """The value of each field that the rules ask for, and which source it comes from."""
    found = []
    for field in dict.fromkeys(rule.field for rule in rules):
        spec = field_spec(field)
        if spec is None or not field.startswith("person."):
            continue
        name = field.removeprefix("person.")
        if name in hidden:
            found.append({"label": spec.label, "value": "hidden from you", "source": ""})
            continue
        value = getattr(person, name, None) if spec.orm else person.custom.get(custom_name(field))
        if name in ("manager", "team", "legal_entity") and value is not None:
            value = str(value)
        source = str(person.value_sources.get(name, ""))
        found.append({"label": spec.label, "value": value_words(value, spec), "source": source})
    return found


@require_GET
@right_on("edit", "people.view_person")
def rehearsal(request: HttpRequest, key: str) -> HttpResponse:
    """What the draft would do for one person, step by step. No effects."""
    found = get_object_or_404(Workflow, key=key)
    asked = request.GET.get("person", "").strip()
    person = person_by_email(PICKS["person"].key_of(asked)) if asked else None
    context: dict[str, Any] = {
        "workflow": found,
        "asked": asked,
        "person": person,
        "suggestions": PICKS["person"].found("", 20),
        "step": request.GET.get("step", "")[:80],
        "missing": bool(asked) and person is None,
    }
    if person is not None:
        document = parse_document(found.draft)
        if starts_on_hidden_date(request, document):
            return hidden_dates(request, found)
        test = rehearse(document, person, key=found.key, now=clock.now())
        reached = {one.step.key for one in test.steps}
        context |= {"test": test, "unreached": context["step"] and context["step"] not in reached}
    status = 422 if context["missing"] else 200
    return render(request, "workflows/designer/rehearsal.html", context, status=status)
