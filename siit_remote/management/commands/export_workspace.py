"""Print the workspace document."""

from __future__ import annotations

from typing import Any

from siit_remote.management.base import SiitCommand
from workflows.document.yaml_io import write_yaml
from workflows.workspace.export import workspace_export


class Command(SiitCommand):
    """Importing what this prints changes nothing."""

    help = "Print the workspace document."
    example = "manage.py export_workspace > workspace.yaml"

    def perform(self, **options: Any) -> dict[str, Any]:
        """The document as plain data."""
        return workspace_export()

    def present(self, document: dict[str, Any]) -> None:
        """YAML."""
        self.stdout.write(write_yaml(document), ending="")
