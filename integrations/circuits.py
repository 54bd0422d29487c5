"""Leave a failing target alone: opened after failures in a row, tried by one call at a time.

The state is a row, so that every worker on every machine sees the same circuit and a restart
forgets nothing. A target that asks us to slow down is left alone for as long as it said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from django.db.models import F, Q

from integrations.errors import (
    CircuitOpenError,
    IntegrationError,
    RateLimitedError,
    TransientError,
    UncertainError,
)
from integrations.models import Circuit, Connection
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

OPENS_AFTER = 5
"""Failures in a row."""
FIRST_PROBE = timedelta(seconds=30)
LONGEST_PROBE = timedelta(minutes=2)
"""The pause before the next probe doubles up to here: work is back within it after a return."""
PROBE_TAKES = timedelta(minutes=3)
"""A probe whose worker died is given up after this; longer than any one call may take."""
_DOWN = frozenset({408, 421, 425, 500, 502, 503, 504})
"""Statuses of HTTP, and 421 of SMTP, by which a server says that it does not work now."""


class Reach(Enum):
    """Whether a connection may be called now."""

    OPEN = "open"
    PROBE = "probe"
    """One call may try it."""
    SHUT = "shut"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitGate:
    """What one connection's transport asks before each call and tells after it.

    ``forced``: a connection test, which a person asked for, is let through an open circuit.
    """

    connection_id: int
    key: str
    forced: bool = False

    def enter(self, target: str) -> None:
        """Raises ``CircuitOpenError`` or ``RateLimitedError`` where no call may be made now."""
        row = Circuit.objects.filter(connection_id=self.connection_id, target=target).first()
        if row is None or self.forced:
            return
        now = clock.now()
        if row.slowed_until is not None and row.slowed_until > now:
            raise RateLimitedError(
                f"{target} asked us to slow down. It is called again "
                f"{_moment(row.slowed_until)}. Nothing was sent.",
                retry_after=(row.slowed_until - now).total_seconds(),
                connection=self.key,
            )
        if row.opened_at is not None and not self._probe(row, now=now):
            raise CircuitOpenError(
                f"{target} has not answered properly since {_moment(row.opened_at)} "
                f"({row.failures} times). One call tries it again "
                f"{_moment(row.probe_at or now)}; the rest waits. Nothing was sent.",
                connection=self.key,
            )

    def _probe(self, row: Circuit, *, now: datetime) -> bool:
        """Become the one call that tries it; nobody else does before the answer is in."""
        return bool(
            Circuit.objects.filter(
                pk=row.pk, opened_at__isnull=False, probe_at=row.probe_at, probe_at__lte=now
            ).update(probe_at=now + PROBE_TAKES, probes=F("probes") + 1)
        )

    def leave(self, target: str, *, status: int | None, error: IntegrationError | None) -> None:
        """Learn from how the call went. Refusals say that the target is up."""
        said = status if error is None else error.status
        silent = isinstance(error, TransientError | UncertainError) and said is None
        if silent or said in _DOWN:
            self._failed(target, words=error.message if error else f"It answered {said}.")
        elif error is None or said is not None:
            self._answered(target)

    def slow_down(self, target: str, *, seconds: float) -> None:
        """Leave it alone for as long as it asked."""
        until = clock.now() + timedelta(seconds=seconds)
        row, _ = Circuit.objects.get_or_create(connection_id=self.connection_id, target=target)
        Circuit.objects.filter(pk=row.pk).filter(
            Q(slowed_until__isnull=True) | Q(slowed_until__lt=until)
        ).update(slowed_until=until)

    def _failed(self, target: str, *, words: str) -> None:
        now = clock.now()
        row, _ = Circuit.objects.get_or_create(connection_id=self.connection_id, target=target)
        Circuit.objects.filter(pk=row.pk).update(
            failures=F("failures") + 1, last_failed_at=now, last_error=words[:500]
        )
        Circuit.objects.filter(pk=row.pk, opened_at__isnull=True, failures__gte=OPENS_AFTER).update(
            opened_at=now, probe_at=now + FIRST_PROBE, probes=0
        )
        if row.opened_at is not None:
            pause = min(LONGEST_PROBE, FIRST_PROBE * (1 << min(row.probes, 8)))
            Circuit.objects.filter(pk=row.pk, opened_at__isnull=False).update(probe_at=now + pause)

    def _answered(self, target: str) -> None:
        Circuit.objects.filter(
            Q(failures__gt=0) | Q(opened_at__isnull=False),
            connection_id=self.connection_id,
            target=target,
        ).update(failures=0, opened_at=None, probe_at=None, probes=0, last_error="")


def _moment(at: datetime) -> str:
    return f"at {at:%H:%M:%S} UTC" if at - clock.now() < timedelta(hours=20) else f"on {at:%-d %b}"


def connections_reach(keys: Iterable[str], *, now: datetime) -> dict[str, Reach]:
    """Whether each of these connections may be called at ``now`` (UTC).

    One that was deleted counts as open: whoever waits for it is to learn that it is gone.
    """
    wanted = set(keys)
    rows = Connection.objects.filter(key__in=wanted).prefetch_related("circuits")
    found = {row.key: _reach(row, now=now) for row in rows}
    return {key: found.get(key, Reach.OPEN) for key in wanted}


def _reach(connection: Connection, *, now: datetime) -> Reach:
    if connection.status == Connection.Status.NEEDS_ATTENTION:
        return Reach.SHUT
    worst = Reach.OPEN
    for row in connection.circuits.all():
        if row.slowed_until is not None and row.slowed_until > now:
            return Reach.SHUT
        if row.opened_at is not None:
            if row.probe_at is not None and row.probe_at > now:
                return Reach.SHUT
            worst = Reach.PROBE
    return worst
