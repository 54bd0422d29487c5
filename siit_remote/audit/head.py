"""The end of the audit log, remembered outside the database.

The chain shows an entry that was changed, put in or taken out, but not that the last ones are gone
or that all of it was written anew. What stands in this file commits to everything before it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from siit_remote.audit.models import AuditEntry

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One entry, and when it was the last."""

    pk: int
    hash: str
    seen_at: datetime


def head_read(path: Path) -> Head | None:
    """What was noted; ``None`` without a file, ``ValueError`` for one that makes no sense."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Head(
            pk=int(kept["pk"]),
            hash=str(kept["hash"]),
            seen_at=datetime.fromisoformat(kept["seen_at"]),
        )
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} makes no sense.") from error


def head_trouble(path: Path) -> str:
    """Why the log is not the one that was seen; empty while it is, or where nothing was noted."""
    try:
        head = head_read(path)
    except ValueError as error:
        return str(error)
    if head is None or AuditEntry.objects.filter(pk=head.pk, hash=head.hash).exists():
        return ""
    return (
        f"the activity log is not the one seen on {head.seen_at:%d %b %Y %H:%M} UTC: its end was "
        "taken away, or all of it was written anew"
    )


def head_note(path: Path, *, now: datetime) -> bool:
    """Note the last entry; False where the log is not the one that was seen, which stays noted."""
    if head_trouble(path):
        return False
    last = AuditEntry.objects.order_by("-pk").values("pk", "hash").first()
    if last is None:
        return True
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    text = json.dumps({**last, "seen_at": now.isoformat()})
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return True
