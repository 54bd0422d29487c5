"""The two addresses of a sign-in by the identity provider, and whose account it is."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.confirming import confirm_accept, confirm_record, inside
from siit_remote.lib import clock
from siit_remote.oidc import (
    PENDING_SECONDS,
    Pending,
    Provider,
    SignInRefusedError,
    proved_again_at,
    proved_at,
    verified_email,
)
from siit_remote.roles import EMPLOYEE, MANAGER, user_roles_set
from siit_remote.sessions import session_confirm
from siit_remote.ways_in import provider_configured

_SESSION = "provider_sign_in"
_BACKEND = "django.contrib.auth.backends.ModelBackend"
_BY = "identity provider"


def _back() -> str:
    """Where the provider sends the visitor back to; registered there."""
    return f"{settings.SITE_URL}{reverse('provider-back')}"


@require_GET
def provider_start(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the provider. A link, because the content policy keeps forms here."""
    if not provider_configured():
        raise Http404
    confirm = "confirm" in request.GET and request.user.is_authenticated
    pending = Pending.begin(
        next_url=inside(
            request,
            request.GET.get("next", ""),
            otherwise=reverse("confirm") if confirm else reverse("home"),
        ),
        now=clock.system_now(),
        confirm=confirm,
    )
    try:
        url = Provider().authorization_url(pending, back=_back())
    except SignInRefusedError as error:
        return _refused(request, str(error), pending)
    request.session[_SESSION] = asdict(pending)
    return redirect(url)


@require_GET
def provider_back(request: HttpRequest) -> HttpResponse:
    """The provider's answer: judged, then signed in as the person with that work email."""
    if not provider_configured():
        raise Http404
    pending = None
    try:
        pending = _pending(request)
        _look(request, pending)
        claims = Provider().claims(request.GET.get("code", ""), pending, back=_back())
        user = user_of(verified_email(claims))
        if pending.confirm:
            return _confirmed(request, pending, claims, user)
    except SignInRefusedError as error:
        return _refused(request, str(error), pending)
    login(request, user, backend=_BACKEND)
    # A provider lets people pass for days without asking who they are.
    session_confirm(request, at=proved_at(claims, now=clock.system_now()))
    record(
        "user.signed_in",
        actor=user,
        object_type="user",
        object_key=user.get_username(),
        detail={"by": _BY},
    )
    return redirect(inside(request, pending.next))


def _confirmed(
    request: HttpRequest, pending: Pending, claims: dict[str, Any], user: User
) -> HttpResponse:
    """Who is signed in proved it again. Nobody else is signed in by it."""
    if user.pk != request.user.pk:
        raise SignInRefusedError(
            "That is somebody else's account. Sign in there as the one you are here."
        )
    at = proved_again_at(claims, pending, now=clock.system_now())
    confirm_accept(request, at=at, by=_BY)
    return redirect(inside(request, pending.next))


def _pending(request: HttpRequest) -> Pending:
    """The sign-in this answer belongs to; used up by asking for it."""
    kept: Any = request.session.pop(_SESSION, None)
    if kept is None:
        raise SignInRefusedError("No sign-in was begun in this browser. Begin it here.")
    return Pending(**kept)


def _look(request: HttpRequest, pending: Pending) -> None:
    """Refuse an answer that is not the one that was waited for."""
    if not secrets.compare_digest(request.GET.get("state", ""), pending.state):
        raise SignInRefusedError("The answer belongs to another sign-in. Begin again.")
    if clock.system_now().timestamp() - pending.at > PENDING_SECONDS:
        raise SignInRefusedError("That took too long. Begin again.")
    if request.GET.get("error") or not request.GET.get("code"):
        raise SignInRefusedError("The identity provider did not let you in.")


def user_of(email: str) -> User:
    """The account of the person with this work email, made at the first sign-in.

    Raises :class:`SignInRefusedError` for somebody unknown, who has left, or is deactivated.
    """
    person = Person.objects.filter(work_email=email).first()
    if person is None:
        raise SignInRefusedError(
            f"Nobody in the directory has the work email {email}. Ask HR to check yours in Remote."
        )
    if not person.is_current:
        raise SignInRefusedError("Your work here has ended, so you cannot sign in. Ask HR.")
    with transaction.atomic():
        found = list(
            User.objects.filter(Q(email__iexact=email) | Q(email="", username__iexact=email))[:2]
        )
        if len(found) > 1:
            raise SignInRefusedError(f"Two accounts have the email {email}. Ask the owner.")
        user = found[0] if found else _user_made(person)
    if not user.is_active:
        raise SignInRefusedError("Your account is deactivated. Ask the owner of the workspace.")
    return user


def _user_made(person: Person) -> User:
    user = User.objects.create_user(person.work_email, person.work_email)
    user_roles_set(user, roles=[MANAGER if person.reports.exists() else EMPLOYEE])
    return user


def _refused(request: HttpRequest, words: str, pending: Pending | None) -> HttpResponse:
    """Say why, on the page that the visitor came from."""
    messages.error(request, words)
    if pending is None or not pending.confirm or not request.user.is_authenticated:
        record("user.sign_in_failed", actor_label="unknown", object_type="user")
        return redirect("sign-in")
    confirm_record(request, "user.confirm_failed", by=_BY)
    here = reverse("confirm")
    # Without an address it leads on to what was typed before.
    return redirect(here if pending.next == here else f"{here}?{urlencode({'next': pending.next})}")
