"""The composition root as a Django application: commands, template tags, static files."""

from django.apps import AppConfig


class SiitRemoteConfig(AppConfig):
    """Holds what belongs to no single application."""

    name = "siit_remote"
    verbose_name = "Siit × Remote"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and what a new session begins with."""
        from siit_remote import checks, sessions  # noqa: F401 - imported for their registrations
