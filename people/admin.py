"""The directory in the site admin: what is synced is read, what is configured is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from people.admin_bases import (
    HiddenFieldsMixin,
    PickingAdmin,
    PlainAdmin,
    ReadOnlyAdmin,
    ResolvingAdmin,
)
from people.admin_forms import FieldOverrideForm, LegalEntityForm, WorkspaceForm
from people.identity import fields_hidden_from
from people.limits import limits_changed, limits_of
from people.models import (
    CustomField,
    EmploymentType,
    FieldOverride,
    FieldPolicy,
    FieldProposal,
    LegalEntity,
    LifecycleEvent,
    ListColumns,
    PersonAlias,
    PersonChange,
    PersonMerge,
    Role,
    SavedView,
    SourceRecord,
    Team,
    WorkerTypeMapping,
    Workspace,
)
from people.overriding import person_override_remove, person_override_set
from people.person_admin import PersonAdmin
from siit_remote.audit.admin import AuditedAdminMixin
from siit_remote.lib import clock

__all__ = ["PersonAdmin"]

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(FieldOverride)
class FieldOverrideAdmin(PickingAdmin):
    """Values set by hand."""

    form = FieldOverrideForm
    list_display = ["person", "field", "value", "reason", "set_by", "set_at"]
    list_filter = ["field"]
    list_select_related = ["person", "set_by"]
    search_fields = ["person__search_text", "reason"]
    autocomplete_fields = ["person"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without overrides of fields that the account may not see."""
        return super().get_queryset(request).exclude(field__in=fields_hidden_from(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Whose and which stays; for another, add another."""
        return ["person"] if obj is not None else []

    def save_model(self, request: HttpRequest, obj: FieldOverride, form: Any, change: bool) -> None:
        """Through the service, which audits and resolves."""
        person_override_set(
            obj.person,
            field=obj.field,
            value=obj.value,
            reason=obj.reason,
            now=clock.now(),
            actor=request.user,
        )
        obj.pk = FieldOverride.objects.get(person=obj.person, field=obj.field).pk

    def delete_model(self, request: HttpRequest, obj: FieldOverride) -> None:
        """Through the service."""
        person_override_remove(obj.person, field=obj.field, now=clock.now(), actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Through the service, one by one."""
        for override in queryset.select_related("person"):
            self.delete_model(request, override)


@admin.register(FieldPolicy)
class FieldPolicyAdmin(ReadOnlyAdmin):
    """Source of truth and visibility, field by field; changed where a preview comes first."""

    list_display = ["field", "sources", "visible_to", "change"]
    search_fields = ["field"]
    readonly_fields = ["change"]

    @admin.display(description="Change it")
    def change(self, row: FieldPolicy) -> str:
        """The page that shows whom a change concerns before it is made."""
        address = reverse("field", args=[row.field])
        return format_html('<a href="{}">In Settings → People → Fields</a>', address)


@admin.register(FieldProposal)
class FieldProposalAdmin(ReadOnlyAdmin):
    """Changes of fields that somebody looked at."""

    list_display = ["created_at", "created_by", "changes", "applied_at"]
    list_select_related = ["created_by"]


@admin.register(CustomField)
class CustomFieldAdmin(ReadOnlyAdmin):
    """Fields beyond the built-in ones."""

    list_display = ["label", "key", "type", "source", "enabled", "missing_since"]
    list_filter = ["type", "source", "enabled"]
    search_fields = ["label", "key"]


@admin.register(WorkerTypeMapping)
class WorkerTypeMappingAdmin(ReadOnlyAdmin):
    """Worker Type → Employment Type; changed on a connection's page, after a preview."""

    list_display = ["worker_type", "employment_type"]
    list_select_related = ["employment_type"]


@admin.register(EmploymentType)
class EmploymentTypeAdmin(AuditedAdminMixin, PlainAdmin):
    """Employee, Contractor, Intern …; the key is what workflows compare with."""

    list_display = ["name", "key"]
    search_fields = ["name", "key"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """A key in use stays."""
        return ["key"] if obj is not None else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """The key of a new one follows its name."""
        return {} if obj is not None else {"key": ("name",)}


@admin.register(LegalEntity)
class LegalEntityAdmin(ResolvingAdmin):
    """Companies that people are engaged by, their zone and their lead."""

    form = LegalEntityForm
    list_display = ["name", "country", "timezone", "language", "lead"]
    list_filter = ["country"]
    list_select_related = ["lead"]
    search_fields = ["name", "external_id"]
    autocomplete_fields = ["lead"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Name and id of a synced one come from its source."""
        return ["name", "external_id"] if obj is not None and obj.external_id else []


@admin.register(Team)
class TeamAdmin(AuditedAdminMixin, PlainAdmin):
    """Departments as the source names them."""

    list_display = ["name"]
    search_fields = ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The next sync would bring the old name back as another team."""
        return ["name"] if obj is not None else []


@admin.register(Role)
class RoleAdmin(AuditedAdminMixin, PickingAdmin):
    """Circles of people that tasks and approvals can go to."""

    list_display = ["name", "lead"]
    list_select_related = ["lead"]
    search_fields = ["name"]
    autocomplete_fields = ["lead", "members"]


@admin.register(Workspace)
class WorkspaceAdmin(ResolvingAdmin):
    """The one row of settings."""

    form = WorkspaceForm
    list_display = ["name", "timezone", "sync_every_hours", "sync_limit_people"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Limits changed here are recorded as anywhere else."""
        before = limits_of(Workspace.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)
        limits_changed(before, obj, actor=request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """And it stays."""
        return False


@admin.register(PersonAlias)
class PersonAliasAdmin(ResolvingAdmin):
    """Former work e-mails. One may be removed, to let its new owner in at once."""

    list_display = ["email", "person", "since"]
    list_select_related = ["person"]
    search_fields = ["email", "person__search_text"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Remembered by the sync."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Remembered by the sync."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change people."""
        return bool(request.user.has_perm("people.change_person"))


@admin.register(SourceRecord)
class SourceRecordAdmin(ReadOnlyAdmin):
    """What each source last said."""

    list_display = ["source", "external_id", "person", "is_primary", "is_live", "changed_at"]
    list_filter = ["source", "is_primary", "is_live", ("missing_since", admin.EmptyFieldListFilter)]
    list_select_related = ["person"]
    search_fields = ["external_id", "person__search_text"]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What the source sent needs a right of its own."""
        return [] if request.user.has_perm("people.view_raw_payload") else ["values"]


@admin.register(PersonChange)
class PersonChangeAdmin(HiddenFieldsMixin, ReadOnlyAdmin):
    """What changed, and where it came from."""

    list_display = ["at", "person", "field", "before", "after", "source"]
    list_filter = ["field", "source"]
    list_select_related = ["person"]
    search_fields = ["person__search_text", "correlation"]


@admin.register(LifecycleEvent)
class LifecycleEventAdmin(HiddenFieldsMixin, ReadOnlyAdmin):
    """The outbox."""

    list_display = ["at", "kind", "person", "field", "baseline", "consumed_at"]
    list_filter = ["kind", "field", "baseline", ("consumed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["person"]
    search_fields = ["person__search_text"]


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    """Tabs over the list of people; made and changed there."""

    list_display = ["name", "owner", "shared", "created_at"]
    list_filter = ["shared"]
    list_select_related = ["owner"]
    search_fields = ["name"]


@admin.register(ListColumns)
class ListColumnsAdmin(ReadOnlyAdmin):
    """Columns that accounts chose for the list of people."""

    list_display = ["user", "columns"]
    list_select_related = ["user"]


@admin.register(PersonMerge)
class PersonMergeAdmin(ReadOnlyAdmin):
    """People who were merged by hand; taken back on the person's page."""

    list_display = ["absorbed_name", "absorbed_email", "kept", "reason", "done_by", "done_at"]
    list_select_related = ["kept", "done_by"]
    search_fields = ["absorbed_email", "absorbed_name", "kept__search_text"]
    exclude = ["absorbed", "moved"]
