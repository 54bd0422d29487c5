"""Plan and carry out what is due."""

from __future__ import annotations

from typing import Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from workflows.one_pass import pass_once


class Command(SiitCommand):
    """What the schedule does each minute."""

    help = "Plan what is due and carry it out until nothing can move."
    example = "manage.py run_due --json"
    time_travel = True

    def perform(self, **options: Any) -> dict[str, Any]:
        """One pass at the command's clock."""
        return pass_once(now=clock.now()).to_data()

    def present(self, document: dict[str, Any]) -> None:
        """Counts in one line."""
        words = ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in document.items() if count
        )
        self.stdout.write(f"Runs: {words or 'nothing was due'}.")
