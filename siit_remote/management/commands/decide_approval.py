"""Decide an approval for its approver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import person_or_refuse
from workflows.approvals import DecisionRefusedError, approval_decide

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """The same rules as in the browser."""

    help = "Approve or reject, as the approver or their delegate."
    example = "manage.py decide_approval 7 --as lead@example.com --approve"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which, who, how."""
        parser.add_argument("id", type=int, metavar="ID")
        parser.add_argument("--as", dest="decider", required=True, metavar="EMAIL")
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--approve", action="store_true")
        choice.add_argument("--reject", action="store_true")
        parser.add_argument("--comment", default="", help="needed to reject")

    def perform(self, **options: Any) -> dict[str, Any]:
        """One conditional update decides."""
        by = person_or_refuse(options["decider"])
        try:
            decision = approval_decide(
                options["id"],
                by=by,
                approve=options["approve"],
                comment=options["comment"],
                now=clock.now(),
            )
        except DecisionRefusedError as error:
            self.refuse(str(error))
        approval = decision.approval
        return {
            "id": approval.pk,
            "status": approval.status,
            "decided_by": by.work_email,
            "approver": approval.approver.work_email,
        }

    def present(self, document: dict[str, Any]) -> None:
        """One line."""
        self.stdout.write(f"#{document['id']}: {document['status']} by {document['decided_by']}")
