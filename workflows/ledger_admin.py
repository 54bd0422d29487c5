"""The ledger in the site admin: what the engine wrote, row by row, read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from people.admin_bases import ReadOnlyAdmin
from people.identity import fields_hidden_from
from workflows.category_rights import rights_of
from workflows.models import (
    Absence,
    Approval,
    Attempt,
    CalendarFeed,
    Callback,
    CategoryRights,
    ChatMessage,
    Delegation,
    DraftState,
    ForecastSnapshot,
    Hold,
    Installation,
    RecoveryHold,
    Refusal,
    Request,
    RequestNote,
    Run,
    Shipment,
    ShipmentEvent,
    StepRun,
    Task,
    TaskNote,
    Workflow,
    WorkflowVersion,
)

if TYPE_CHECKING:
    from django.http import HttpRequest


class LedgerAdmin(ReadOnlyAdmin):
    """What the engine wrote: read here, changed only by its services."""

    facts: ClassVar[tuple[str, ...]] = ()
    """Columns that may hold any fact about a person: for whom no field is hidden."""

    category: ClassVar[str] = ""
    """The way to the category whose right to view decides; empty: none does."""

    trigger: ClassVar[str] = ""
    """The way to the trigger of a run that may tell a hidden date."""

    def get_queryset(self, request: HttpRequest) -> Any:
        """Only what belongs to workflows that the account may see."""
        rows = super().get_queryset(request)
        if not self.category:
            return rows
        return rights_of(request.user).open(
            "view", rows, column=self.category, trigger=self.trigger
        )

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Facts stay out where the account may not see every field; the run's page veils them."""
        always = list(self.exclude or ())
        return [*always, *self.facts] if fields_hidden_from(request.user) else always


@admin.register(Workflow)
class WorkflowAdmin(LedgerAdmin):
    """Workflows as rows; they are changed on their own pages."""

    category = "category"
    list_display = ["name", "key", "status", "live_version"]
    list_filter = ["status"]
    list_select_related = ["live_version"]
    search_fields = ["name", "key"]


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(LedgerAdmin):
    """What was published, and by whom."""

    category = "workflow__category"
    list_display = ["workflow", "number", "published_at", "published_by"]
    search_fields = ["workflow__name", "workflow__key"]
    list_filter = ["workflow"]
    list_select_related = ["workflow", "published_by"]


@admin.register(DraftState)
class DraftStateAdmin(LedgerAdmin):
    """Steps back and forward of drafts."""

    category = "workflow__category"
    list_display = ["workflow", "number", "what", "saved_at", "saved_by"]
    search_fields = ["workflow__name", "what"]
    list_filter = ["workflow"]
    list_select_related = ["workflow", "saved_by"]


@admin.register(Run)
class RunAdmin(LedgerAdmin):
    """Runs as rows."""

    category = "workflow__category"
    trigger = "trigger"
    list_display = ["pk", "workflow", "person", "status", "due_at", "finished_at"]
    list_filter = ["status", "workflow"]
    list_select_related = ["workflow", "person"]
    search_fields = ["person__full_name", "person__work_email", "workflow__name"]
    facts = ("snapshot", "trace", "change", "reason", "anchor", "moved_to")


@admin.register(StepRun)
class StepRunAdmin(LedgerAdmin):
    """Steps of runs."""

    category = "run__workflow__category"
    trigger = "run__trigger"
    list_display = ["run", "key", "action", "status", "attempts", "finished_at"]
    search_fields = ["run__person__full_name", "run__person__work_email", "key"]
    list_filter = ["status", "action"]
    list_select_related = ["run"]
    facts = ("outcome", "reason", "error")


@admin.register(Callback)
class CallbackAdmin(LedgerAdmin):
    """Calls that endpoints were asked to make when they are done."""

    list_display = ["step", "connection", "state", "sent_at", "expires_at", "answered_at"]
    search_fields = ["connection", "step__run__person__full_name"]
    list_filter = ["state"]
    list_select_related = ["step"]
    exclude = ["token_hash", "message_id_hash"]


@admin.register(Attempt)
class AttemptAdmin(LedgerAdmin):
    """Every try of a step; appended, never replaced."""

    category = "step__run__workflow__category"
    trigger = "step__run__trigger"
    list_display = ["step", "number", "phase", "started_at", "outcome"]
    search_fields = ["step__run__person__full_name", "step__run__person__work_email"]
    list_filter = ["phase", "outcome"]
    list_select_related = ["step"]
    facts = ("detail", "error")


@admin.register(Hold)
class HoldAdmin(LedgerAdmin):
    """What was stopped before its first effect, and who decided."""

    category = "workflow__category"
    trigger = "runs__trigger"
    list_display = ["workflow", "kind", "people", "status", "created_at", "decided_at"]
    search_fields = ["workflow__name"]
    list_filter = ["kind", "status", "workflow"]
    list_select_related = ["workflow"]


@admin.register(Refusal)
class RefusalAdmin(LedgerAdmin):
    """Who was due and did not get a run."""

    category = "workflow__category"
    trigger = "version__document__trigger__type"
    list_display = ["workflow", "person", "verdict", "due_at", "noted_at"]
    list_filter = ["verdict", "workflow"]
    list_select_related = ["workflow", "person"]
    search_fields = ["person__search_text"]
    facts = ("anchor", "reason")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Where the version is gone, what the workflow starts on now decides instead."""
        telling = rights_of(request.user).telling()
        rows = super().get_queryset(request)
        gone = Refusal.objects.filter(version=None, workflow__draft__trigger__type__in=telling)
        return rows.exclude(pk__in=gone.values("pk"))


@admin.register(Approval)
class ApprovalAdmin(LedgerAdmin):
    """Approvals as rows."""

    list_display = ["title", "subject", "approver", "status", "asked_at", "decided_at"]
    list_filter = ["status"]
    list_select_related = ["subject", "approver"]
    search_fields = ["title", "subject__full_name", "approver__full_name"]
    facts = ("summary", "why_asked")


@admin.register(ChatMessage)
class ChatMessageAdmin(LedgerAdmin):
    """Where in a chat a question stands."""

    list_display = ["approval", "person", "connection", "shown", "posted_at"]
    search_fields = ["person__full_name", "person__work_email"]
    list_filter = ["connection"]
    list_select_related = ["approval", "person", "connection"]


@admin.register(Delegation)
class DelegationAdmin(LedgerAdmin):
    """Who decides for whom; made and ended on the page While away, by its rules."""

    list_display = ["approver", "delegate", "kind", "starts_on", "ends_on", "ended_at"]
    list_filter = ["kind", "starts_on"]
    list_select_related = ["approver", "delegate"]
    search_fields = ["approver__full_name", "approver__work_email", "delegate__full_name"]


@admin.register(Absence)
class AbsenceAdmin(LedgerAdmin):
    """When somebody is away, and approvals go to another."""

    list_display = ["person", "starts_on", "ends_on", "made_by_label", "ended_at"]
    list_filter = ["starts_on"]
    list_select_related = ["person"]
    search_fields = ["person__search_text"]


@admin.register(Request)
class RequestAdmin(LedgerAdmin):
    """Requests as rows."""

    list_display = ["pk", "service", "requester", "status", "created_at"]
    list_filter = ["status", "service"]
    list_select_related = ["service", "requester"]
    search_fields = ["requester__full_name", "requester__work_email"]


@admin.register(RequestNote)
class RequestNoteAdmin(LedgerAdmin):
    """What was said and done about requests."""

    list_display = ["request", "kind", "at"]
    search_fields = ["request__requester__full_name", "request__service__name"]
    list_filter = ["kind"]
    list_select_related = ["request"]


@admin.register(Task)
class TaskAdmin(LedgerAdmin):
    """Tasks as rows."""

    list_display = ["title", "subject", "role", "assignee", "status", "due_on"]
    list_filter = ["status", "role"]
    list_select_related = ["subject", "role", "assignee"]
    search_fields = ["title", "subject__full_name"]


@admin.register(TaskNote)
class TaskNoteAdmin(LedgerAdmin):
    """What is said and what happened under tasks."""

    list_display = ["task", "comment", "author", "at"]
    search_fields = ["task__title", "author__full_name"]
    list_filter = ["at"]
    list_select_related = ["task", "author"]


@admin.register(Shipment)
class ShipmentAdmin(LedgerAdmin):
    """Equipment on its way; addresses and links stay out."""

    list_display = ["bundle_name", "person", "state", "state_at", "tracking"]
    list_filter = ["state", "bundle_key"]
    list_select_related = ["person"]
    search_fields = ["person__full_name", "person__work_email", "tracking"]
    exclude = ["address_token", "link_nonce"]


@admin.register(ShipmentEvent)
class ShipmentEventAdmin(LedgerAdmin):
    """What happened to shipments."""

    list_display = ["shipment", "state", "by_label", "at"]
    search_fields = ["shipment__person__full_name", "shipment__bundle_name"]
    list_filter = ["state"]
    list_select_related = ["shipment__person"]


@admin.register(ForecastSnapshot)
class ForecastSnapshotAdmin(LedgerAdmin):
    """Of which days a forecast is kept, to tell what changed since."""

    list_display = ["day", "taken_at"]
    exclude = ["packed"]


@admin.register(CalendarFeed)
class CalendarFeedAdmin(LedgerAdmin):
    """Who reads the forecast in a calendar; the address itself is kept nowhere."""

    list_display = ["user", "created_at", "last_read_at"]
    search_fields = ["user__username", "user__email"]
    list_select_related = ["user"]
    exclude = ["token_hash"]


@admin.register(CategoryRights)
class CategoryRightsAdmin(LedgerAdmin):
    """Who may do what with a category's workflows; changed on the page Categories alone."""

    list_display = ["__str__", "rights"]


@admin.register(Installation)
class InstallationAdmin(LedgerAdmin):
    """How far this database has come; its witness outside says whether it was put back."""

    list_display = ["identity", "position", "seen_at"]


@admin.register(RecoveryHold)
class RecoveryHoldAdmin(LedgerAdmin):
    """Restored backups; begun and ended on the page Restored backup alone."""

    list_display = ["opened_at", "stands_at", "worked_until", "closed_at", "closed_by"]
    search_fields = ["reason", "closing_reason"]
    list_select_related = ["closed_by"]
