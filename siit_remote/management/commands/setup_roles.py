"""Create the five roles, and give them to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

from siit_remote.management.base import SiitCommand
from siit_remote.roles import PERMISSIONS, roles_set_up, user_roles_set

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """Safe to repeat: groups and permissions become exactly what this version defines."""

    help = "Create or mend the roles; with --user and --role, give a user exactly those roles."
    example = 'manage.py setup_roles --user hana@acme.test --role "HR admin"'

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """The user and the roles to give."""
        parser.add_argument("--user", metavar="NAME", help="User name of an existing account.")
        parser.add_argument("--role", action="append", choices=list(PERMISSIONS), default=[])

    def perform(self, **options: Any) -> dict[str, Any]:
        """Set up, then assign."""
        if bool(options["user"]) != bool(options["role"]):
            self.refuse("--user and --role belong together.")
        user = None
        if options["user"]:
            user = User.objects.filter(username=options["user"]).first()
            if user is None:
                self.refuse(f"There is no user “{options['user']}”.")
        try:
            counts = roles_set_up()
        except ValueError as error:
            self.refuse(str(error))
        if user is not None:
            user_roles_set(user, roles=options["role"])
        return {"roles": counts, "user": options["user"], "given": options["role"]}

    def present(self, document: Any) -> None:
        """One line per role."""
        for role, count in document["roles"].items():
            self.stdout.write(f"{role}: {count} permissions")
        if document["user"]:
            self.stdout.write(f"{document['user']} is now {', '.join(document['given'])}.")
