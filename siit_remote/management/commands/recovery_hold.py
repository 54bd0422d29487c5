"""Hold everything destructive after a restored backup, and let it go on, from the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand, parse_moment
from workflows.recovery import (
    PERMISSION,
    recovery_begin,
    recovery_end,
    recovery_open,
    recovery_seal,
    recovery_words,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from django.contrib.auth.models import User


class Command(SiitCommand):
    """The same rules as in the browser: an owner or HR admin, with a reason."""

    help = (
        "Hold everything destructive after a backup was restored where nothing notices it by "
        "itself (another machine), or let it go on. Without --begin or --end it only shows."
    )
    example = 'manage.py recovery_hold --begin --as hr@example.com --reason "Restored on host b"'

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """What, as whom, why."""
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--begin", action="store_true", help="hold everything destructive")
        choice.add_argument("--end", action="store_true", help="let it go on")
        parser.add_argument("--as", dest="actor", metavar="USER", help="user name or email")
        parser.add_argument("--reason", default="", help="why; it stays with the hold")
        parser.add_argument("--made", metavar="ISO", help="with --begin: when the backup was made")

    def perform(self, **options: Any) -> dict[str, Any]:
        """Show, begin or end."""
        if options["begin"] or options["end"]:
            self._decide(options)
        hold = recovery_open()
        return {
            "held": hold is not None,
            "why": recovery_words(hold) if hold is not None else "",
            "reason": hold.reason if hold is not None else "",
            "since": hold.opened_at.isoformat() if hold is not None else None,
        }

    def _decide(self, options: dict[str, Any]) -> None:
        reason = options["reason"].strip()
        if not reason:
            self.refuse("Say why: --reason TEXT.")
        if len(reason) > 300:
            self.refuse("The reason is too long: at most 300 characters.")
        actor, hold = self._actor(options["actor"]), recovery_open()
        made = parse_moment(options["made"]) if options["made"] else None
        common: dict[str, Any] = {"reason": reason, "now": clock.now(), "actor": actor}
        if options["begin"]:
            if not recovery_begin(stands_at=made, **common):
                self.refuse("It is held already.")
        elif hold is None or not recovery_end(seal=recovery_seal(hold), **common):
            self.refuse("Nothing is held because of a restored backup.")

    def _actor(self, name: str | None) -> User:
        if not name:
            self.refuse("Say who decides: --as USER.")
        users = get_user_model().objects.filter(Q(username=name) | Q(email__iexact=name))
        found = users.filter(is_active=True).order_by("pk")[:2]
        if len(found) != 1:
            self.refuse(f"There is no account {name}." if not found else f"{name} is not unique.")
        if not found[0].has_perm(PERMISSION):
            self.refuse(f"{name} has not the right to decide this: an owner or HR admin has.")
        return found[0]

    def present(self, document: dict[str, Any]) -> None:
        """How it stands."""
        if not document["held"]:
            self.stdout.write("Nothing is held because of a restored backup.")
            return
        self.stdout.write(document["why"])
        if document["reason"]:
            self.stdout.write(f"Why: {document['reason']}")
        self.stdout.write("Nothing is taken from anybody until it is let go on (--end).")
