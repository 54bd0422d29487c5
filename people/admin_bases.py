"""Kinds of pages of the directory in the site admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple

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


class _NumbersOnly:
    """Draws a form again whatever was sent: Django looks each value up, and fails at a word."""

    def optgroups(self, name: str, value: list[str], attr: Any = None) -> Any:
        """Those of the values that can be the number of a row."""
        numbers = [text for text in map(str, value) if text.isascii() and text.isdigit()]
        known = [text for text in numbers if len(text) < 19]
        return super().optgroups(name, known, attr)  # type: ignore[misc] # mixed into a widget


class _Select(_NumbersOnly, AutocompleteSelect):  # type: ignore[misc] # a mixin has no base
    pass


class _SelectMultiple(_NumbersOnly, AutocompleteSelectMultiple):  # type: ignore[misc] # as above
    pass


class PickingAdmin(PlainAdmin):
    """Pages where rows are chosen by searching (``autocomplete_fields``)."""

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """With a search that takes any input."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", _Select(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """With a search that takes any input."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", _SelectMultiple(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


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


class ResolvingAdmin(AuditedAdminMixin, PickingAdmin):
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
