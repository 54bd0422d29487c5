"""Write the rows by which the worker knows what to do when."""

from __future__ import annotations

from typing import Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.schedules import schedules_set_up


class Command(SiitCommand):
    """Safe to repeat, after every upgrade."""

    help = "Create or mend the schedules of the worker; removes ours that no longer exist."
    example = "manage.py setup_schedules"

    def perform(self, **options: Any) -> dict[str, list[str]]:
        """Rows by what was done with them."""
        try:
            return schedules_set_up(now=clock.system_now()).to_data()
        except ImportError as error:
            self.refuse(f"A schedule names a function that does not exist: {error}")

    def present(self, document: dict[str, list[str]]) -> None:
        """A line a row."""
        for done, names in document.items():
            for name in names:
                self.stdout.write(f"{done}: {name}")
