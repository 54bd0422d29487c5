"""Set a person's value by hand, with a reason; see what was set, and take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.fields_override_forms import ChooseFieldForm, OverrideForm
from people.fields_overrides import overrides_of, sources_say
from people.fields_registry import DirectoryField, directory_field, directory_fields
from people.identity import fields_hidden_from
from people.models import FieldOverride, Person
from people.overriding import OverrideError, person_override_remove, person_override_set
from people.selectors import people_visible_to
from siit_remote.access import require
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def _person(request: HttpRequest, pk: int) -> Person:
    return get_object_or_404(people_visible_to(request.user), pk=pk)


def _field(request: HttpRequest, key: str) -> DirectoryField:
    found = directory_field(key)
    if found is None or not found.overridable or key in fields_hidden_from(request.user):
        raise Http404
    return found


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


@require_GET
@require("people.change_fieldoverride")
def person_overrides(request: HttpRequest, pk: int) -> HttpResponse:
    """What was set by hand of one person, and the way to set more."""
    person = _person(request, pk)
    hidden = fields_hidden_from(request.user)
    choices = [
        found for found in directory_fields() if found.overridable and found.key not in hidden
    ]
    if request.GET.get("field"):
        form = ChooseFieldForm(request.GET, fields=choices)
        if form.is_valid():
            return redirect("person-override", pk=pk, field=form.cleaned_data["field"])
    form = ChooseFieldForm(fields=choices)
    context = {"person": person, "overrides": overrides_of(person, hidden=hidden), "form": form}
    return render(request, "people/fields_overrides.html", context)


@require_http_methods(["GET", "POST"])
@require("people.change_fieldoverride", "people.add_fieldoverride")
def person_override(request: HttpRequest, pk: int, field: str) -> HttpResponse:
    """Set one value by hand."""
    person, found = _person(request, pk), _field(request, field)
    existing = FieldOverride.objects.filter(person=person, field=field).first()
    form = OverrideForm(
        request.POST if request.method == "POST" else None,
        field=found,
        person=person,
        present=_present(person, found),
        initial={"reason": existing.reason if existing else ""},
    )
    if request.method == "POST" and form.is_valid() and _set(request, person, found, form):
        messages.success(request, f"{found.label} of {person} is set by hand.")
        return redirect("person-overrides", pk=pk)
    context = {
        "person": person,
        "field": found,
        "form": form,
        "existing": existing,
        "said": sources_say(person, found),
    }
    status = 422 if form.errors else 200
    return render(request, "people/fields_override.html", context, status=status)


def _present(person: Person, found: DirectoryField) -> Any:
    """The value as the form's input takes it."""
    if found.is_custom:
        return person.custom.get(found.key.partition(".")[2])
    if found.key == "manager":
        return person.manager.work_email if person.manager else ""
    value = getattr(person, found.key)
    return value.name if found.key in {"team", "legal_entity"} and value else value


def _set(request: HttpRequest, person: Person, found: DirectoryField, form: OverrideForm) -> bool:
    try:
        person_override_set(
            person,
            field=found.key,
            value=form.cleaned_data["value"],
            reason=form.cleaned_data["reason"],
            now=clock.now(),
            actor=_actor(request),
        )
    except OverrideError as error:
        form.add_error("value", str(error))
        return False
    return True


@require_POST
@require("people.delete_fieldoverride")
def person_override_remove_now(request: HttpRequest, pk: int, field: str) -> HttpResponse:
    """Let the sources speak again."""
    person = _person(request, pk)
    if field in fields_hidden_from(request.user):
        raise Http404
    if person_override_remove(person, field=field, now=clock.now(), actor=_actor(request)):
        messages.success(request, "Taken back: the sources speak again.")
    else:
        messages.info(request, "It was not set by hand any more.")
    return redirect("person-overrides", pk=pk)
