"""What people choose to do about a difference: ticked one by one, never all at once by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from integrations.access_rows import Hand, access_declare, access_note, access_open
from integrations.models import AppAccess, Application, ReportedAccess
from people.models import Person
from siit_remote.audit.services import record
from workflows.access.drift import drift_count
from workflows.access.runs import GIVE, TAKE, access_runs_start
from workflows.models import Run
from workflows.services import RefusedError

if TYPE_CHECKING:
    from workflows.services import Actor

GIVE_IT, TAKE_IT, WRITE_DOWN, STRIKE_OUT = "give", "take", "record", "strike"
ACTS = (GIVE_IT, TAKE_IT, WRITE_DOWN, STRIKE_OUT)
MOST = 200
"""So many are ticked at once at most: a page's worth."""
State = AppAccess.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One application for one person."""

    application: Application
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What came of it: runs that were started (some of them held), rows that were written."""

    runs: tuple[Run, ...] = ()
    written: int = 0
    passed_over: int = 0

    @property
    def held(self) -> int:
        """How many wait for a second person."""
        return sum(run.status == Run.Status.HELD for run in self.runs)


def access_mend(
    pairs: Iterable[Pair], act: str, *, reason: str, now: datetime, actor: Actor
) -> Mended:
    """Do ``act`` for the chosen pairs. Giving and taking are runs; writing down is done at once.

    What differs is counted again at once; what a run does, when it has done it.

    Raises :class:`RefusedError` for nothing chosen, too many, no reason or an unknown act.
    """
    chosen = list(pairs)
    if not chosen:
        raise RefusedError("Tick who is meant first.")
    if len(chosen) > MOST:
        raise RefusedError(f"Choose at most {MOST} at once.")
    if act not in ACTS:
        raise RefusedError("Say what is to be done.")
    if act in (TAKE_IT, STRIKE_OUT) and not reason.strip():
        raise RefusedError("Say why; the reason stays with the access.")
    why = reason.strip()[:300]
    if act in (GIVE_IT, TAKE_IT):
        done = _by_runs(chosen, act, why=why, now=now, actor=actor)
    else:
        done = _at_once(chosen, act, why=why, now=now, actor=actor)
    drift_count({pair.application.pk: pair.application for pair in chosen}.values(), now=now)
    return done


def _at_once(chosen: list[Pair], act: str, *, why: str, now: datetime, actor: Actor) -> Mended:
    written = 0
    with transaction.atomic():
        for pair in chosen:
            write = _write_down if act == WRITE_DOWN else _strike_out
            written += write(pair, why=why, now=now, actor=actor)
    return Mended(written=written, passed_over=len(chosen) - written)


def _by_runs(chosen: list[Pair], act: str, *, why: str, now: datetime, actor: Actor) -> Mended:
    wanted: dict[int, list[str]] = {}
    for pair in chosen:
        wanted.setdefault(pair.person.pk, []).append(pair.application.key)
    with transaction.atomic():
        runs = access_runs_start(
            wanted, action=GIVE if act == GIVE_IT else TAKE, why=why, now=now, actor=actor
        )
        by_person = {run.person_id: run for run in runs}
        if act == GIVE_IT:
            for pair in chosen:
                run = by_person.get(pair.person.pk)
                if run is not None:
                    _plan(pair, run, now=now)
        record(
            "access.mended",
            actor=actor,
            object_type="application",
            object_key=chosen[0].application.key if len(wanted) == len(chosen) else "",
            detail={
                "act": act,
                "reason": why,
                "pairs": [[pair.application.key, pair.person.pk] for pair in chosen],
                "runs": [run.pk for run in runs],
            },
        )
    return Mended(runs=tuple(runs), passed_over=len(wanted) - len(runs))


def _plan(pair: Pair, run: Run, *, now: datetime) -> None:
    """Write down that a run will give it; a row that is there already says more."""
    rows = AppAccess.objects.filter(application=pair.application, person=pair.person)
    if rows.exclude(state=State.REVOKED).exists():
        return
    hand = Hand(run_id=run.pk)
    row = access_open(
        pair.application,
        pair.person,
        state=State.PLANNED,
        aim=AppAccess.Aim.HAVE,
        hand=hand,
        now=now,
    )
    access_note(row, state=State.PLANNED, hand=hand, now=now)


def planned_forget(*, now: datetime) -> int:
    """Strike out what a run was to give that was cancelled or ended without giving it."""
    rows = AppAccess.objects.filter(state=State.PLANNED).select_related("application")
    open_runs = Run.objects.filter(status__in=Run.OPEN).values("pk")
    forgotten = 0
    for row in rows.exclude(run_id__in=open_runs):
        hand = Hand(run_id=row.run_id)
        words = "It was never given: the run ended before."
        forgotten += access_declare(
            row, state=State.REVOKED, evidence={}, hand=hand, now=now, words=words
        )
    return forgotten


def _hand(actor: Actor) -> Hand:
    return Hand(by_label=actor.get_username() if actor is not None else "system")


def _write_down(pair: Pair, *, why: str, now: datetime, actor: Actor) -> int:
    """Take a reported account into the record; only what is reported can be."""
    seen = ReportedAccess.objects.filter(
        application=pair.application, person=pair.person, gone_at__isnull=True
    ).first()
    if seen is None:
        return 0
    hand = _hand(actor)
    row = access_open(
        pair.application,
        pair.person,
        state=State.REQUESTED,
        aim=AppAccess.Aim.HAVE,
        hand=hand,
        now=now,
    )
    evidence = {"account": seen.external_id, "reported_at": seen.seen_at.isoformat()}
    words = why or "Written down as the connection reports it."
    return int(
        access_declare(row, state=State.GRANTED, evidence=evidence, hand=hand, now=now, words=words)
    )


def _strike_out(pair: Pair, *, why: str, now: datetime, actor: Actor) -> int:
    """Write down that it is gone; what the connection still reports cannot be struck out."""
    rows = ReportedAccess.objects.filter(
        application=pair.application, person=pair.person, gone_at__isnull=True
    )
    if pair.application.provision_by == Application.Provision.ACCOUNT:
        rows = rows.filter(active=True)
    row = (
        AppAccess.objects.filter(application=pair.application, person=pair.person)
        .exclude(state=State.REVOKED)
        .select_related("application")
        .first()
    )
    if row is None or rows.exists():
        return 0
    hand = _hand(actor)
    evidence = {"by": hand.by_label}
    return int(
        access_declare(row, state=State.REVOKED, evidence=evidence, hand=hand, now=now, words=why)
    )
