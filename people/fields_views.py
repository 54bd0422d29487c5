"""Settings → People → Fields: the source of truth and the visibility of every field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.fields_forms import FieldForm, SourcesForm
from people.fields_pages import ChangeWords, disagreements, field_groups, terms_changes
from people.fields_policy import (
    Preview,
    ProposalStaleError,
    Terms,
    proposal_apply,
    proposal_create,
    proposal_preview,
    proposal_renew,
    terms_now,
)
from people.fields_registry import directory_field, directory_fields
from people.fields_stats import competing_values, fields_coverage
from people.identity import PRIVATE_FIELDS, fields_hidden_from
from people.models import FieldProposal
from people.sources import source_names, sources_connected
from siit_remote.access import require
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_PAGE = 50


@require_http_methods(["GET", "POST"])
@require("people.view_fieldpolicy", "people.change_fieldpolicy")
def fields(request: HttpRequest) -> HttpResponse:
    """A row per field; a changed choice leads to the preview."""
    found, sources, terms = directory_fields(), sources_connected(), terms_now()
    form = SourcesForm(
        request.POST if request.method == "POST" else None,
        fields=found,
        sources=sources,
        terms=terms,
    )
    if request.method == "POST" and form.is_valid():
        return _propose(request, form.wanted(), back="fields")
    groups = field_groups(
        found,
        form=form,
        sources=sources,
        terms=terms,
        coverage=fields_coverage(found),
        competing=competing_values(found),
    )
    context = {"groups": groups, "sources": sources, "form": form}
    return render(request, "people/fields.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@require("people.view_fieldpolicy", "people.change_fieldpolicy")
def field(request: HttpRequest, key: str) -> HttpResponse:
    """One field: the whole order of its sources, who may see it, whose sources disagree."""
    found = directory_field(key)
    if found is None:
        raise Http404
    sources = sources_connected()
    form = FieldForm(
        request.POST if request.method == "POST" else None,
        field=found,
        sources=sources,
        terms=terms_now().get(key, Terms()),
    )
    if request.method == "POST" and form.is_valid():
        return _propose(request, {key: form.terms()}, back="field", key=key)
    hidden = key in fields_hidden_from(request.user)
    competing = competing_values([found]).get(key, [])
    page = Paginator(competing, _PAGE).get_page(request.GET.get("page"))
    context = {
        "field": found,
        "form": form,
        "sources": sources,
        "coverage": fields_coverage([found])[key],
        "page": page,
        "rows": [] if hidden else disagreements(found, page.object_list, names=source_names()),
        "is_hidden": hidden,
        "is_private": key in PRIVATE_FIELDS,
    }
    return render(request, "people/fields_field.html", context, status=422 if form.errors else 200)


def _propose(
    request: HttpRequest, wanted: dict[str, Terms], *, back: str, **kwargs: str
) -> HttpResponse:
    proposal = proposal_create(wanted, now=clock.now(), actor=_actor(request))
    if proposal is None:
        messages.info(request, "Nothing was changed.")
        return redirect(reverse(back, kwargs=kwargs))
    return redirect("fields-proposal", pk=proposal.pk)


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


def _open_proposal(pk: int) -> FieldProposal:
    return get_object_or_404(FieldProposal, pk=pk, applied_at=None)


@require_GET
@require("people.change_fieldpolicy", "people.view_person")
def proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What would change, with names and values, before anything does."""
    found = _open_proposal(pk)
    return _preview_page(request, found, proposal_preview(found, now=clock.now()))


def _preview_page(
    request: HttpRequest,
    found: FieldProposal,
    preview: Preview,
    *,
    refused: bool = False,
    moved: tuple[str, ...] = (),
) -> HttpResponse:
    sources, used = sources_connected(), directory_fields()
    words = ChangeWords(
        used,
        hidden=fields_hidden_from(request.user),
        sources=source_names(),
        differing=preview.differing,
    )
    page = Paginator(preview.changing, _PAGE).get_page(request.GET.get("page"))
    labels = {one.key: one.label for one in used}
    context: dict[str, Any] = {
        "proposal": found,
        "preview": preview,
        "page": page,
        "people": [words.person(plan) for plan in page.object_list],
        "terms": terms_changes(found.before, found.changes, sources),
        "locks_out": _locks_out(request, found),
        "refused": refused,
        "moved": [labels.get(name, name) for name in moved],
    }
    return render(request, "people/fields_preview.html", context, status=409 if refused else 200)


def _locks_out(request: HttpRequest, found: FieldProposal) -> bool:
    """Whether the reader would no longer see a field they propose to change."""
    user: Any = request.user
    if user.is_superuser:
        return False
    roles = set(user.groups.values_list("name", flat=True))
    return any(
        data["visible_to"] and not roles & set(data["visible_to"])
        for data in found.changes.values()
    )


@require_POST
@require("people.change_fieldpolicy", "people.view_person")
def proposal_apply_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply exactly what was shown, or say what differs."""
    found = _open_proposal(pk)
    try:
        result = proposal_apply(found, now=clock.now(), actor=_actor(request))
    except ProposalStaleError as stale:
        return _preview_page(request, found, stale.preview, refused=True, moved=stale.fields)
    except FieldProposal.DoesNotExist as error:
        raise Http404 from error  # somebody applied or discarded it just now
    people = "1 person" if result.updated == 1 else f"{result.updated} people"
    messages.success(request, f"Saved. {people} changed.")
    return redirect("fields")


@require_POST
@require("people.change_fieldpolicy", "people.view_person")
def proposal_show_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the preview anew: from now on it is what counts."""
    proposal_renew(_open_proposal(pk), now=clock.now())
    return redirect("fields-proposal", pk=pk)


@require_POST
@require("people.change_fieldpolicy", "people.view_person")
def proposal_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Change nothing after all."""
    _open_proposal(pk).delete()
    messages.info(request, "Nothing was changed.")
    return redirect("fields")
