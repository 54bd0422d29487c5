"""Who has which application: give, take away, and see what remains.

Each change is written down before the call and settled after it, by conditional updates: a crash
in between leaves a row that says what was under way, and repeating the same call is safe. Every
state a row passes through stays in its history (:class:`integrations.models.AccessEvent`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.access_calls import by_hand, give, is_readable, reported, take
from integrations.access_rows import (
    Hand,
    access_begin,
    access_declare,
    access_finish,
    access_note,
    access_open,
    access_wait,
    settled_by,
)
from integrations.accounts import account_ensure, account_suspend, refuse_protected
from integrations.models import AppAccess, Application, Connection
from siit_remote.lib import clock

if TYPE_CHECKING:
    from datetime import datetime

    from people.models import Person

__all__ = [
    "AccessResult",
    "access_confirm_gone",
    "access_expire_at",
    "access_grant",
    "access_recorded",
    "access_remaining",
    "access_reported",
    "access_revoke",
    "access_still_there",
    "account_ensure",
    "account_suspend",
]

State = AppAccess.State
Aim = AppAccess.Aim
Provision = Application.Provision


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessResult:
    """How it stands. ``needs_task``: a person has to do it; settle row ``access_id`` when done."""

    state: str
    summary: str
    access_id: int
    needs_task: bool = False


def access_grant(
    application: Application,
    person: Person,
    *,
    run_id: int | None,
    idempotency_key: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> AccessResult:
    """Give the application. Having it already is success, and is made sure of.

    ``expires_at``: when it is taken away again; ``None`` leaves what stands there. Raises
    ``IntegrationError``; the row then says being given (tried again), failed or uncertain.
    """
    hand = Hand(run_id=run_id)
    row = access_open(application, person, state=State.REQUESTED, aim=Aim.HAVE, hand=hand, now=now)
    if expires_at is not None:
        access_expire_at(row, expires_at=expires_at, hand=hand, now=now)
    had_it = row.state == State.GRANTED
    if not had_it:
        access_begin(row, state=State.REQUESTED, aim=Aim.HAVE, hand=hand, now=now)
    if by_hand(application) or (had_it and application.provision_by == Provision.HTTP):
        if had_it:
            return _result(row, f"The person already has {application.name}.")
        return _waiting(row, application, word="given", hand=hand, now=now)
    with settled_by(row, during=State.REQUESTED, hand=hand, now=now):
        evidence = give(application, person, idempotency_key=idempotency_key, now=now)
    if not had_it:
        access_finish(
            row, during=State.REQUESTED, state=State.GRANTED, evidence=evidence, hand=hand, now=now
        )
    word = "already has" if had_it else "now has"
    return _result(row, f"The person {word} {application.name}.")


def access_revoke(
    application: Application,
    person: Person,
    *,
    run_id: int | None,
    idempotency_key: str,
    now: datetime,
    protection_released: bool = False,
) -> AccessResult:
    """Take the application away. Not having it is success, and is made sure of by reading.

    Raises ``IntegrationError`` (``PermanentError`` for a protected person whom nobody has released
    by name); the row then says being taken away (tried again), failed or uncertain.
    """
    if not protection_released:
        refuse_protected(person)
    hand = Hand(run_id=run_id)
    row = access_open(application, person, state=State.REVOKING, aim=Aim.GONE, hand=hand, now=now)
    if row.state == State.BY_HAND and row.aim == Aim.GONE and by_hand(application):
        # Somebody was asked already; the run that asks again waits for the same answer.
        AppAccess.objects.filter(pk=row.pk, state=State.BY_HAND).update(run_id=run_id)
        return _by_hand(row, application, word="taken away")
    access_begin(row, state=State.REVOKING, aim=Aim.GONE, hand=hand, now=now)
    if by_hand(application):
        return _waiting(row, application, word="taken away", hand=hand, now=now)
    with settled_by(row, during=State.REVOKING, hand=hand, now=now):
        evidence = take(application, person, idempotency_key=idempotency_key, now=now)
    access_finish(
        row, during=State.REVOKING, state=State.REVOKED, evidence=evidence, hand=hand, now=now
    )
    return _result(row, f"The person no longer has {application.name}.")


def access_recorded(person: Person) -> list[Application]:
    """Applications with an open row, by key. Asks nobody outside."""
    return list(
        Application.objects.filter(
            accesses__person=person, accesses__state__in=AppAccess.OPEN_STATES
        )
        .select_related("connection", "owner")
        .order_by("key")
        .distinct()
    )


def access_remaining(person: Person, *, now: datetime | None = None) -> list[Application]:
    """What the person still has: what is recorded, and what the connections report, by key.

    Raises ``IntegrationError`` when a connection cannot be asked: then nobody can say that
    nothing remains.
    """
    now = now or clock.now()
    remaining = {application.key: application for application in access_recorded(person)}
    for application in access_reported(person, now=now):
        remaining.setdefault(application.key, application)
    return [remaining[key] for key in sorted(remaining)]


def access_reported(person: Person, *, now: datetime) -> list[Application]:
    """What the connections report the person to have, asked now. Raises ``IntegrationError``."""
    rows = Connection.objects.filter(
        status__in=[Connection.Status.READY, Connection.Status.NEEDS_ATTENTION]
    ).order_by("key")
    return [
        application for connection in rows for application in reported(connection, person, now=now)
    ]


def access_still_there(
    application: Application, person: Person, *, run_id: int | None, now: datetime
) -> None:
    """Write down that a connection still reports what was taken away: it is open again."""
    hand = Hand(run_id=run_id)
    row = access_open(application, person, state=State.REVOKING, aim=Aim.GONE, hand=hand, now=now)
    words = "Read again afterwards: the connection still reports it."
    AppAccess.objects.filter(pk=row.pk).exclude(state=State.REVOKED).update(
        state=State.REVOKING, aim=Aim.GONE, run_id=run_id
    )
    access_note(row, state=State.REVOKING, hand=hand, now=now, words=words)


def access_confirm_gone(row: AppAccess, *, now: datetime) -> bool:
    """Whether the connection reports that it is gone; the row is then settled by that reading.

    Where nobody can be asked nothing changes. Raises ``IntegrationError``.
    """
    application = row.application
    if not is_readable(application) or application.connection is None:
        return False
    if reported(application.connection, row.person, now=now, only=application):
        return False
    evidence = {
        "connection": application.connection.key,
        "read_back": "the connection does not report it any more",
        "read_at": now.isoformat(),
    }
    return access_declare(
        row,
        state=State.REVOKED,
        evidence=evidence,
        hand=Hand(run_id=row.run_id),
        now=now,
        words="Read at the connection: it is gone.",
    )


def access_expire_at(
    row: AppAccess, *, expires_at: datetime | None, hand: Hand, now: datetime
) -> None:
    """Set or lift the moment at which an access ends by itself."""
    if row.expires_at == expires_at:
        return
    rows = AppAccess.objects.filter(pk=row.pk).exclude(state=State.REVOKED)
    if rows.update(expires_at=expires_at, expiry_told_at=None):
        words = f"Ends on {expires_at:%-d %b %Y}." if expires_at else "Ends on no day any more."
        access_note(row, state=row.state, hand=hand, now=now, words=words)
        row.expires_at = expires_at


def _waiting(
    row: AppAccess, application: Application, *, word: str, hand: Hand, now: datetime
) -> AccessResult:
    result = _by_hand(row, application, word=word)
    access_wait(row, words=result.summary, hand=hand, now=now)
    return result


def _by_hand(row: AppAccess, application: Application, *, word: str) -> AccessResult:
    return AccessResult(
        state=State.BY_HAND,
        summary=f"{application.name} has to be {word} by hand.",
        access_id=row.pk,
        needs_task=True,
    )


def _result(row: AppAccess, summary: str) -> AccessResult:
    return AccessResult(state=row.state, summary=summary, access_id=row.pk)
