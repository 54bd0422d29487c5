"""Run the background work under supervision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from siit_remote.management.database import database_ready_or_refuse
from siit_remote.supervisor import Supervisor
from workflows.recovery import recovery_watch

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """Starts the cluster, watches it, restarts it; ends with it."""

    help = "Run the background work: starts the task cluster and restarts it when it falls silent."
    example = "manage.py worker --drain 60"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """How patient."""
        parser.add_argument(
            "--drain", type=float, default=60, help="Seconds to finish in, at stop."
        )

    def perform(self, **options: Any) -> None:
        """Until SIGTERM or SIGINT; exit code 1 when the cluster cannot be kept alive."""
        database_ready_or_refuse()
        recovery_watch(now=clock.now())
        supervisor = Supervisor(
            command=[sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            drain=options["drain"],
        )
        if not supervisor.run():
            self.refuse("The task cluster ends as soon as it starts; see the messages above.")

    def present(self, document: None) -> None:
        """Nothing to say after a clean stop."""
