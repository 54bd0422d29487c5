"""The engine, its vocabulary and its screens."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Triggers, conditions, actions, approvals, runs."""

    name = "workflows"
    verbose_name = "Workflows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let triggers, actions and approvers register; hang rows onto people's pages."""
        from people.timeline import timeline_extend
        from siit_remote.lib.registry import import_submodules
        from workflows import actions, approvers, triggers
        from workflows.about_people import EQUIPMENT, RUNS

        for package in (triggers, actions, approvers):
            import_submodules(package)
        timeline_extend(RUNS)
        timeline_extend(EQUIPMENT)
