"""Why a workflow ran for somebody, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import person_or_refuse, workflow_or_refuse
from workflows.engine.explain import explain

if TYPE_CHECKING:
    from argparse import ArgumentParser

_MARKS = {True: "yes", False: "no", None: "cannot tell"}


class Command(SiitCommand):
    """The whole ladder."""

    help = "Explain why a workflow ran for a person, will run, or does not."
    example = "manage.py explain --workflow contractor-offboarding --person ana@example.com"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which workflow, whom."""
        parser.add_argument("--workflow", required=True, metavar="KEY")
        parser.add_argument("--person", required=True, metavar="EMAIL")

    def perform(self, **options: Any) -> dict[str, Any]:
        """The ladder at the command's clock."""
        workflow = workflow_or_refuse(options["workflow"])
        return explain(workflow, person_or_refuse(options["person"]), now=clock.now())

    def present(self, document: dict[str, Any]) -> None:
        """A line a rung."""
        self.stdout.write(f"Result: {document['result'].replace('_', ' ')}")
        for rung in document["ladder"]:
            self.stdout.write(f"  {rung['check']}: {_MARKS[rung['passed']]}. {rung['detail']}")
