"""Bulk actions of the list of people. Each that changes something asks first, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse

from people.export import csv_lines, export_rows
from people.identity import fields_hidden_from
from people.many import people_override, people_protect
from people.overriding import OverrideError
from people.zones import zones_known
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.often import EXPORTS, not_too_often

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from people.models import Person

_NAMED = 12
"""So many names stand on the page that asks; the rest is a number."""


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=300, help_text="Stands in the activity log, beside your name."
    )


class TimezoneForm(ReasonForm):
    """A zone for all of them, and why."""

    field_order = ("timezone", "reason")
    timezone = forms.ChoiceField(label="Time zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Choose one"), *((name, name) for name in zones_known())]
        self.fields["timezone"].choices = choices  # type: ignore[attr-defined] # a choice field


class PersonActions:
    """Mixed into the list's ModelAdmin."""

    @admin.action(description="Protect from automation…", permissions=["change"])
    def protect(self, request: HttpRequest, queryset: QuerySet[Person]) -> HttpResponse | None:
        """No automation may take anything from them."""
        return self._protect(request, queryset, protected=True)

    @admin.action(description="End the protection…", permissions=["change"])
    def unprotect(self, request: HttpRequest, queryset: QuerySet[Person]) -> HttpResponse | None:
        """Automation may act again."""
        return self._protect(request, queryset, protected=False)

    def _protect(
        self, request: HttpRequest, queryset: QuerySet[Person], *, protected: bool
    ) -> HttpResponse | None:
        def apply(data: dict[str, Any]) -> str:
            changed = people_protect(
                queryset,
                protected=protected,
                reason=data["reason"],
                now=clock.now(),
                actor=request.user,
            )
            return f"{changed} {'person' if changed == 1 else 'people'} changed."

        return confirmed(
            request,
            queryset,
            name="protect" if protected else "unprotect",
            title="Protect from automation" if protected else "End the protection",
            explain="No workflow may take an access or an account from them."
            if protected
            else "Workflows may take accesses and accounts from them again.",
            form_class=ReasonForm,
            apply=apply,
        )

    @admin.action(description="Set the time zone…", permissions=["override"])
    def set_timezone(self, request: HttpRequest, queryset: QuerySet[Person]) -> HttpResponse | None:
        """By hand, for all of them."""

        def apply(data: dict[str, Any]) -> str:
            count = people_override(
                list(queryset),
                field="timezone",
                value=data["timezone"],
                reason=data["reason"],
                now=clock.now(),
                actor=request.user,
            )
            words = "person is" if count == 1 else "people are"
            return f"{count} {words} in {data['timezone']} now."

        return confirmed(
            request,
            queryset,
            name="set_timezone",
            title="Set the time zone",
            explain="Set by hand: it wins over every source until it is removed. Workflows count "
            "their days in it.",
            form_class=TimezoneForm,
            apply=apply,
        )

    def has_override_permission(self, request: HttpRequest) -> bool:
        """Who may add values by hand."""
        return bool(request.user.has_perm("people.add_fieldoverride"))

    @admin.action(description="Export as CSV", permissions=["export"])
    def export_selected(
        self, request: HttpRequest, queryset: QuerySet[Person]
    ) -> StreamingHttpResponse:
        """The selected people as a file."""
        return csv_response(request, queryset, filters="selection")

    def has_export_permission(self, request: HttpRequest) -> bool:
        """A right of its own."""
        return bool(request.user.has_perm("people.export_people"))


def confirmed(
    request: HttpRequest,
    queryset: QuerySet[Person],
    *,
    name: str,
    title: str,
    explain: str,
    form_class: type[forms.Form],
    apply: Callable[[dict[str, Any]], str],
) -> HttpResponse | None:
    """Ask with ``form_class`` first; once it is sent and valid, ``apply`` and go back to the list.

    ``apply`` returns what happened, in words; an :class:`OverrideError` it raises is shown.
    """
    sent = "confirmed" in request.POST
    form = form_class(request.POST if sent else None)
    if sent and form.is_valid():
        try:
            messages.success(request, apply(form.cleaned_data))
        except OverrideError as error:
            form.add_error(None, str(error))
        else:
            return None
    context = {
        **admin.site.each_context(request),
        "title": title,
        "explain": explain,
        "form": form,
        "action": name,
        "people": queryset[:_NAMED],
        "count": queryset.count(),
        "more": max(queryset.count() - _NAMED, 0),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/people/person/confirm_action.html", context)


@not_too_often(EXPORTS)
def csv_response(
    request: HttpRequest, people: QuerySet[Person], *, filters: str
) -> StreamingHttpResponse:
    """A file of ``people``, written down in the activity log before the first line is sent."""
    if not request.user.has_perm("people.export_people"):
        raise PermissionDenied
    hidden = fields_hidden_from(request.user)
    record(
        "person.exported",
        actor=request.user,
        object_type="person",
        object_label="People list",
        detail={"people": people.count(), "filters": filters[:500], "left_out": sorted(hidden)},
    )
    lines = csv_lines(export_rows(people, hidden=hidden), hidden=hidden)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"people-{clock.now():%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
