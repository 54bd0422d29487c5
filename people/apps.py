"""The directory of people."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    """Knows no vendor and no workflow."""

    name = "people"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the search's index be mended after every ``migrate``."""
        from people.search_index import after_migrate

        post_migrate.connect(after_migrate, sender=self, dispatch_uid="people.search_index")
