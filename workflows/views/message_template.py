"""Message templates: the list, the editor with its variants, and a preview for one person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.choices import PersonStatus
from people.identity import fields_hidden_from, person_of
from people.models import Person
from people.selectors import people_visible_to, person_by_email
from siit_remote.access import require
from siit_remote.lib import clock
from siit_remote.lib.keys import key_from
from workflows.catalogue import message_template_delete, message_template_save
from workflows.designer.picks import PICKS
from workflows.fields import FIELDS
from workflows.message_editing import (
    language_name,
    languages,
    message_shown,
    message_template_uses,
    placeholders,
    template_key_unused,
    uses_by_template,
    variant_name,
)
from workflows.messages import Fault, source_faults
from workflows.models import MessageTemplate
from workflows.problems import DocumentError, Problem
from workflows.views.rows import row_done, rows_posted

_VARIANT = ("language", "country", "default", "subject", "body")
_BLANK = dict.fromkeys(_VARIANT, "")
_TEXTS = ("subject", "body")
_WORDS = {"subject": "subject", "body": "text"}


@require_GET
@require("workflows.view_messagetemplate")
def message_templates(request: HttpRequest) -> HttpResponse:
    """Every template with its languages and what sends it."""
    uses = uses_by_template()
    rows = [
        {
            "template": template,
            "variants": [variant_name(variant) for variant in template.variants],
            "uses": uses.get(template.key, []),
        }
        for template in MessageTemplate.objects.all()
    ]
    return render(request, "workflows/messages/list.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require("workflows.add_messagetemplate")
def message_template_new(request: HttpRequest) -> HttpResponse:
    """A new template: one text for everybody to begin with."""
    return _edit(request, MessageTemplate(variants=[{"default": True}]), new=True)


@require_http_methods(["GET", "POST"])
@require("workflows.change_messagetemplate")
def message_template_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a template. Messages of running cases say the new text from their next step on."""
    return _edit(request, get_object_or_404(MessageTemplate, key=key), new=False)


def _edit(request: HttpRequest, template: MessageTemplate, *, new: bool) -> HttpResponse:
    state = _stored(template) if request.method == "GET" else _posted(request.POST, template)
    problems: list[Problem] = []
    if request.method == "POST":
        do = request.POST.get("do", "save")
        moved = row_done(state["variants"], do, "variant", blank=dict(_BLANK))
        if not moved and do == "save":
            if new:
                state["key"] = template_key_unused(key_from(state["name"], kind="template"))
            try:
                saved = message_template_save(_row(state), new=new, actor=request.user)
            except DocumentError as error:
                problems = list(error.problems)
            else:
                messages.success(request, f"{saved} is saved.")
                return redirect("message-template", key=saved.key)
    return _page(request, template, state, problems, new=new)


def _page(
    request: HttpRequest,
    template: MessageTemplate,
    state: dict[str, Any],
    problems: list[Problem],
    *,
    new: bool,
) -> HttpResponse:
    variants = [
        {"row": row, "name": variant_name(row), "faults": _faults(row) if problems else {}}
        for row in state["variants"]
    ]
    # What is wrong inside a text stands at the text; the list at the top leads there.
    general = [item for item in problems if not item.path.endswith(_TEXTS)]
    context = {
        "template": template,
        "new": new,
        "state": state,
        "variants": variants,
        "wrong": bool(problems),
        "problems": [_problem_words(item) for item in general],
        "languages": _with_unknown(state["variants"]),
        "countries": FIELDS["person.country"].choices,
        "placeholders": placeholders(),
        "uses": [] if new else message_template_uses(template.key),
        "person": _asked_person(request),
        "people": PICKS["person"].found("", 20),
        **_preview(request, state["variants"]),
    }
    status = 422 if problems else 200
    return render(request, "workflows/messages/edit.html", context, status=status)


@require_POST
@require("workflows.change_messagetemplate")
def message_template_preview(request: HttpRequest) -> HttpResponse:
    """What the texts on the page would say to a person. Saves nothing."""
    variants = rows_posted(request.POST, "variant", _VARIANT)
    context = _preview(request, variants)
    return render(request, "workflows/messages/preview.html", context)


@require_POST
@require("workflows.delete_messagetemplate")
def message_template_remove(request: HttpRequest, key: str) -> HttpResponse:
    """Take a template away that no workflow sends."""
    found = get_object_or_404(MessageTemplate, key=key)
    try:
        message_template_delete(found, actor=request.user)
    except ValueError as error:
        messages.error(request, str(error))
        return redirect("message-template", key=key)
    messages.success(request, f"{found} is deleted.")
    return redirect("message-templates")


def _preview(request: HttpRequest, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """The message for the person asked for, else for somebody who is there."""
    person = _asked_person(request)
    broken = [
        f"{variant_name(row)}, {_WORDS[name]}: {fault}"
        for row in variants
        for name, faults in _faults(row).items()
        for fault in faults
    ]
    asked = str(request.POST.get("person", "")).strip()
    if person is None or broken:
        return {"shown": None, "broken": broken, "nobody": asked if person is None else ""}
    which = str(request.POST.get("which", ""))
    shown = message_shown(
        [_variant(row) for row in variants],
        person,
        which=int(which) if which.isdecimal() else None,
        hidden=fields_hidden_from(request.user),
        now=clock.now(),
    )
    return {"shown": shown, "broken": [], "shown_to": person}


def _asked_person(request: HttpRequest) -> Person | None:
    asked = str(request.POST.get("person", "")).strip()
    seen = Person.objects.filter(pk__in=people_visible_to(request.user))
    seen = seen.select_related("manager", "team", "legal_entity")
    if asked:
        found = person_by_email(PICKS["person"].key_of(asked))
        return seen.filter(pk=found.pk).first() if found else None
    me = person_of(request.user)
    here = seen.exclude(status=PersonStatus.ENDED).order_by("full_name", "pk")
    return (seen.filter(pk=me.pk).first() if me else None) or here.first()


def _stored(template: MessageTemplate) -> dict[str, Any]:
    rows = [
        {name: str(variant.get(name) or "") for name in _VARIANT}
        | {"default": "yes" if variant.get("default") else ""}
        for variant in template.variants
    ]
    return {"key": template.key, "name": template.name or template.key, "variants": rows}


def _posted(post: Mapping[str, Any], template: MessageTemplate) -> dict[str, Any]:
    return {
        "key": template.key,
        "name": str(post.get("name", "")).strip(),
        "variants": rows_posted(post, "variant", _VARIANT),
    }


def _variant(row: Mapping[str, str]) -> dict[str, Any]:
    """One variant as it is stored: no empty settings."""
    kept = {name: row[name] for name in ("language", "country") if row.get(name)}
    default = {"default": True} if row.get("default") else {}
    return {**kept, **default, "subject": row.get("subject", ""), "body": row.get("body", "")}


def _row(state: Mapping[str, Any]) -> dict[str, Any]:
    if not state["name"]:
        raise DocumentError([Problem("name", "Give the template a name.")])
    for index, row in enumerate(state["variants"]):
        if not row["body"]:
            raise DocumentError([Problem(f"variants[{index}]", "There is no text yet.")])
    return {
        "key": state["key"],
        "name": state["name"],
        "variants": [_variant(row) for row in state["variants"]],
    }


def _faults(row: Mapping[str, Any]) -> dict[str, list[Fault]]:
    """Mistakes in the texts of a variant, by the text's name."""
    found = {name: source_faults(str(row.get(name) or "")) for name in _TEXTS}
    return {name: faults for name, faults in found.items() if faults}


def _problem_words(problem: Problem) -> str:
    start, _, rest = problem.path.partition("[")
    if start == "variants" and rest:
        number = int(rest.partition("]")[0]) + 1
        return f"Text {number}: {problem.message}"
    part = "" if start == "variants" else start.replace("_", " ").capitalize()
    return f"{part}: {problem.message}" if part else problem.message


def _with_unknown(variants: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Every language, with those of the variants that are not known here."""
    known = languages()
    codes = {code for code, _ in known}
    strange = dict.fromkeys(row["language"] for row in variants if row["language"])
    return [*((code, language_name(code)) for code in strange if code not in codes), *known]
