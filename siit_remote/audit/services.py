"""Write and verify the audit log."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from siit_remote.audit.actions import ACTIONS
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

SYSTEM = "system"
_CHAIN_LOCK = 7_201_931


def _hash(entry: AuditEntry) -> str:
    body = json.dumps(
        [
            entry.previous_hash,
            entry.at.isoformat(),
            entry.actor_label,
            entry.action,
            entry.object_type,
            entry.object_key,
            entry.object_label,
            entry.detail,
            entry.correlation,
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(body.encode()).hexdigest()


def record(
    action: str,
    *,
    actor: AbstractBaseUser | AnonymousUser | None = None,
    actor_label: str = "",
    object_type: str = "",
    object_key: str = "",
    object_label: str = "",
    detail: dict[str, Any] | None = None,
    correlation: str = "",
) -> AuditEntry:
    """Append one entry in the caller's transaction.

    ``detail`` must be JSON and hold no secret. Raises ``KeyError`` for an action that is not in
    :data:`siit_remote.audit.actions.ACTIONS`: an unnamed action is a programming error.
    """
    if action not in ACTIONS:
        raise KeyError(f"Unknown audit action {action!r}; add it to siit_remote.audit.actions.")
    user = actor if actor is not None and actor.is_authenticated else None
    # No savepoint: what an entry stands for is not done without it either.
    with transaction.atomic(savepoint=False):
        if connection.vendor == "postgresql":
            # Writers stand in line for the chain's end; SQLite has only one writer anyway.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
        last = AuditEntry.objects.order_by("-pk").values_list("hash", flat=True).first()
        entry = AuditEntry(
            at=clock.now(),
            actor_id=user.pk if user is not None else None,
            actor_label=actor_label or (user.get_username() if user is not None else SYSTEM),
            action=action,
            object_type=object_type,
            object_key=object_key,
            object_label=object_label[:300],
            detail=detail or {},
            correlation=correlation,
            previous_hash=last or "",
        )
        entry.hash = _hash(entry)
        entry.save(force_insert=True)
    return entry


def verify_chain() -> int | None:
    """The primary key of the first entry whose hash does not hold, or ``None`` when all do."""
    previous = ""
    for entry in AuditEntry.objects.order_by("pk").iterator(chunk_size=2000):
        if entry.previous_hash != previous or entry.hash != _hash(entry):
            return int(entry.pk)
        previous = entry.hash
    return None
