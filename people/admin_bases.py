"""Kinds of pages of the directory in the site admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages

from people.identity import fields_hidden_from
from people.services import people_resolve_all
from siit_remote.audit.admin import AuditedAdminMixin
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.http import HttpRequest

    PlainAdmin = admin.ModelAdmin[Any]
else:
    # At run time Django's class takes no type argument.
    PlainAdmin = admin.ModelAdmin


class ReadOnlyAdmin(PlainAdmin):
    """Rows that services write: looked at, never touched."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Written by services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Written by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """History stays."""
        return False


class ResolvingAdmin(AuditedAdminMixin, PlainAdmin):
    """Settings that decide about values: after a change everybody is resolved again."""

    def _resolve(self, request: HttpRequest) -> None:
        now = clock.now()
        result = people_resolve_all(now=now, correlation=f"admin:{now.isoformat()}"[:64])
        if result.changed_anything:
            words = f"{result.updated} people changed, {result.created} came in."
            self.message_user(request, words, messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, note, resolve."""
        super().save_model(request, obj, form, change)
        if form.changed_data:
            self._resolve(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Note, delete, resolve."""
        super().delete_model(request, obj)
        self._resolve(request)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Note, delete, resolve."""
        super().delete_queryset(request, queryset)
        self._resolve(request)


class HiddenFieldsMixin:
    """Rows about fields that the account may not see do not exist for it."""

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without them."""
        rows: Any = super().get_queryset(request)  # type: ignore[misc] # mixed into ModelAdmin
        return rows.exclude(field__in=fields_hidden_from(request.user))
