"""The audit log."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Append-only record of who did what."""

    name = "siit_remote.audit"
    label = "audit"
    verbose_name = "Activity"
    default_auto_field = "django.db.models.BigAutoField"
