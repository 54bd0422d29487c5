"""Resolved people put down: of each only what everybody else must know stays in memory. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from people.managers import ManagerClaim
from people.matching import View
from people.plan import Directory, Policy, RecordKey, Ref
from people.records import WorkerRecord
from people.resolved import Resolved
from people.resolving import resolve
from people.staging import Brief
from siit_remote.lib.spool import Shelf

_Put = tuple[dict[str, Any], dict[str, str], date, dict[tuple[str, str], None], frozenset[str]]
"""What lies on the shelf of a resolved person: values, sources, today, flags, quiet."""


@dataclass(slots=True)
class Settled:
    """What everybody else must know of one resolved person, while the whole lies on the shelf."""

    number: int
    work_email: str
    status: str
    claim: ManagerClaim
    two_live: bool
    manager: Ref | None = None
    flags: tuple[tuple[str, str], ...] = ()
    """Data problems about the manager, with their sentences."""


class Resolutions:
    """Resolved people on a shelf. Written by one thread and then by another, never both at once."""

    def __init__(self) -> None:
        self._shelf: Shelf[_Put] = Shelf()
        self._claims: dict[ManagerClaim, ManagerClaim] = {}

    def put(self, found: Resolved) -> Settled:
        """Put a person down."""
        return Settled(
            number=self._shelf.put(
                (found.values, found.sources, found.today, found.flags, found.quiet)
            ),
            work_email=found.values["work_email"],
            status=found.values["status"],
            # Hundreds of people name the same manager.
            claim=self._claims.setdefault(found.claim, found.claim),
            two_live=found.two_live,
        )

    def name(self, settled: Settled) -> str:
        """Their full name."""
        return str(self._shelf.get(settled.number)[0]["full_name"])

    def whole(self, settled: Settled) -> Resolved:
        """The person again, with the address, the manager and the problems settled since."""
        values, sources, today, flags, quiet = self._shelf.get(settled.number)
        found = Resolved(
            values=values,
            sources=sources,
            claim=settled.claim,
            today=today,
            flags=flags,
            quiet=quiet,
        )
        values["work_email"], values["manager"] = settled.work_email, settled.manager
        for problem, note in settled.flags:
            found.flag(problem, note)
        return found


class Foresight:
    """Resolves records as those of newcomers while the rest of their feed is still on its way.

    Used only for those who turn out to be new, with one record, under the same ``policy``, entity
    names and ``now``; everybody else is resolved when the feed is complete. So nothing depends on
    it but the time a first import takes.
    """

    def __init__(
        self,
        *,
        known: Collection[RecordKey],
        entity_names: Mapping[str, str],
        policy: Policy,
        now: datetime,
    ) -> None:
        self.resolutions = Resolutions()
        self._known = known
        self._directory = Directory(entity_names=entity_names)
        self._policy = policy
        self._now = now
        self._seen: dict[RecordKey, tuple[str, Settled]] = {}

    def look(self, record: WorkerRecord, brief: Brief) -> None:
        """Resolve ``record`` alone; called with each as it arrives."""
        if brief.key in self._known:
            return
        found = resolve(
            [View(brief, record, None)],
            before=None,
            directory=self._directory,
            policy=self._policy,
            now=self._now,
        )
        self._seen[brief.key] = (brief.digest, self.resolutions.put(found))

    def serves(self, *, directory: Directory, policy: Policy, now: datetime) -> bool:
        """Whether what was looked at still stands."""
        return (
            self._now == now
            and self._policy == policy
            and self._directory.entity_names == directory.entity_names
        )

    def settled(self, view: View) -> Settled | None:
        """Somebody new of whom ``view`` is the only record; ``None`` where it was not looked at."""
        digest, settled = self._seen.get(view.key, ("", None))
        return settled if view.stored is None and digest == view.digest else None
