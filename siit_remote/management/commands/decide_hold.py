"""Decide a held list from the shell, by the rule of the second person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from workflows.category_rights import rights_of
from workflows.holds import HeldRow, barred_why, held_rows, hold_discard, hold_release, list_seal
from workflows.models import Hold
from workflows.services import RefusedError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from django.contrib.auth.models import User


class Command(SiitCommand):
    """The same rules as in the browser: who began it never lets it go on."""

    help = (
        "Release or discard a held list, as a second person. Without --release or --discard it "
        "only shows who is on the list and who the first person is."
    )
    example = 'manage.py decide_hold 3 --as lead@example.com --release --reason "Looked at all"'
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which, as whom, what, why."""
        parser.add_argument("id", type=int, metavar="ID")
        parser.add_argument("--as", dest="decider", metavar="USER", help="user name or email")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--release", action="store_true")
        choice.add_argument("--discard", action="store_true")
        parser.add_argument("--reason", default="", help="why; it stays with the list")
        parser.add_argument(
            "--person", action="append", metavar="EMAIL", help="only these; repeat it for several"
        )
        parser.add_argument(
            "--named", default="", metavar="EMAIL", help="needed to release a protected person"
        )

    def perform(self, **options: Any) -> dict[str, Any]:
        """Show, or decide about exactly the list as it is now."""
        hold = Hold.objects.select_related(
            "workflow__live_version", "version__published_by", "started_by"
        ).filter(pk=options["id"]).first()  # fmt: skip
        if hold is None:
            self.refuse(f"There is no held list {options['id']}.")
        rows = held_rows(hold)
        document: dict[str, Any] = {
            "hold": hold.pk,
            "workflow": hold.workflow.key,
            "status": hold.status,
            "first_person": _first_person(hold),
            "people": [row.person.work_email for row in rows],
            "decided": None,
        }
        if not (options["release"] or options["discard"]):
            return document
        actor = self._actor(options["decider"], hold)
        chosen = self._chosen(rows, options["person"])
        decided = self._decide(hold, rows, chosen, actor, options)
        hold.refresh_from_db()
        return document | {
            "status": hold.status,
            "decided": {
                "what": "released" if options["release"] else "discarded",
                "runs": decided,
                "people": [row.person.work_email for row in chosen],
                "by": actor.get_username(),
            },
        }

    def _decide(
        self,
        hold: Hold,
        rows: list[HeldRow],
        chosen: list[HeldRow],
        actor: User,
        options: dict[str, Any],
    ) -> int:
        common: dict[str, Any] = {
            "run_ids": [row.run.pk for row in chosen],
            "seal": list_seal(rows),
            "reason": options["reason"],
            "now": clock.now(),
            "actor": actor,
        }
        try:
            if options["release"]:
                return hold_release(hold, named=options["named"], **common)
            return hold_discard(hold, **common)
        except RefusedError as error:
            barred = options["release"] and barred_why(hold, actor)
            first = f" First person: {_first_person(hold)}; you: {actor}." if barred else ""
            self.refuse(f"{error}{first}")

    def _actor(self, name: str | None, hold: Hold) -> User:
        if not name:
            self.refuse("Say who decides: --as USER.")
        users = get_user_model().objects.filter(Q(username=name) | Q(email__iexact=name))
        found = users.filter(is_active=True).order_by("pk")[:2]
        if len(found) != 1:
            self.refuse(f"There is no account {name}." if not found else f"{name} is not unique.")
        if not rights_of(found[0]).may("release", hold.workflow.category):
            self.refuse(f"{name} has not the right to decide held lists.")
        return found[0]

    def _chosen(self, rows: list[HeldRow], emails: list[str] | None) -> list[HeldRow]:
        if not emails:
            return rows
        wanted = {email.strip().lower() for email in emails}
        chosen = [row for row in rows if row.person.work_email.lower() in wanted]
        missing = wanted - {row.person.work_email.lower() for row in chosen}
        if missing:
            self.refuse(f"Not on the list: {', '.join(sorted(missing))}.")
        return chosen

    def present(self, document: dict[str, Any]) -> None:
        """The list, and both people."""
        self.stdout.write(
            f"List {document['hold']} of {document['workflow']}: {document['status']}"
        )
        self.stdout.write(f"First person: {document['first_person']}")
        decided = document["decided"]
        if decided is None:
            for email in document["people"]:
                self.stdout.write(f"  {email}")
            self.stdout.write("Nothing was decided; add --as, --reason and --release or --discard.")
            return
        self.stdout.write(f"Second person: {decided['by']}")
        for email in decided["people"]:
            self.stdout.write(f"  {decided['what']}: {email}")


def _first_person(hold: Hold) -> str:
    """Who began it: who started the runs, else who published what started them."""
    first = hold.started_by or hold.version.published_by
    return first.get_username() if first is not None else "nobody by name"
