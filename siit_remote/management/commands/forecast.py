"""Every run to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import workflow_or_refuse
from workflows.engine.forecast import forecast
from workflows.engine.world import planned_version
from workflows.models import Workflow

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """The planner, looking ahead."""

    help = "List every run to come for the live workflows."
    example = "manage.py forecast --days 30 --workflow contractor-offboarding"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """How far, and of which workflow."""
        parser.add_argument("--days", type=int, default=90, help="1 to 366; 90 unless told.")
        parser.add_argument("--workflow", metavar="KEY")

    def perform(self, **options: Any) -> list[dict[str, Any]]:
        """Runs within so many days, soonest first."""
        if not 1 <= options["days"] <= 366:
            raise CommandError("--days must lie between 1 and 366.", returncode=2)
        if options["workflow"]:
            chosen = [workflow_or_refuse(options["workflow"])]
        else:
            chosen = list(
                Workflow.objects.filter(status=Workflow.Status.LIVE).select_related(
                    "live_version__workflow"
                )
            )
        planned = [planned_version(item.live_version) for item in chosen if item.live_version]
        return forecast(planned, now=clock.now(), days=options["days"])

    def present(self, document: list[dict[str, Any]]) -> None:
        """A line a run."""
        if not document:
            self.stdout.write("Nothing is to come.")
        for row in document:
            self.stdout.write(
                f"{row['local_time']} ({row['timezone']}) {row['workflow']}: {row['person']}"
            )
