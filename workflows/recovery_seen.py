"""What to compare before things go on after a restored backup."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from integrations.freshness import last_good_sync
from integrations.models import Connection, SyncRun
from integrations.people_sources import people_connections
from people.selectors import people_visible_to
from workflows.models import RecoveryHold, Run, StepRun
from workflows.recovery import GOES_ON

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import QuerySet

LOOK_BACK: Final = timedelta(days=1)
SHOWN: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An HR system, when it was last read whole, and whether that was after the restore."""

    connection: Connection
    last_good: SyncRun | None
    since_restored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the page of an open hold shows. ``lost``: time of which the database knows nothing."""

    lost: timedelta | None
    sources: list[Source]
    waiting: list[Run]
    last_steps: list[StepRun]
    looked_back_from: datetime | None


def comparison(hold: RecoveryHold, user: AbstractBaseUser | AnonymousUser) -> Comparison:
    """What ``user`` compares: sources, what waits now, what was done last before the backup."""
    until, back_to = hold.worked_until, hold.stands_at
    return Comparison(
        lost=until - back_to if until and back_to else None,
        sources=[_source(row, hold) for row in _sources()],
        waiting=list(runs_waiting(user)[:SHOWN]),
        last_steps=list(_last_steps(back_to or hold.opened_at, user)[:SHOWN]),
        looked_back_from=back_to or hold.opened_at,
    )


def runs_waiting(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Run]:
    """Runs whose next step would take something and waits for the hold's end, soonest due first."""
    rows = Run.objects.filter(status=Run.Status.WAITING, reason__endswith=GOES_ON)
    seen = rows.filter(person__in=people_visible_to(user))
    return seen.select_related("workflow", "person", "person__team").order_by("due_at", "pk")


def _sources() -> QuerySet[Connection]:
    gone = Connection.Status.DISCONNECTED
    rows = people_connections().filter(finished_at__isnull=False)
    return rows.exclude(status=gone).order_by("name")


def _source(connection: Connection, hold: RecoveryHold) -> Source:
    last = last_good_sync(connection)
    since = last is not None and last.started_at >= hold.opened_at
    return Source(connection=connection, last_good=last, since_restored=since)


def _last_steps(until: datetime, user: AbstractBaseUser | AnonymousUser) -> QuerySet[StepRun]:
    ended = StepRun.objects.filter(
        finished_at__gt=until - LOOK_BACK,
        finished_at__lte=until,
        run__person__in=people_visible_to(user),
    )
    plain = ended.exclude(action__in=("wait", "branch"))
    rows = plain.select_related("run__workflow", "run__person", "run__person__team")
    return rows.order_by("-finished_at", "-pk")
