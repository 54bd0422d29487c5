"""The catalogue's editor: what a service asks, to whom it is offered, what it sets off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from siit_remote.access import require
from siit_remote.lib.keys import key_from
from workflows.audience import audience_words
from workflows.catalogue import service_save
from workflows.models import Service
from workflows.portal import workflows_of
from workflows.problems import DocumentError, Problem
from workflows.views.request_form import RequestForm
from workflows.views.rows import problem_words, row_done, rows_posted
from workflows.views.rule_rows import rows_answer, rows_clicked, rows_context

ICONS = (
    *("inbox", "key", "laptop", "users", "app-window", "monitor", "package", "truck", "gift"),
    *("calendar", "map-pin", "building-2", "id-card", "file-text", "shield", "wrench", "briefcase"),
    *("award", "circle-help", "heart-pulse", "database", "globe", "lock", "star"),
)
FIELD_TYPES = (
    ("text", "Text"),
    ("long_text", "Long text"),
    ("number", "Number"),
    ("choice", "Choice"),
    ("boolean", "Yes or no"),
    ("date", "Date"),
    ("person", "Person"),
    ("application", "Application"),
)
_PLACES = {"fields": "Question", "rules": "condition"}
_WORDS = {
    "title": "Offered to",
    "nobody": "Everybody.",
    "everybody": "Offer it to everybody",
    "choose": "Offer it to some only",
}
_FIELD = ("name", "label", "type", "required", "choices", "help")
_BLANK = dict.fromkeys(_FIELD, "") | {"type": "text"}


@require_GET
@require("workflows.change_service")
def services(request: HttpRequest) -> HttpResponse:
    """Every service with what it sets off."""
    rows = [
        {
            "service": service,
            "workflows": workflows_of(service.key),
            "audience": audience_words(service.audience),
        }
        for service in Service.objects.all()
    ]
    return render(request, "workflows/services.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require("workflows.add_service")
def service_new(request: HttpRequest) -> HttpResponse:
    """A new entry of the catalogue."""
    return _edit(request, Service(fields=[]), new=True)


@require_http_methods(["GET", "POST"])
@require("workflows.change_service")
def service_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change an entry of the catalogue."""
    return _edit(request, get_object_or_404(Service, key=key), new=False)


def _edit(request: HttpRequest, service: Service, *, new: bool) -> HttpResponse:
    state = _stored(service) if request.method == "GET" else _posted(request.POST, service, new=new)
    problems: list[Problem] = []
    if request.method == "POST":
        clicked = rows_clicked(request, "save", stored=service.audience)
        state["audience"] = clicked.data
        problems = [Problem("", clicked.refused)] if clicked.refused else []
        do = request.POST.get("do", "save")
        moved = row_done(state["fields"], do, "field", blank=dict(_BLANK))
        if not moved and do == "save" and not problems:
            try:
                saved = service_save(
                    _row(state, service), active=state["active"], new=new, actor=request.user
                )
            except DocumentError as error:
                problems = list(error.problems)
            else:
                messages.success(request, f"{saved.name} is saved.")
                return redirect("service-edit", key=saved.key)
    return _render(request, service, state, problems, new=new)


def _render(
    request: HttpRequest,
    service: Service,
    state: dict[str, Any],
    problems: list[Problem],
    *,
    new: bool,
) -> HttpResponse:
    preview = Service(
        name=state["name"], fields=[_declared(row) for row in state["fields"] if row["label"]]
    )
    context = {
        "service": service,
        "new": new,
        "state": state,
        "problems": [problem_words(problem, _PLACES) for problem in problems],
        "field_types": FIELD_TYPES,
        "icons": ICONS,
        "rule_words": _WORDS,
        **rows_context(request, state["audience"], base=_rule_base(), of_requests=False),
        "preview": RequestForm(service=preview, auto_id="preview_%s"),
        "workflows": workflows_of(service.key) if not new else [],
    }
    status = 422 if problems else 200
    return render(request, "workflows/service_edit.html", context, status=status)


def _rule_base() -> str:
    """What the rows' buttons put their verbs behind."""
    return reverse("service-rule", args=["save"]).removesuffix("save/")


@require_POST
@require("workflows.change_service")
def service_rule(request: HttpRequest, verb: str) -> HttpResponse:
    """One click in the rows of “offered to”: drawn anew, nothing saved.

    Without scripts the whole page comes back, with everything that was typed.
    """
    key = request.POST.get("service", "")
    service = get_object_or_404(Service, key=key) if key else Service(fields=[])
    clicked = rows_clicked(request, verb, stored=service.audience)
    if request.headers.get("HX-Request") == "true":
        context = rows_context(request, clicked.data, base=_rule_base(), of_requests=False)
        return rows_answer(request, verb, clicked, context | {"rule_words": _WORDS})
    if clicked.refused:
        messages.error(request, clicked.refused)
    state = _posted(request.POST, service, new=not key) | {"audience": clicked.data}
    return _render(request, service, state, [], new=not key)


def _stored(service: Service) -> dict[str, Any]:
    return {
        "key": service.key,
        "name": service.name,
        "description": service.description,
        "category": service.category,
        "icon": service.icon,
        "active": service.active,
        "audience": service.audience,
        "fields": [{name: _shown(field.get(name)) for name in _FIELD} for field in service.fields],
    }


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value in (None, False) else str(value)


def _posted(post: Mapping[str, Any], service: Service, *, new: bool) -> dict[str, Any]:
    names = ("name", "description", "category", "icon")
    words = {name: str(post.get(name, "")).strip() for name in names}
    return words | {
        "key": str(post.get("key", "")).strip() or key_from(words["name"], kind="service")
        if new
        else service.key,
        "active": post.get("active") == "on",
        "audience": service.audience,
        "fields": rows_posted(post, "field", _FIELD),
    }


def _row(state: Mapping[str, Any], service: Service) -> dict[str, Any]:
    """The service as it would stand in a workspace document."""
    row = {name: state[name] for name in ("key", "name", "description", "category", "icon")} | {
        "fields": [_declared(field) for field in state["fields"]]
    }
    audience = state["audience"]
    return row | ({"audience": audience} if audience else {})


def _declared(row: Mapping[str, str]) -> dict[str, Any]:
    """One question; its name is made from its label once and then stays."""
    name = row["name"] or key_from(row["label"], kind="question").replace("-", "_")
    field: dict[str, Any] = {"name": name, "type": row["type"] or "text", "label": row["label"]}
    if row["required"]:
        field["required"] = True
    if row["type"] == "choice":
        field["choices"] = [part.strip() for part in row["choices"].splitlines() if part.strip()]
    if row["help"]:
        field["help"] = row["help"]
    return field
