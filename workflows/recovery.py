"""After a restored backup nothing is taken from anybody until a person has looked.

The database counts its passes (:class:`Installation`); the witness outside remembers the count. A
database that has come less far than its own witness was put back to an earlier day.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from siit_remote.audit.services import record
from siit_remote.lib import clock
from workflows.models import Installation, RecoveryHold
from workflows.witness import Witness, witness_folder, witness_read, witness_write

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

logger = logging.getLogger(__name__)
PERMISSION: Final = "workflows.release_hold"
"""Who may put it on and end it: owners and HR admins."""
GOES_ON: Final = (
    "Nothing is taken from anybody until an owner or HR admin has compared and lets it go on."
)


def audit_head_path() -> Path | None:
    """Where the end of this installation's activity log is noted; ``None``: nowhere."""
    folder = witness_folder()
    return folder / f"audit-{installation().identity}.json" if folder is not None else None


def installation() -> Installation:
    """The row of this database, made when it is missing."""
    return Installation.objects.get_or_create(pk=1)[0]


def recovery_open() -> RecoveryHold | None:
    """The recovery hold that is on now."""
    return RecoveryHold.objects.filter(closed_at=None).select_related("opened_by").first()


def recovery_words(hold: RecoveryHold) -> str:
    """Why it is on, in one or two sentences without what follows from it."""
    if hold.found_by_witness:
        return (
            f"The database was put back to {_moment(hold.stands_at)}; it was worked with until "
            f"{_moment(hold.worked_until)}, and it does not know what was done in between."
        )
    back = f", made {_moment(hold.stands_at)}" if hold.stands_at else ""
    return f"Held by hand since {_moment(hold.opened_at)} because of a restored backup{back}."


def recovery_trouble() -> str:
    """Why nothing may be taken from anybody because of a restored backup; ``""`` without one."""
    hold = recovery_open()
    return f"{recovery_words(hold)} {GOES_ON}" if hold is not None else ""


def recovery_watch(*, now: datetime) -> bool:
    """Move the count on, here and outside; True when the database turns out to be put back.

    ``now`` (UTC) is when a hold begins; the count itself goes by the machine's clock. Safe to call
    anywhere, any number of times and at once.
    """
    if witness_folder() is None:
        return False
    identity = installation().identity
    # Read before the database: whoever wrote it had committed what it says.
    seen = witness_read(identity)
    at = clock.system_now()
    with transaction.atomic():
        row = Installation.objects.select_for_update().get(pk=1)
        behind = seen is not None and row.position < seen.position
        if seen is not None and behind:
            _found(row, seen, now=now)
            # Past the witnesses of every machine: it is found once.
            row.position = seen.position
        row.position += 1
        row.seen_at = at
        row.save(update_fields=["position", "seen_at"])
        witness = Witness(position=row.position, seen_at=at)
        transaction.on_commit(lambda: _tell_witness(identity, witness))
    return behind


def _tell_witness(identity: UUID, witness: Witness) -> None:
    witness_write(identity, witness)


def _found(row: Installation, seen: Witness, *, now: datetime) -> None:
    logger.error(
        "The database stands at %s and was worked with until %s: a backup was restored",
        row.seen_at,
        seen.seen_at,
    )
    values = {
        "found_by_witness": True,
        "stands_at": row.seen_at,
        "worked_until": seen.seen_at,
        "opened_at": now,
        "mailed_to": 0,
    }
    hold = recovery_open() or RecoveryHold()
    for name, value in values.items():
        setattr(hold, name, value)
    _open(hold, actor=None)


def recovery_begin(
    *, reason: str, now: datetime, actor: Actor, stands_at: datetime | None = None
) -> bool:
    """Put the hold on by hand at ``now`` (UTC). False when it is on already.

    ``stands_at``: when the restored backup was made, where that is known.
    """
    if recovery_open() is not None:
        return False
    by = actor if actor is not None and actor.is_authenticated else None
    hold = RecoveryHold(
        reason=reason,
        stands_at=stands_at,
        opened_at=now,
        opened_by_id=by.pk if by is not None else None,
    )
    try:
        with transaction.atomic():
            _open(hold, actor=actor)
    except IntegrityError:
        # Somebody else was quicker.
        return False
    return True


def _open(hold: RecoveryHold, *, actor: Actor) -> None:
    hold.save()
    record(
        "recovery.begun",
        actor=actor,
        object_type="recovery",
        object_key=str(hold.pk),
        object_label="Restored backup",
        detail={"why": hold.reason or recovery_words(hold), "witness": hold.found_by_witness},
    )


def recovery_seal(hold: RecoveryHold) -> str:
    """What a page shows the hold by: another one, or the same begun anew, has another."""
    return f"{hold.pk}:{hold.opened_at.isoformat()}"


def recovery_end(*, seal: str, reason: str, now: datetime, actor: Actor) -> bool:
    """Let everything go on from ``now`` (UTC). False when it is not the hold of ``seal`` any more.

    ``seal``: see :func:`recovery_seal`; nobody ends a hold that they have not seen.
    """
    by = actor if actor is not None and actor.is_authenticated else None
    with transaction.atomic():
        hold = RecoveryHold.objects.select_for_update().filter(closed_at=None).first()
        if hold is None or recovery_seal(hold) != seal:
            return False
        hold.closed_at = now
        hold.closed_by_id = by.pk if by is not None else None
        hold.closing_reason = reason
        hold.save(update_fields=["closed_at", "closed_by", "closing_reason"])
        record(
            "recovery.ended",
            actor=actor,
            object_type="recovery",
            object_key=str(hold.pk),
            object_label="Restored backup",
            detail={"reason": reason, "was": recovery_words(hold)},
        )
    return True


def _moment(at: datetime | None) -> str:
    return f"{at:%-d %b %Y, %H:%M} UTC" if at is not None else "an unknown moment"
