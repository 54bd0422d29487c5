"""Before something grave: confirm that it is you, if the last proof is older than a quarter hour.

A view that is grave says so by :func:`confirm_first`, or asks :func:`confirm_asked` once it knows
that it is. The person comes to a page, confirms, and goes on with what was typed. What was typed
travels in the page, and in the session where the way leads over the identity provider; forms with
secrets are asked before they are shown, and what is typed into them is kept nowhere.
"""

from __future__ import annotations

from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.throttle import Throttle
from siit_remote.sessions import confirmed_within, session_confirm
from siit_remote.ways_in import password_allowed, provider_configured

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")

DOING: Final = {
    "connect": "connect another system",
    "secret": "change how a system is connected",
    "signing_key": "replace a signing key",
    "disconnect": "disconnect a system",
    "release": "release what is held",
    "limits": "change the limits",
    "approve": "approve what takes something from somebody",
    "publish": "publish a workflow that takes something from people",
    "admin": "change accounts, roles, connections or settings in the site admin",
}
"""What is grave, completing “You are about to …”."""
WITHIN: Final = timedelta(minutes=15)
TYPING: Final = timedelta(minutes=5)
"""What must be left of it before a form with secrets is shown, so that it is not typed in vain."""
TRIES: Final = 5
GUESSES: Final = Throttle(name="sign-in", most=TRIES, seconds=15 * 60)
"""Tries with a password of one account from one address, wherever it is typed."""
THROTTLED: Final = "Too many failed tries. Wait 15 minutes, then try again."
PASSWORD, BACK = "confirm_password", "confirm_back"
_OURS: Final = frozenset({PASSWORD, BACK, "csrfmiddlewaretoken"})
_PENDING: Final = "confirm_pending"
_MOST_KEPT: Final = 100_000
_WRONG = "That is not your password. Check it and try again."
_NOT_KEPT = (
    "Nothing was done: it was too long ago that you confirmed that it is you. Secrets are kept "
    "nowhere, so enter it once more."
)


def guesser(request: HttpRequest | None, username: str) -> tuple[str, str]:
    """Who guesses, for :data:`GUESSES`."""
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    return username.strip().casefold(), address


def confirm_first(doing: str, *, secrets: bool = False) -> Callable[[View], View]:
    """Let a view do its work only within :data:`WITHIN` of a proof of who it is.

    Written below the decorator that says who may. ``doing`` is a key of :data:`DOING`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if asked := confirm_asked(request, doing=doing, secrets=secrets):
                return asked
            return view(request, *args, **kwargs)

        return cast("View", guarded)

    return decorate


def confirmed_lately(request: HttpRequest) -> bool:
    """Whether nothing has to be asked, for views that would otherwise have to find out why."""
    return confirmed_within(request, WITHIN)


def confirmed_to_type(request: HttpRequest) -> bool:
    """Whether there is time left to fill in a form with secrets."""
    return confirmed_within(request, WITHIN - TYPING)


def confirm_asked(
    request: HttpRequest, *, doing: str, secrets: bool = False
) -> HttpResponse | None:
    """The page that asks, or ``None`` when it is known who sits there.

    Without ``secrets`` only a POST is asked, and what it brought is carried on. With ``secrets``
    a GET is asked too, and a POST that comes too late brings nothing along.
    """
    if request.method != "POST":
        fine = not secrets or confirmed_to_type(request)
        return None if fine else _elsewhere(request, doing)
    problem, status = "", 403
    if not secrets and PASSWORD in request.POST and not confirmed_lately(request):
        problem, status = password_confirm(request, request.POST[PASSWORD])
    if confirmed_lately(request):
        _settle(request)
        return None
    if secrets:
        messages.warning(request, _NOT_KEPT)
        return _elsewhere(request, doing)
    return _carrying(request, doing=doing, problem=problem, status=status)


def password_confirm(request: HttpRequest, password: str) -> tuple[str, int]:
    """Check the password of who is signed in: ("", 200), or what is wrong and its status."""
    username = request.user.get_username()
    if not ways(request)["by_password"]:
        return "Your account has no password here.", 422
    if not GUESSES.take(*guesser(request, username)):
        return THROTTLED, 429
    found = authenticate(request, username=username, password=password)
    if found is None or found.pk != request.user.pk:
        confirm_record(request, "user.confirm_failed", by="password")
        return _WRONG, 422
    GUESSES.forget(*guesser(request, username))
    confirm_accept(request, at=clock.system_now(), by="password")
    return "", 200


def confirm_accept(request: HttpRequest, *, at: datetime, by: str) -> None:
    """Take it as proved at ``at`` who sits there, under a new key of the session."""
    session_confirm(request, at=at)
    request.session.cycle_key()
    confirm_record(request, "user.confirmed", by=by)


def confirm_record(request: HttpRequest, action: str, *, by: str) -> None:
    """Write down that somebody confirmed, or failed to."""
    name = request.user.get_username()
    record(action, actor=request.user, object_type="user", object_key=name, detail={"by": by})


def inside(request: HttpRequest, url: str, *, otherwise: str = "/") -> str:
    """``url`` if it stays on this site, else ``otherwise``."""
    fine = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if url and fine else otherwise


def ways(request: HttpRequest) -> dict[str, bool]:
    """By what the signed-in person can confirm."""
    return {
        "by_password": (
            password_allowed()
            and request.user.is_authenticated
            and request.user.has_usable_password()
        ),
        "by_provider": provider_configured(),
    }


def pending(request: HttpRequest) -> dict[str, Any] | None:
    """What waits in the session to be gone on with."""
    kept: dict[str, Any] | None = request.session.get(_PENDING)
    return kept


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        for value in values
        if name not in _OURS
    ]


def _back(request: HttpRequest) -> str:
    told = request.POST.get(BACK) or request.headers.get("Referer", "")
    return inside(request, told)


def _keep(request: HttpRequest, doing: str) -> bool:
    """Keep what was typed while the person is at the provider. False: there is too much of it."""
    request.session.pop(_PENDING, None)
    fields = _typed(request)
    if sum(len(name) + len(value) for name, value in fields) > _MOST_KEPT:
        return False
    request.session[_PENDING] = {
        "path": request.get_full_path(),
        "fields": fields,
        "doing": doing,
        "back": _back(request),
    }
    return True


def _settle(request: HttpRequest) -> None:
    """What was kept is used up by being sent."""
    kept = pending(request)
    if kept is not None and kept["path"] == request.get_full_path():
        del request.session[_PENDING]


def _carrying(request: HttpRequest, *, doing: str, problem: str, status: int) -> HttpResponse:
    """The page in the place of the answer; its form sends what was typed to the same address."""
    back = _back(request)
    kept = provider_configured() and _keep(request, doing)
    context = {
        "doing": DOING[doing],
        "problem": problem,
        "action": request.get_full_path(),
        "fields": _typed(request),
        "back": back,
        "next": "" if kept else back,
        "lost": provider_configured() and not kept,
        "provider": settings.OIDC_NAME,
        **ways(request),
    }
    return render(request, "registration/confirm.html", context, status=status)


def _elsewhere(request: HttpRequest, doing: str) -> HttpResponse:
    """On to the page of its own, which leads back to the form."""
    target = _back(request) if request.method == "POST" else request.get_full_path()
    query = urlencode({"next": target, "doing": doing})
    return redirect(f"{reverse('confirm')}?{query}")
