"""Take back what a run did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from workflows.models import Run
from workflows.services import RefusedError
from workflows.undo import run_undo, undo_plan, undo_refusal

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """The same plan and rules as in the browser."""

    help = "Take back what a run did, by a run of its own. Without --reason it only shows the plan."
    example = 'manage.py undo_run 12 --reason "The end date was a mistake"'
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which, and why."""
        parser.add_argument("id", type=int, metavar="ID")
        parser.add_argument("--reason", default="", help="why; without it nothing is done")

    def perform(self, **options: Any) -> dict[str, Any]:
        """Show, and with a reason do."""
        run = (
            Run.objects.select_related("workflow", "version", "person")
            .filter(pk=options["id"])
            .first()
        )
        if run is None:
            self.refuse(f"There is no run {options['id']}.")
        now = clock.now()
        plan = undo_plan(run, now=now)
        document: dict[str, Any] = {
            "run": run.pk,
            "takes_back": [step.words for step in plan.steps],
            "by_hand": list(plan.by_hand),
            "stays": list(plan.nothing),
            "refused": undo_refusal(run, now=now),
            "undone_by": None,
        }
        if options["reason"]:
            try:
                made = run_undo(run, reason=options["reason"], now=now, actor=None)
            except RefusedError as error:
                self.refuse(str(error))
            document["undone_by"] = made.pk
        return document

    def present(self, document: dict[str, Any]) -> None:
        """What would happen, line by line."""
        for name, words in (
            ("takes_back", "Takes back"),
            ("by_hand", "By hand"),
            ("stays", "Stays"),
        ):
            for line in document[name]:
                self.stdout.write(f"{words}: {line}")
        if document["refused"]:
            self.stdout.write(document["refused"])
        if document["undone_by"]:
            self.stdout.write(f"Run {document['undone_by']} takes it back.")
        elif not document["refused"]:
            self.stdout.write("Nothing was done; add --reason to do it.")
