"""Fill an empty database with a company to look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.conf import settings

from siit_remote import demo
from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """A made-up company behind a simulated Remote, synced over real HTTP. Safe to repeat."""

    help = "Fill an empty database with a demo company; refused in production."
    example = "manage.py demo"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """For ``make run``."""
        parser.add_argument(
            "--if-empty", action="store_true", help="Leave a database that is in use alone."
        )
        parser.add_argument(
            "--serve", action="store_true", help="Run the demo's simulator in the foreground."
        )
        parser.add_argument(
            "--reset", action="store_true", help="Delete the demo's data, so that it begins anew."
        )

    def perform(self, **options: Any) -> dict[str, Any]:
        """Make it, or become its simulator."""
        if options["serve"]:
            self._serve()
        if options["reset"]:
            return self._reset()
        in_use = not demo.database_is_empty() and not demo.demo_is_here()
        if options["if_empty"] and (settings.PRODUCTION or in_use):
            return {"demo": False}
        try:
            return {"demo": True, **demo.demo_set_up(now=clock.now())}
        except demo.DemoRefusedError as error:
            self.refuse(str(error))

    def _serve(self) -> None:
        state = demo.state_read()
        if state is None:
            self.refuse("There is no demo here. Run `manage.py demo` first.")
        command = demo.simulator_command(state)
        os.chdir(settings.BASE_DIR)
        os.execv(command[0], command)  # noqa: S606 - our own command, no shell

    def _reset(self) -> dict[str, Any]:
        try:
            demo.demo_reset()
        except demo.DemoRefusedError as error:
            self.refuse(str(error))
        return {"demo": False, "reset": True}

    def present(self, document: dict[str, Any]) -> None:
        """What there is, and how to sign in."""
        if document.get("reset"):
            self.stdout.write("The demo is gone; `make run` makes a new one.")
            return
        if not document["demo"]:
            self.stdout.write("The database is in use: no demo company was added.")
            return
        self.stdout.write(
            f"Demo company: {document['people']} people, workflows "
            f"{', '.join(document['workflows'])}."
        )
        self.stdout.write("Sign in as (kept in var/demo-sign-ins.txt):")
        for row in document["sign_ins"]:
            self.stdout.write(f"  {row['role']:<9} {row['email']:<22} {row['password']}")
