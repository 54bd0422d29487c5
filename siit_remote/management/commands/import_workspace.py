"""Apply a workspace document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from siit_remote.management.base import SiitCommand
from workflows.document.yaml_io import read_text
from workflows.problems import DocumentError
from workflows.workspace.apply import workspace_import

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """All or nothing."""

    help = "Apply a workspace document: applications, templates, policies, services …"
    example = "manage.py import_workspace workspace.yaml --dry-run"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """The file."""
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would change.")

    def perform(self, **options: Any) -> dict[str, Any]:
        """Changes, or every problem with its path."""
        try:
            data = read_text(Path(options["file"]).read_bytes()).data
            changes = workspace_import(data, dry_run=options["dry_run"])
        except OSError as error:
            self.refuse(f"{options['file']} cannot be read: {error.strerror}.")
        except DocumentError as error:
            problems = [{"path": item.path, "message": item.message} for item in error.problems]
            return {"changes": [], "problems": problems}
        return {"changes": [change.to_data() for change in changes], "problems": []}

    def present(self, document: dict[str, Any]) -> None:
        """A line a change or problem."""
        for change in document["changes"]:
            self.stdout.write(f"{change['change']}: {change['object']} {change['key']}")
        for problem in document["problems"]:
            self.stdout.write(f"{problem['path'] or 'document'}: {problem['message']}")
        if not document["changes"] and not document["problems"]:
            self.stdout.write("Nothing to change.")

    def failed(self, document: dict[str, Any]) -> bool:
        """Problems mean that nothing was applied."""
        return bool(document["problems"])
