"""Sessions of tests, made older. ``force_login`` begins one as a sign-in does: fresh."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from siit_remote.sessions import CONFIRMED, SEEN, SIGNED_IN

if TYPE_CHECKING:
    from django.test import Client


def session_age(client: Client, minutes: float, *which: str) -> None:
    """Put the moments of ``client``'s session (all, or ``which``) back by ``minutes``."""
    session: Any = client.session
    for name in which or (SIGNED_IN, SEEN, CONFIRMED):
        session[name] -= timedelta(minutes=minutes).total_seconds()
    session.save()


def proof_age(client: Client, minutes: float) -> None:
    """Let it be ``minutes`` ago that it was proved who sits there; the session goes on."""
    session_age(client, minutes, CONFIRMED)
