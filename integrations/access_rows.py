"""The rows of access: opened, moved by conditional updates, each move written into the history."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from integrations.errors import (
    ConfigError,
    IntegrationError,
    PermanentError,
    TransientError,
    UncertainError,
)
from integrations.models import AccessEvent, AccessReading, AppAccess, Delivery
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integrations.models import Application
    from people.models import Person

State = AppAccess.State
Aim = AppAccess.Aim
_CALLS = 20
_WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """In whose hands a change lies: a run (its id), or a person (their label)."""

    run_id: int | None = None
    by_label: str = ""


def access_open(
    application: Application, person: Person, *, state: str, aim: str, hand: Hand, now: datetime
) -> AppAccess:
    """The one row that is not revoked, made where there is none."""
    rows = AppAccess.objects.filter(application=application, person=person).exclude(
        state=State.REVOKED
    )
    found = rows.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return AppAccess.objects.create(
                application=application,
                person=person,
                state=state,
                aim=aim,
                since=now,
                run_id=hand.run_id,
            )
    except IntegrityError:
        # Another run was faster; its row is the one.
        return rows.get()


def access_begin(row: AppAccess, *, state: str, aim: str, hand: Hand, now: datetime) -> None:
    """Write down what is about to happen, before it can happen. Raises ``TransientError``."""
    with transaction.atomic():
        changed = (
            AppAccess.objects.filter(pk=row.pk)
            .exclude(state=State.REVOKED)
            .update(state=state, aim=aim, run_id=hand.run_id)
        )
        if changed:
            _note_once(row, state=state, hand=hand, now=now)
    if not changed:
        raise TransientError("The access was changed by somebody else just now; it is tried again.")
    row.state, row.aim, row.run_id = state, aim, hand.run_id


def access_wait(row: AppAccess, *, words: str, hand: Hand, now: datetime) -> None:
    """A person has to do it; the row says so until somebody has."""
    with transaction.atomic():
        changed = AppAccess.objects.filter(
            pk=row.pk, state__in=[State.REQUESTED, State.REVOKING]
        ).update(state=State.BY_HAND)
        if changed:
            _note_once(row, state=State.BY_HAND, hand=hand, now=now, words=words)
    row.state = State.BY_HAND


@contextlib.contextmanager
def settled_by(row: AppAccess, *, during: str, hand: Hand, now: datetime) -> Iterator[None]:
    """Write down what went wrong inside: failed for good, or sent without an answer."""
    try:
        yield
    except UncertainError as error:
        _end_badly(row, error, state=State.UNCERTAIN, during=during, hand=hand, now=now)
        raise
    except (PermanentError, ConfigError) as error:
        _end_badly(row, error, state=State.FAILED, during=during, hand=hand, now=now)
        raise


def _end_badly(
    row: AppAccess,
    error: IntegrationError,
    *,
    state: str,
    during: str,
    hand: Hand,
    now: datetime,
) -> None:
    evidence = {"error": error.code, "request_id": error.request_id[:120]}
    with transaction.atomic():
        changed = AppAccess.objects.filter(pk=row.pk, state=during).update(
            state=state, evidence=evidence
        )
        if changed:
            access_note(
                row, state=state, hand=hand, now=now, words=error.message, evidence=evidence
            )
    row.state = state


def access_finish(
    row: AppAccess,
    *,
    during: str,
    state: str,
    evidence: dict[str, Any],
    hand: Hand,
    now: datetime,
    words: str = "",
) -> None:
    """Settle a row that is still ``during``. Raises ``TransientError`` where it is not."""
    with transaction.atomic():
        changed = AppAccess.objects.filter(pk=row.pk, state=during).update(
            **_settled(row, state=state, now=now), evidence=evidence
        )
        if changed:
            _told(row, state=state, evidence=evidence, hand=hand, now=now, words=words)
    if not changed:
        raise TransientError(
            "The access was changed by somebody else meanwhile; it is looked at again."
        )
    row.state = state


def access_declare(
    row: AppAccess,
    *,
    state: str,
    evidence: dict[str, Any],
    hand: Hand,
    now: datetime,
    words: str = "",
) -> bool:
    """Settle a row by what somebody says or a reading shows; false when it was settled so.

    A row that ended stays ended: who has the application again has a new row.
    """
    with transaction.atomic():
        changed = (
            AppAccess.objects.filter(pk=row.pk)
            .exclude(state__in=[State.REVOKED, state])
            .update(**_settled(row, state=state, now=now), evidence=evidence)
        )
        if changed:
            _told(row, state=state, evidence=evidence, hand=hand, now=now, words=words)
    if changed:
        row.state = state
    return bool(changed)


def access_refused(
    access_id: int, *, words: str, evidence: dict[str, Any], hand: Hand, now: datetime
) -> None:
    """Somebody who was asked says that it cannot be done: it failed, and stays open."""
    waiting = [State.BY_HAND, State.REQUESTED, State.REVOKING]
    with transaction.atomic():
        rows = AppAccess.objects.filter(pk=access_id, state__in=waiting)
        if rows.update(state=State.FAILED, evidence=evidence):
            row = AppAccess.objects.get(pk=access_id)
            # The run stays the one that waits for it; the history says who refused.
            access_note(row, state=State.FAILED, hand=hand, now=now, words=words, evidence=evidence)


def _settled(row: AppAccess, *, state: str, now: datetime) -> dict[str, Any]:
    if state == State.REVOKED:
        return {"state": state, "aim": Aim.GONE, "ended_at": now}
    return {"state": state, "aim": Aim.HAVE, "since": now}


def _told(
    row: AppAccess,
    *,
    state: str,
    evidence: dict[str, Any],
    hand: Hand,
    now: datetime,
    words: str,
) -> None:
    access_note(row, state=state, hand=hand, now=now, words=words, evidence=evidence)
    record(
        "access.granted" if state == State.GRANTED else "access.revoked",
        actor_label=hand.by_label,
        object_type="application",
        object_key=row.application.key,
        object_label=row.application.name,
        detail={"person": row.person_id, "run": hand.run_id},
    )


def access_note(
    row: AppAccess,
    *,
    state: str,
    hand: Hand,
    now: datetime,
    words: str = "",
    evidence: dict[str, Any] | None = None,
) -> None:
    """Add to the history of a row; how far the application differs is counted anew."""
    AccessReading.mark_changed(row.application_id)
    AccessEvent.objects.create(
        access=row,
        at=now,
        state=state,
        run_id=hand.run_id,
        by_label=hand.by_label[:200],
        words=words[:_WORDS],
        evidence=evidence or {},
    )


def _note_once(row: AppAccess, *, state: str, hand: Hand, now: datetime, words: str = "") -> None:
    """A step that is tried again does not tell the same thing again."""
    last = row.events.last()
    if last is None or (last.state, last.run_id) != (state, hand.run_id):
        access_note(row, state=state, hand=hand, now=now, words=words)


def calls_of(idempotency_key: str) -> list[dict[str, Any]]:
    """The attempts that carried this key, as evidence: what was asked, status and request id."""
    if not idempotency_key:
        return []
    rows = Delivery.objects.filter(idempotency_key=idempotency_key[:120]).order_by("-pk")[:_CALLS]
    return [
        {
            "call": row.operation,
            "at": row.started_at.isoformat(),
            "status": row.status_code,
            "request_id": row.request_id,
        }
        for row in reversed(rows)
    ]
