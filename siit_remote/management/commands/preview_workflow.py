"""Who matches a workflow now, and what each step would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import workflow_or_refuse
from workflows.engine.outlook import preview
from workflows.engine.world import planned_draft, planned_version

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """No effects of any kind."""

    help = "Show who matches now, who does not and why, and what each step would do. No effects."
    example = "manage.py preview_workflow contractor-offboarding"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """The workflow."""
        parser.add_argument("key", metavar="KEY")
        parser.add_argument("--draft", action="store_true", help="The draft, not what is live.")

    def perform(self, **options: Any) -> dict[str, Any]:
        """The live version, or the draft where nothing is live."""
        workflow = workflow_or_refuse(options["key"])
        now = clock.now()
        version = None if options["draft"] else workflow.live_version
        planned = planned_version(version) if version else planned_draft(workflow, now=now)
        return preview(planned, now=now)

    def present(self, document: dict[str, Any]) -> None:
        """Matched people with their steps, then the others with reasons."""
        self.stdout.write(f"Matched: {len(document['matched'])}")
        for row in document["matched"]:
            self.stdout.write(f"  {row['person']}, due {row['due_at']}")
            for step in row["steps"]:
                self.stdout.write(f"    {step['summary']}")
        for name, title in (("not_matched", "Not matched"), ("cannot_tell", "Cannot tell")):
            self.stdout.write(f"{title}: {len(document[name])}")
            for row in document[name]:
                self.stdout.write(f"  {row['person']}: {'; '.join(row['reasons'])}")
