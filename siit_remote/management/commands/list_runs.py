"""Runs and their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from siit_remote.management.base import SiitCommand
from workflows.models import Run

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """List runs, newest first."""

    help = "List runs and what became of their steps."
    example = "manage.py list_runs --workflow contractor-offboarding --status failed"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Filters."""
        parser.add_argument("--workflow", metavar="KEY", help="Only runs of this workflow.")
        parser.add_argument("--person", metavar="EMAIL", help="Only runs about this person.")
        parser.add_argument("--status", metavar="S", help="Only runs in this state.")

    def perform(self, **options: Any) -> list[dict[str, Any]]:
        """The matching runs."""
        runs = Run.objects.select_related("workflow", "version", "person").prefetch_related("steps")
        if options["workflow"]:
            runs = runs.filter(workflow__key=options["workflow"])
        if options["person"]:
            runs = runs.filter(person__work_email=options["person"].strip().lower())
        if options["status"]:
            if options["status"] not in Run.Status.values:
                raise CommandError(
                    f"“{options['status']}” is no state of a run. "
                    f"States: {', '.join(Run.Status.values)}.",
                    returncode=2,
                )
            runs = runs.filter(status=options["status"])
        return [_row(run) for run in runs]

    def present(self, document: list[dict[str, Any]]) -> None:
        """A line a run, its steps below."""
        if not document:
            self.stdout.write("No runs.")
        for run in document:
            line = f"#{run['id']} {run['workflow']} v{run['version']} {run['person']}"
            self.stdout.write(f"{line} {run['anchor']}: {run['status']} {run['reason']}".rstrip())
            for step in run["steps"]:
                note = step["error"] or step["reason"] or step["outcome"].get("summary", "")
                self.stdout.write(f"    {step['key']} ({step['action']}): {step['status']} {note}")


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "workflow": run.workflow.key,
        "version": run.version.number,
        "person": run.person.work_email,
        "anchor": run.anchor,
        "status": run.status,
        "reason": run.reason,
        "late": run.late,
        "due_at": run.due_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "steps": [
            {
                "key": step.key,
                "action": step.action,
                "status": step.status,
                "attempts": step.attempts,
                "outcome": step.outcome,
                "error": step.error,
                "reason": step.reason,
            }
            for step in run.steps.all()
        ],
    }
