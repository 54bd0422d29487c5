"""Custom fields under Settings: own ones, and those of a source taken into use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.fields_custom import (
    READ_TASK,
    CustomFieldError,
    custom_field_change,
    custom_field_create,
    custom_field_use_set,
)
from people.fields_custom_forms import CustomFieldForm
from people.models import CustomField
from people.sources import reading_words, sources_connected
from siit_remote.access import require
from siit_remote.lib import clock
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


@require_GET
@require("people.view_customfield")
def custom_fields(request: HttpRequest) -> HttpResponse:
    """Every definition: the workspace's own, then source by source."""
    rows = list(CustomField.objects.all())
    known = {info.key: info.name for info in sources_connected()}
    keys = dict.fromkeys([*known, *(row.source for row in rows if row.source)])
    sources = [
        {
            "name": known.get(key, key),
            "fields": [row for row in rows if row.source == key],
            "reading": reading_words(key),
        }
        for key in keys
    ]
    context = {
        "own": [row for row in rows if not row.source],
        "sources": [source for source in sources if source["fields"]],
        "has_sources": bool(known),
    }
    return render(request, "people/fields_custom.html", context)


@require_http_methods(["GET", "POST"])
@require("people.add_customfield")
def custom_field_new(request: HttpRequest) -> HttpResponse:
    """Make an own field."""
    form = CustomFieldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            row = custom_field_create(
                label=form.cleaned_data["label"],
                type=form.cleaned_data["type"],
                options=form.lines(),
                now=clock.now(),
                actor=_actor(request),
            )
        except CustomFieldError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{row} can be set on each person's page.")
            return redirect("custom-fields")
    return _form_page(request, form, None)


@require_http_methods(["GET", "POST"])
@require("people.change_customfield")
def custom_field(request: HttpRequest, key: str) -> HttpResponse:
    """Change an own field."""
    row = get_object_or_404(CustomField, key=key, source="")
    form = CustomFieldForm(request.POST if request.method == "POST" else None, known=row)
    if request.method == "POST" and form.is_valid():
        try:
            custom_field_change(
                row, label=form.cleaned_data["label"], options=form.lines(), actor=_actor(request)
            )
        except CustomFieldError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{row} is saved.")
            return redirect("custom-fields")
    return _form_page(request, form, row)


def _form_page(
    request: HttpRequest, form: CustomFieldForm, row: CustomField | None
) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(
        request, "people/fields_custom_field.html", {"form": form, "row": row}, status=status
    )


@require_POST
@require("people.change_customfield")
def custom_field_use(request: HttpRequest, key: str) -> HttpResponse:
    """Take a field into use or out of it, as the pressed button says."""
    row = get_object_or_404(CustomField, key=key)
    enabled = request.POST.get("use") == "yes"
    if custom_field_use_set(row, enabled=enabled, now=clock.now(), actor=_actor(request)):
        words = "is in use" if enabled else "is no longer in use"
        messages.success(request, f"{row} {words}.")
    return redirect("custom-fields")


@require_POST
@require("people.change_customfield")
def custom_fields_look(request: HttpRequest) -> HttpResponse:
    """Ask the sources now, in the background."""
    ring(READ_TASK)
    messages.info(request, "The sources are being asked; reload in a moment.")
    return redirect("custom-fields")
