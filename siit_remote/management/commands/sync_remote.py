"""One full refresh from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import CONNECTORS
from integrations.errors import IntegrationError
from integrations.models import Connection, SyncRun
from integrations.sync import SyncRefusedError, SyncReport, held_apply, run_sync
from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """Sync now, rehearse a sync, or release one that the safeguard held."""

    help = "Read everybody from Remote now and apply what changed."
    example = "manage.py sync_remote --dry-run"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which connection, and how."""
        parser.add_argument(
            "--connection", metavar="K", help="Key of the connection; needed if there are several."
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--dry-run", action="store_true", help="Say what would happen; write nothing."
        )
        how.add_argument(
            "--apply-held",
            action="store_true",
            help="Apply the sync that the safeguard held, for exactly the people it listed.",
        )

    def perform(self, **options: Any) -> dict[str, Any]:
        """Run through the same services as the browser."""
        connection = self._connection(options["connection"])
        try:
            if options["apply_held"]:
                return self._release(connection).to_data()
            report = run_sync(connection, trigger="cli", dry_run=options["dry_run"])
        except (SyncRefusedError, IntegrationError) as error:
            report = SyncReport(status=SyncRun.Status.FAILED.value, error=str(error))
        if report.error:
            self.stderr.write(report.error)
        return report.to_data()

    def _connection(self, key: str | None) -> Connection:
        kinds = [connector.key for connector in CONNECTORS if connector.category == "HRIS"]
        rows = Connection.objects.filter(connector__in=kinds)
        if key:
            found = rows.filter(key=key).first()
            if found is None:
                self.refuse(f"There is no connection “{key}” that people come from.")
            return found
        usable = list(rows.exclude(status=Connection.Status.DISCONNECTED))
        if not usable:
            self.refuse("Remote is not connected. Connect it first: manage.py connect remote …")
        if len(usable) > 1:
            keys = ", ".join(connection.key for connection in usable)
            self.refuse(f"Several connections bring people: name one with --connection ({keys}).")
        return usable[0]

    def _release(self, connection: Connection) -> SyncReport:
        held = connection.syncs.filter(status=SyncRun.Status.HELD).first()
        if held is None:
            self.refuse(f"No sync of {connection.name} is held.")
        return held_apply(
            held, actor=None, reason="Released from the command line.", now=clock.now()
        )

    def failed(self, document: dict[str, Any]) -> bool:
        """A held or failed sync has applied nothing: somebody has to look."""
        return bool(document["status"] != SyncRun.Status.APPLIED)

    def present(self, document: dict[str, Any]) -> None:
        """Counts, then names with reasons."""
        counts = ", ".join(
            f"{document[name]} {name}" for name in ("created", "updated", "unchanged", "ended")
        )
        skipped = len(document["skipped"])
        self.stdout.write(f"{document['status'].capitalize()}: {counts}, {skipped} skipped.")
        for row in document["skipped"]:
            self.stdout.write(f"    skipped {row['remote_id']} {row['name']}: {row['reason']}")
        for row in document["conflicts"]:
            self.stdout.write(f"    conflict {row['work_email']} {row['name']}: {row['reason']}")
        if document["held_reason"]:
            self.stdout.write(document["held_reason"])
        if document["status"] == SyncRun.Status.HELD:
            self.stdout.write("Look at the list, then: manage.py sync_remote --apply-held")
