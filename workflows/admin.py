"""Catalogue, policies and templates in the site admin; the ledger beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin

from siit_remote.audit.admin import AuditedAdminMixin
from workflows import ledger_admin as ledger_admin
from workflows.models import ApproverPolicy, MessageTemplate, Service
from workflows.problems import DocumentError
from workflows.workspace.apply import known_now
from workflows.workspace.shape import FORMAT, read_workspace

if TYPE_CHECKING:
    from django.http import HttpRequest

    _Admin = admin.ModelAdmin[Any]
    _Form = forms.ModelForm[Any]
else:
    # At run time Django's classes take no type argument.
    _Admin = admin.ModelAdmin
    _Form = forms.ModelForm


class JudgedForm(_Form):
    """Judged as the row would be in a workspace document, so that there is one set of rules."""

    section: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def clean(self) -> dict[str, Any]:
        """Every problem, beside the input it belongs to."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        row = {name: cleaned[name] for name in self.columns if cleaned[name] not in (None, "")}
        try:
            read_workspace({"format": FORMAT, self.section: [row]}, known_now())
        except DocumentError as error:
            for problem in error.problems:
                place = problem.path.removeprefix(f"{self.section}[0]").lstrip(".")
                field = place.split(".")[0].split("[")[0]
                where = f"{place}: " if place != field else ""
                self.add_error(field if field in self.fields else None, where + problem.message)
        return cleaned


class ServiceForm(JudgedForm):
    """An entry of the catalogue."""

    section = "services"
    columns = ("key", "name", "description", "category", "icon", "fields")


class PolicyForm(JudgedForm):
    """Ordered rules and the baseline."""

    section = "policies"
    columns = ("key", "name", "rules", "baseline")


class TemplateForm(JudgedForm):
    """A message in its languages."""

    section = "templates"
    columns = ("key", "name", "variants")


@admin.register(Service)
class ServiceAdmin(AuditedAdminMixin, _Admin):
    """The catalogue of what can be asked for."""

    form = ServiceForm
    list_display = ["name", "key", "category", "active"]
    list_filter = ["active", "category"]
    search_fields = ["name", "key"]

    def has_delete_permission(self, request: HttpRequest, obj: Service | None = None) -> bool:
        """Requests refer to it: it is taken out of the catalogue instead."""
        return False


@admin.register(ApproverPolicy)
class ApproverPolicyAdmin(AuditedAdminMixin, _Admin):
    """Who is asked: first rule that matches, else the baseline."""

    form = PolicyForm
    list_display = ["key", "name"]
    search_fields = ["key", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleted on its own page, which refuses while a workflow asks by it."""
        return False


@admin.register(MessageTemplate)
class MessageTemplateAdmin(AuditedAdminMixin, _Admin):
    """Texts of messages."""

    form = TemplateForm
    list_display = ["key", "name"]
    search_fields = ["key", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleted on its own page, which refuses while a workflow sends it."""
        return False
