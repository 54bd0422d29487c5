"""How long a session lasts, and when somebody last proved in it who they are.

A session holds three moments (Unix times): ``signed_in_at``, ``seen_at`` and ``confirmed_at``. All
are the machine's clock, which does not travel.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.middleware import SessionMiddleware
from django.dispatch import receiver

from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

SIGNED_IN, SEEN, CONFIRMED = "signed_in_at", "seen_at", "confirmed_at"
BACKGROUND: Final = "X-Background"
"""Header of what a page asks by itself: it keeps nobody signed in."""
_WRITTEN_EVERY: Final = 60
"""Seconds between two writes of ``seen_at``; a write per request would be felt."""


# A signal, because every way in ends there: the password, the provider, the tests' own.
@receiver(user_logged_in)
def session_begin(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Write the three moments into the session that has just begun."""
    now = clock.system_now().timestamp()
    request.session.update({SIGNED_IN: now, SEEN: now, CONFIRMED: now})


def session_confirm(request: HttpRequest, *, at: datetime | None) -> None:
    """Write down when it was last proved who sits there; ``None``: nobody can say."""
    request.session[CONFIRMED] = at.timestamp() if at is not None else None


def confirmed_within(request: HttpRequest, limit: timedelta) -> bool:
    """Whether the last proof is no older than ``limit``; one from the future proves nothing."""
    at = request.session.get(CONFIRMED)
    if not isinstance(at, int | float):
        return False
    return -1 <= clock.system_now().timestamp() - at <= limit.total_seconds()


def _ended(request: HttpRequest, now: float) -> str:
    """Why the session is over, in words; empty while it is not."""
    session = request.session
    if now - session[SIGNED_IN] > settings.SESSION_COOKIE_AGE:
        return f"You were signed out: a sign-in lasts {settings.SESSION_HOURS} hours."
    idle = settings.SESSION_IDLE_MINUTES
    if idle and now - session[SEEN] > idle * 60:
        return f"You were signed out after {idle} minutes without use. Sign in again to go on."
    return ""


class KeptSessionMiddleware(SessionMiddleware):
    """Django's, but what a page asks by itself never takes the browser's cookie away.

    A proof gives the session a new key. A question sent with the old one a moment before would find
    nothing, and its answer would sign out who has just proved who they are.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session as Django does; answer a page's own questions without its cookie."""
        answered = super().process_response(request, response)
        if BACKGROUND in request.headers:
            answered.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        return answered


class SessionLimitsMiddleware:
    """Ends a session that is too old, or that nobody used for too long.

    Django counts the age of a session from its last change, so its own setting never ends one that
    is used.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._look(request)
        return self.get_response(request)

    @staticmethod
    def _look(request: HttpRequest) -> None:
        now = clock.system_now().timestamp()
        session = request.session
        if SIGNED_IN not in session or SEEN not in session:
            # Begun before these moments were kept: it counts from here.
            session.update({SIGNED_IN: session.get(SIGNED_IN, now), SEEN: now})
        if why := _ended(request, now):
            logout(request)
            messages.info(request, why)
        elif BACKGROUND not in request.headers and now - session[SEEN] > _WRITTEN_EVERY:
            session[SEEN] = now
