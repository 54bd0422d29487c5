"""The directory of people."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Knows no vendor and no workflow."""

    name = "people"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"
