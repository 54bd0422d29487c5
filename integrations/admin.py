"""Connections, applications and their records in the site admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages

from integrations.connectors.base import CONNECTORS, Connector, Setting
from integrations.errors import ConfigError
from integrations.models import (
    AccessEvent,
    AccessReading,
    Account,
    AppAccess,
    Application,
    Bundle,
    Circuit,
    Connection,
    CustomReading,
    CustomValues,
    Delivery,
    Incident,
    MailEvent,
    ReportedAccess,
    SyncRun,
    WebhookReceipt,
    WebhookSubscription,
)
from integrations.services import (
    connection_disconnect,
    connection_save,
    connection_test,
    settings_checked,
)
from people.admin_bases import ReadOnlyAdmin
from siit_remote.audit.admin import AuditedAdminMixin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    _Admin = admin.ModelAdmin[Any]
    _Form = forms.ModelForm[Connection]
else:
    # At run time Django's classes take no type argument.
    _Admin = admin.ModelAdmin
    _Form = forms.ModelForm

_PREFIX = "setting_"


def _field(setting: Setting) -> forms.Field:
    if setting.choices:
        choices = [("", f"Default ({setting.default})"), *((one, one) for one in setting.choices)]
        return forms.ChoiceField(label=setting.label, choices=choices, required=False)
    if setting.secret:
        return forms.CharField(
            label=setting.label,
            required=False,
            help_text="Write-only. Leave it empty to keep the one that is stored.",
            widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        )
    return forms.CharField(label=setting.label, help_text=setting.help, required=False)


class ConnectionAdminForm(_Form):
    """Name and settings of one connection; everything is checked and saved by the service."""

    class Meta:
        model = Connection
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            if name.startswith(_PREFIX):
                self.fields[name].initial = self.instance.config.get(name.removeprefix(_PREFIX), "")

    def values(self, *, secret: bool) -> dict[str, str]:
        """What was entered for settings, or for secrets."""
        connector = CONNECTORS.get(self.instance.connector)
        return {
            setting.name: self.cleaned_data.get(f"{_PREFIX}{setting.name}", "")
            for setting in (connector.settings if connector else ())
            if setting.secret is secret
        }

    def clean(self) -> dict[str, Any]:
        """Let the service judge the whole."""
        cleaned = super().clean() or self.cleaned_data
        try:
            settings_checked(
                self.instance, config=self.values(secret=False), secrets=self.values(secret=True)
            )
        except ConfigError as error:
            raise forms.ValidationError(error.message) from error
        return cleaned


@admin.register(Connection)
class ConnectionAdmin(_Admin):
    """Change and test here; connecting something new begins on the Integrations page."""

    form = ConnectionAdminForm
    list_display = ["name", "key", "connector", "status", "last_ok_at"]
    list_filter = ["status", "connector"]
    search_fields = ["name", "key"]
    readonly_fields = [
        "key",
        "connector",
        "status",
        "account",
        "capabilities",
        "last_error",
        "last_ok_at",
        "finished_at",
        "created_at",
    ]
    actions = ["test_now", "disconnect"]

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """One field for each setting the connector declares."""
        connector = CONNECTORS.get(obj.connector) if obj else None
        kwargs["form"] = type(
            "ConnectionForm",
            (ConnectionAdminForm,),
            {
                f"{_PREFIX}{setting.name}": _field(setting)
                for setting in (connector.settings if connector else ())
            },
        )
        kwargs["fields"] = ["name"]
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Settings by their declaration, then what the last test found."""
        connector: Connector | None = CONNECTORS.get(obj.connector) if obj else None
        names = [f"{_PREFIX}{one.name}" for one in (connector.settings if connector else ())]
        return [
            (None, {"fields": ["name", "key", "connector", "status", "last_error"]}),
            ("Settings", {"fields": names}),
            (
                "Found by the last test",
                {"fields": ["account", "capabilities", "last_ok_at", "finished_at", "created_at"]},
            ),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Connecting starts from the catalogue, which knows what each system asks for."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Disconnect instead: history, accounts and applications refer to it."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save through the service and test."""
        saved = connection_save(
            key=obj.key,
            connector=obj.connector,
            config=form.values(secret=False),
            secrets=form.values(secret=True),
            name=obj.name,
            actor=request.user,
        )
        self._say(request, saved, connection_test(saved, actor=request.user).problems)

    def _say(self, request: HttpRequest, row: Connection, problems: tuple[str, ...]) -> None:
        works = row.status != Connection.Status.NEEDS_ATTENTION
        level = messages.SUCCESS if works else messages.ERROR
        self.message_user(request, f"{row.name}: {row.get_status_display()}.", level)
        for problem in problems:
            self.message_user(request, problem, messages.WARNING)

    @admin.action(description="Test the connection", permissions=["change"])
    def test_now(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        """Test each selected one."""
        for row in queryset:
            self._say(request, row, connection_test(row, actor=request.user).problems)

    @admin.action(description="Disconnect and forget the secrets", permissions=["change"])
    def disconnect(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        """Disconnect each selected one."""
        for row in queryset:
            connection_disconnect(row, actor=request.user)
            self.message_user(request, f"{row.name} is disconnected.", messages.SUCCESS)


@admin.register(Application)
class ApplicationAdmin(AuditedAdminMixin, _Admin):
    """Systems people are given."""

    list_display = ["name", "key", "provision_by", "connection", "owner", "active"]
    list_filter = ["provision_by", "active", "sensitive"]
    search_fields = ["name", "key"]
    list_select_related = ["connection", "owner"]
    raw_id_fields = ["owner"]


@admin.register(Bundle)
class BundleAdmin(AuditedAdminMixin, _Admin):
    """Sets of equipment."""

    list_display = ["name", "key", "connection"]
    list_filter = ["connection"]
    search_fields = ["name", "key"]
    list_select_related = ["connection"]


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    """Syncs. Records and reviews are personal data of every kind and are not shown."""

    list_display = ["connection", "status", "trigger", "started_at", "seen", "created", "ended"]
    search_fields = ["connection__name", "=pk"]
    list_filter = ["status", "connection"]
    list_select_related = ["connection"]
    exclude = ["held_records", "review", "lease_holder", "lease_until"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Attempts to reach outside systems."""

    list_display = ["started_at", "connection", "operation", "target", "outcome", "status_code"]
    list_filter = ["outcome", "connection"]
    search_fields = ["idempotency_key", "request_id"]
    list_select_related = ["connection"]


@admin.register(MailEvent)
class MailEventAdmin(ReadOnlyAdmin):
    """Bounces and deliveries that mail senders told of."""

    list_display = ["received_at", "connection", "kind", "why"]
    search_fields = ["message_id"]
    list_filter = ["kind", "connection"]
    list_select_related = ["connection"]


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    """Targets that failed lately."""

    list_display = ["target", "connection", "failures", "opened_at", "probe_at", "slowed_until"]
    search_fields = ["target"]
    list_filter = ["connection"]
    list_select_related = ["connection"]


@admin.register(AppAccess)
class AppAccessAdmin(ReadOnlyAdmin):
    """Who has, or had, which application."""

    list_display = ["application", "person", "state", "since", "ended_at"]
    list_filter = ["state", "application"]
    search_fields = ["person__work_email", "person__full_name"]
    list_select_related = ["application", "person"]


@admin.register(AccessEvent)
class AccessEventAdmin(ReadOnlyAdmin):
    """What became of each access."""

    list_display = ["at", "access", "state", "run_id", "by_label", "words"]
    search_fields = ["access__person__full_name", "access__person__work_email"]
    list_filter = ["state"]


@admin.register(AccessReading)
class AccessReadingAdmin(ReadOnlyAdmin):
    """When connections were asked who has what."""

    list_display = ["application", "read_at", "tried_at", "accounts", "error"]
    search_fields = ["application__name"]
    list_filter = ["application"]
    list_select_related = ["application"]


@admin.register(ReportedAccess)
class ReportedAccessAdmin(ReadOnlyAdmin):
    """Accounts that connections report."""

    list_display = ["application", "username", "person", "active", "seen_at", "gone_at"]
    list_filter = ["application"]
    search_fields = ["username", "email", "external_id"]
    list_select_related = ["application", "person"]


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """What people are called at a connection."""

    list_display = ["username", "connection", "person", "active", "adopted", "changed_at"]
    list_filter = ["active", "connection"]
    search_fields = ["username", "external_id", "person__work_email"]
    list_select_related = ["connection", "person"]


@admin.register(CustomReading)
class CustomReadingAdmin(ReadOnlyAdmin):
    """How the reading of custom fields stands."""

    list_display = ["connection", "last_at", "error", "lease_until"]
    list_select_related = ["connection"]


@admin.register(CustomValues)
class CustomValuesAdmin(ReadOnlyAdmin):
    """What was last read of custom fields, one employment a row."""

    list_display = ["external_id", "connection", "read_at"]
    list_select_related = ["connection"]
    search_fields = ["external_id"]


@admin.register(WebhookSubscription)
class WebhookSubscriptionAdmin(ReadOnlyAdmin):
    """Addresses that outside systems call. Neither address nor key is kept in clear."""

    list_display = ["connection", "received", "refused", "last_received_at", "old_key_until"]
    list_select_related = ["connection"]
    exclude = ["path_hash"]


@admin.register(WebhookReceipt)
class WebhookReceiptAdmin(ReadOnlyAdmin):
    """Genuine calls of the last day: hints to look again, never data."""

    list_display = ["received_at", "subscription", "event_type", "external_id", "handled_at"]
    list_filter = ["event_type", ("handled_at", admin.EmptyFieldListFilter)]
    list_select_related = ["subscription"]
    search_fields = ["external_id"]
    exclude = ["signature_hash"]


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Outages that people were told of, once each."""

    list_display = ["opened_at", "connection", "kind", "mailed_to", "closed_at", "return_told_at"]
    search_fields = ["connection__name", "mailed_to"]
    list_filter = ["kind", "connection"]
    list_select_related = ["connection"]
