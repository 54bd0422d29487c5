"""How the installation is, in words."""

from __future__ import annotations

from typing import Any

from siit_remote.diagnosis import diagnose
from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand


class Command(SiitCommand):
    """Looks, changes nothing; exit code 1 when something needs a person."""

    help = "Check configuration, connections, syncs, queue and worker, and say what to do."
    example = "manage.py doctor --json"
    requires_system_checks: list[str] = []

    def perform(self, **options: Any) -> dict[str, Any]:
        """Every check."""
        results = diagnose(now=clock.now())
        return {
            "ok": all(result.ok for result in results),
            "checks": [result.to_data() for result in results],
        }

    def present(self, document: dict[str, Any]) -> None:
        """A line a check, what to do below."""
        for row in document["checks"]:
            self.stdout.write(f"{'ok  ' if row['ok'] else 'LOOK'} {row['id']}: {row['detail']}")
            if row["hint"]:
                self.stdout.write(f"     → {row['hint']}")

    def failed(self, document: dict[str, Any]) -> bool:
        """Anything that needs a person."""
        return not document["ok"]
