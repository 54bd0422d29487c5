"""The plan as it was and as it is: which date was struck through, by whom, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from integrations.models import Connection
from people.models import FieldOverride, PersonChange
from workflows.engine.guard import REMOVED
from workflows.models import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 50
"""No date moves so often; a ring of runs would never end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One date that a run was planned for. ``struck``: it is not the plan any more."""

    date: str
    struck: bool
    run: Run | None = None
    changed_to: str = ""
    """The new date; ``removed`` where there is none; empty while it stands."""
    changed_by: str = ""
    changed_at: datetime | None = None
    this: bool = False
    """It is the plan of the very run that was asked about."""


def plan_history(run: Run) -> tuple[Planned, ...]:
    """Every date of the line that ``run`` belongs to, oldest first; empty where none has moved."""
    line = sorted({one.pk: one for one in _line(run)}.values(), key=lambda one: one.pk)
    if len(line) == 1 and not run.moved_to:
        return ()
    found: list[Planned] = []
    for one in line:
        found += _of(one, asked=run.pk, last=one is line[-1])
    return tuple(found)


def _line(run: Run) -> Iterator[Run]:
    yield run
    seen = {run.pk}
    waiting = [run]
    while waiting and len(seen) < _LONGEST:
        one = waiting.pop()
        near = list(one.predecessors.all())
        if one.successor is not None:
            near.append(one.successor)
        for other in near:
            if other.pk not in seen:
                seen.add(other.pk)
                waiting.append(other)
                yield other


def _of(run: Run, *, asked: int, last: bool) -> Iterator[Planned]:
    this = run.pk == asked
    if not run.moved_to:
        yield Planned(date=run.anchor, struck=False, run=run, this=this)
        return
    by, at = _who(run)
    yield Planned(
        date=run.anchor,
        struck=True,
        run=run,
        changed_to=run.moved_to,
        changed_by=by,
        changed_at=at,
        this=this,
    )
    if last and run.moved_to != REMOVED:
        # Kept for the new date, or planned again on a day that has not come yet.
        kept = run.status not in (Run.Status.SUPERSEDED, Run.Status.CANCELLED)
        if kept or run.status == Run.Status.SUPERSEDED:
            yield Planned(date=run.moved_to, struck=False, run=run if kept else None, this=kept)


def _who(run: Run) -> tuple[str, datetime | None]:
    """Who changed the date, in words, and when; nothing where it is not on record."""
    after = None if run.moved_to == REMOVED else run.moved_to
    changes = PersonChange.objects.filter(
        person_id=run.person_id, field__endswith="_date", at__gte=run.created_at
    )
    fits = [change for change in changes.order_by("-pk")[:_LONGEST] if change.after == after]
    exact = [change for change in fits if change.before == run.anchor]
    found = next(iter(exact or fits), None)
    if found is None:
        return "", None
    if found.source == "manual":
        override = FieldOverride.objects.filter(
            person_id=run.person_id, field=found.field
        ).select_related("set_by")
        row = override.first()
        name = row.set_by.get_username() if row is not None and row.set_by else ""
        return (f"{name}, by hand" if name else "by hand"), found.at
    connection = Connection.objects.filter(key=found.source).first()
    return (connection.name if connection else found.source), found.at
