"""Who is asked for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import person_or_refuse
from workflows.models import Approval

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """The inbox, of one approver or of all."""

    help = "List approvals."
    example = "manage.py list_approvals --approver lead@example.com --status pending"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Filters."""
        parser.add_argument("--approver", metavar="EMAIL")
        parser.add_argument("--status", metavar="S")

    def perform(self, **options: Any) -> list[dict[str, Any]]:
        """The matching approvals, newest first."""
        rows = Approval.objects.select_related("approver", "subject", "step__run")
        if options["approver"]:
            rows = rows.filter(approver=person_or_refuse(options["approver"]))
        if options["status"]:
            if options["status"] not in Approval.Status.values:
                raise CommandError(
                    f"“{options['status']}” is no state of an approval. "
                    f"States: {', '.join(Approval.Status.values)}.",
                    returncode=2,
                )
            rows = rows.filter(status=options["status"])
        return [
            {
                "id": row.pk,
                "title": row.title,
                "subject": row.subject.work_email,
                "request": row.step.run.request_id,
                "approver": row.approver.work_email,
                "status": row.status,
                "due_at": row.due_at.isoformat() if row.due_at else None,
                "reason": row.why_asked,
            }
            for row in rows
        ]

    def present(self, document: list[dict[str, Any]]) -> None:
        """A line each."""
        if not document:
            self.stdout.write("No approvals.")
        for row in document:
            self.stdout.write(
                f"#{row['id']} {row['title']}: {row['approver']} {row['status']} ({row['reason']})"
            )
