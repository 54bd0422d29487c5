"""The directory on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from people.choices import PersonStatus
from people.export import csv_lines, export_rows, jsonl_lines
from people.models import Person
from siit_remote.audit.services import record
from siit_remote.management.base import SiitCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """Everybody, or those in some states, as CSV or JSON lines."""

    help = "Write the directory to standard output."
    example = "manage.py export_people --format jsonl --status active --status hired"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Shape and filter."""
        parser.add_argument("--format", choices=["csv", "jsonl"], default="csv")
        parser.add_argument(
            "--status",
            action="append",
            metavar="S",
            default=[],
            help=f"Only people in this state ({', '.join(PersonStatus.values)}); repeatable.",
        )

    def perform(self, **options: Any) -> Any:
        """The rows; with ``--json`` all of them as one document."""
        wanted = [word for given in options["status"] for word in given.split(",") if word]
        unknown = sorted(set(wanted) - set(PersonStatus.values))
        if unknown:
            raise CommandError(
                f"“{unknown[0]}” is no state of a person. "
                f"States: {', '.join(PersonStatus.values)}.",
                returncode=2,
            )
        people = Person.objects.order_by("work_email")
        if wanted:
            people = people.filter(status__in=wanted)
        record(
            "person.exported",
            actor_label="command line",
            object_type="person",
            detail={"people": people.count(), "status": wanted},
        )
        self._lines = jsonl_lines if options["format"] == "jsonl" else csv_lines
        rows = export_rows(people)
        return list(rows) if options["json"] else rows

    def present(self, document: Any) -> None:
        """Stream the lines."""
        for line in self._lines(document):
            self.stdout.write(line, ending="")
