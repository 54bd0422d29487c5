"""The audit log in the site admin (read only), and admin pages that write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from siit_remote.audit.models import AuditEntry
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    _EntryAdmin = admin.ModelAdmin[AuditEntry]
else:
    # At run time Django's class takes no type argument.
    _EntryAdmin = admin.ModelAdmin


class AuditedAdminMixin:
    """Writes what is added, changed or deleted in the site admin to the audit log.

    Names of changed fields are recorded, their values are not: they may be personal.
    """

    def _note(self, request: HttpRequest, obj: Model, verb: str, detail: dict[str, Any]) -> None:
        record(
            "admin.changed",
            actor=request.user,
            object_type=obj._meta.label_lower,
            object_key=str(obj.pk),
            detail={"verb": verb, **detail},
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, then note."""
        super().save_model(request, obj, form, change)  # type: ignore[misc] # mixed into ModelAdmin
        self._note(
            request, obj, "changed" if change else "added", {"fields": sorted(form.changed_data)}
        )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Note, then delete: afterwards the key is gone."""
        self._note(request, obj, "deleted", {})
        super().delete_model(request, obj)  # type: ignore[misc] # mixed into ModelAdmin

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Note each, then delete."""
        for obj in queryset:
            self._note(request, obj, "deleted", {})
        super().delete_queryset(request, queryset)  # type: ignore[misc] # mixed into ModelAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(_EntryAdmin):
    """Nobody adds, changes or deletes here."""

    list_display = ["at", "actor_label", "action", "object_type", "object_label"]
    list_filter = ["action"]
    search_fields = ["actor_label", "object_key", "object_label", "correlation"]
    list_select_related = True
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Entries are written by services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Append-only."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Append-only."""
        return False
