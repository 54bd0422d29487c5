"""What the ledger already answers for: which keys are taken, and which moved dates are served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from workflows.document.timing import MAX_DAYS
from workflows.engine.planner import run_key
from workflows.models import Run

if TYPE_CHECKING:
    from datetime import datetime

    from workflows.engine.planner import Judgement
    from workflows.models import Workflow

_CHUNK = 500
_MANY = 2_000
_SAME_ANCHOR = timedelta(days=2 * MAX_DAYS + 40)
"""So far apart at most are two moments for one anchor, whatever a later version says of it."""
DROPPED_BY_MOVE = Q(status__in=[Run.Status.SUPERSEDED, Run.Status.CANCELLED]) & ~Q(moved_to="")
"""Runs that ended because their date went away; should it come back, it is a new happening."""


def keys_taken(keys: Iterable[str]) -> set[str]:
    """Those of ``keys`` that have a run which still answers for them."""
    wanted = list(keys)
    taken: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        rows = Run.objects.filter(key__in=wanted[start : start + _CHUNK])
        taken |= set(rows.exclude(DROPPED_BY_MOVE).values_list("key", flat=True))
    return taken


def keys_since(moment: datetime, *, most: int) -> set[str] | None:
    """Every taken key of a run that was due after ``moment``; ``None`` for more than ``most``.

    For very many keys it costs less to read what the ledger has than to ask for each.
    """
    rows = Run.objects.filter(due_at__gte=moment).exclude(DROPPED_BY_MOVE).order_by()
    if rows.count() > most:
        return None
    return set(rows.values_list("key", flat=True))


def in_ledger(found: Sequence[Judgement]) -> set[str]:
    """The keys of those of ``found`` that have a run already that answers for them."""
    if len(found) > _MANY:
        soonest = min(judged.occurrence.due_at for judged in found)
        taken = keys_since(soonest - _SAME_ANCHOR, most=len(found))
        if taken is not None:
            return taken
    return keys_taken(judged.key for judged in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """What the ledger has no answer for, and for whom one is on its way."""

    free: tuple[tuple[str, Judgement], ...] = ()
    """Each once, with the key to use, the earliest moment first."""
    withheld: frozenset[int] = frozenset()
    """People for whom a run of another date answers, as long as it does."""


def undecided(
    workflow: Workflow, wanted: Iterable[Judgement], *, trigger: str, follows_date: bool
) -> Undecided:
    """Those whose key is free.

    A run that was kept when its date moved serves the new date too. A date that moved away and
    came back gets the next key of its line, the same for every planner.
    """
    unique = {judgement.key: judgement for judgement in wanted}
    free = _free_keys(workflow, unique, trigger=trigger)
    if not free:
        return Undecided()
    served = set(
        Run.objects.filter(workflow=workflow)
        .exclude(moved_to="")
        .exclude(status=Run.Status.SUPERSEDED)
        .values_list("person_id", "moved_to")
    )
    undecided_moves = _going_on(workflow, trigger=trigger) if follows_date else set()
    left: list[tuple[str, Judgement]] = []
    withheld: set[int] = set()
    for key, used in free.items():
        judgement = unique[key]
        person = judgement.person.id
        if (person, judgement.occurrence.anchor) in served or person in undecided_moves:
            withheld.add(person)
        else:
            left.append((used, judgement))
    left.sort(key=lambda pair: (pair[1].occurrence.due_at, pair[1].person.id))
    return Undecided(free=tuple(left), withheld=frozenset(withheld))


def _going_on(workflow: Workflow, *, trigger: str) -> set[int]:
    """People with a run for another date that is about to see that the date has moved.

    It decides first, in this very pass; a new run in the same breath would do things twice.
    """
    open_runs = Run.objects.filter(
        workflow=workflow,
        trigger=trigger,
        status__in=[Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.WAITING],
    )
    return set(open_runs.values_list("person_id", flat=True))


def _free_keys(workflow: Workflow, unique: dict[str, Judgement], *, trigger: str) -> dict[str, str]:
    """Judgement key → the first key of its line that no run has; absent where one answers."""
    asking = {key: key for key in unique}
    free: dict[str, str] = {}
    generation = 1
    while asking:
        rows: dict[str, bool] = {}
        candidates = list(asking.values())
        for start in range(0, len(candidates), _CHUNK):
            found = Run.objects.filter(key__in=candidates[start : start + _CHUNK])
            dropped = set(found.filter(DROPPED_BY_MOVE).values_list("key", flat=True))
            rows |= {key: key in dropped for key in found.values_list("key", flat=True)}
        free |= {key: used for key, used in asking.items() if used not in rows}
        generation += 1
        asking = {
            key: _later_key(workflow, unique[key], trigger=trigger, generation=generation)
            for key, used in asking.items()
            if rows.get(used)
        }
    return free


def _later_key(workflow: Workflow, judged: Judgement, *, trigger: str, generation: int) -> str:
    anchor = f"{judged.occurrence.anchor}\x1f{generation}"
    return run_key(workflow.key, judged.person.id, trigger, anchor)
