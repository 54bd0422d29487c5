"""Everything that talks to the outside."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connectors, connections, synchronisation, outbound delivery."""

    name = "integrations"
    verbose_name = "Integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every connector register itself; tell the directory which of them bring people."""
        from integrations import connectors
        from integrations.custom_fields import reading_words
        from integrations.people_actions import RESYNC
        from integrations.people_sources import people_sources
        from people.extensions import list_action
        from people.sources import reading_provide, sources_provide
        from siit_remote.lib.registry import import_submodules

        import_submodules(connectors)
        sources_provide(people_sources)
        reading_provide(reading_words)
        list_action(RESYNC)
