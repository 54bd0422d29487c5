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
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.oidc import (
    PENDING_SECONDS,
    Pending,
    Provider,
    SignInRefusedError,
    configured,
    verified_email,
)
from siit_remote.roles import EMPLOYEE, MANAGER, user_roles_set

_SESSION = "provider_sign_in"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def _back() -> str:
    """Where the provider sends the visitor back to; registered there."""
    return f"{settings.SITE_URL}{reverse('provider-back')}"


def _inside(request: HttpRequest, url: str) -> str:
    """``url`` if it stays on this site, else the first page."""
    fine = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if url and fine else reverse("home")


@require_GET
def provider_start(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the provider. A link, because the content policy keeps forms here."""
    if not configured():
        raise Http404
    pending = Pending.begin(
        next_url=_inside(request, request.GET.get("next", "")), now=clock.system_now()
    )
    try:
        url = Provider().authorization_url(pending, back=_back())
    except SignInRefusedError as error:
        return _refused(request, str(error))
    request.session[_SESSION] = asdict(pending)
    return redirect(url)


@require_GET
def provider_back(request: HttpRequest) -> HttpResponse:
    """The provider's answer: judged, then signed in as the person with that work email."""
    if not configured():
        raise Http404
    try:
        pending = _pending(request)
        claims = Provider().claims(request.GET.get("code", ""), pending, back=_back())
        user = user_of(verified_email(claims))
    except SignInRefusedError as error:
        return _refused(request, str(error))
    login(request, user, backend=_BACKEND)
    record(
        "user.signed_in",
        actor=user,
        object_type="user",
        object_key=user.get_username(),
        detail={"by": "identity provider"},
    )
    return redirect(_inside(request, pending.next))


def _pending(request: HttpRequest) -> Pending:
    """The sign-in this answer belongs to; used up by asking for it."""
    kept: Any = request.session.pop(_SESSION, None)
    if kept is None:
        raise SignInRefusedError("No sign-in was begun in this browser. Begin it here.")
    pending = Pending(**kept)
    if not secrets.compare_digest(request.GET.get("state", ""), pending.state):
        raise SignInRefusedError("The answer belongs to another sign-in. Begin again.")
    if clock.system_now().timestamp() - pending.at > PENDING_SECONDS:
        raise SignInRefusedError("That took too long. Begin again.")
    if request.GET.get("error") or not request.GET.get("code"):
        raise SignInRefusedError("The identity provider did not let you in.")
    return pending


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


def _refused(request: HttpRequest, words: str) -> HttpResponse:
    record("user.sign_in_failed", actor_label="unknown", object_type="user")
    messages.error(request, words)
    return redirect("sign-in")
