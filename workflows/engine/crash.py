"""Named points at which a test may kill this process, to prove that nothing is lost or doubled.

``SIIT_CRASH_AT=name`` or ``name:3`` (the third time) ends the process with SIGKILL. Production
settings never read it.
"""

from __future__ import annotations

import os
import signal

from django.conf import settings

POINTS = (
    "plan.before_commit",
    "plan.after_commit",
    "claim.after_commit",
    "attempt.before_commit",
    "attempt.after_commit",
    "effect.before",
    "effect.after",
    "outcome.before_commit",
    "outcome.after_commit",
    "run.before_finish",
)

_seen: dict[str, int] = {}


def point(name: str) -> None:
    """Die here if a test asked for it."""
    wanted = os.environ.get("SIIT_CRASH_AT", "")
    if not wanted or settings.PRODUCTION:
        return
    where, _, count = wanted.partition(":")
    if where != name:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if _seen[name] == int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
