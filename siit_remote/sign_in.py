"""Signing in and out, with a brake on guessing."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError

from siit_remote.audit.services import record
from siit_remote.leaving import has_left
from siit_remote.oidc import configured

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

TRIES = 5
WAIT_SECONDS = 15 * 60


def _counter(request: HttpRequest | None, username: str) -> str:
    """Cache key of failures of one account from one address; holds neither in clear."""
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    text = f"{username.strip().casefold()}\n{address}"
    return f"sign-in:{hashlib.sha256(text.encode()).hexdigest()}"


def _user_name(typed: str) -> str:
    """The account meant by a work email; what was typed where none, or more than one, has it."""
    users = get_user_model().objects.all()
    if "@" not in typed or users.filter(username=typed).exists():
        return typed
    named = list(users.filter(email__iexact=typed.strip()).values_list("username", flat=True)[:2])
    return named[0] if len(named) == 1 else typed


class SignInForm(AuthenticationForm):
    """Refuses further tries after :data:`TRIES` failures, alike for known and unknown accounts."""

    error_messages = {
        "invalid_login": "That user name and password do not fit. Check both and try again.",
        "inactive": "That user name and password do not fit. Check both and try again.",
        "left": "Your work here has ended, so you cannot sign in. Ask HR.",
        "throttled": "Too many failed tries. Wait 15 minutes, then try again.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name or work email"

    def clean(self) -> dict[str, Any]:
        """Check the brake before the password, so that a guess while braked tells nothing."""
        username = _user_name(str(self.cleaned_data.get("username", "")))
        self.cleaned_data["username"] = username
        key = _counter(self.request, username)
        if cache.get(key, 0) >= TRIES:
            raise ValidationError(self.error_messages["throttled"], code="throttled")
        try:
            cleaned = super().clean()
        except ValidationError:
            cache.add(key, 0, WAIT_SECONDS)
            cache.incr(key)
            record("user.sign_in_failed", actor_label="unknown", object_type="user")
            raise
        cache.delete(key)
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        """Nobody signs in after leaving; a superuser's local account always works."""
        super().confirm_login_allowed(user)
        if has_left(user):
            raise ValidationError(self.error_messages["left"], code="left")


class SignInView(auth_views.LoginView):
    """The sign-in page. Somebody signed in already goes where they wanted."""

    authentication_form = SignInForm
    template_name = "registration/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The identity provider's name, where one is set."""
        provider = settings.OIDC_NAME if configured() else ""
        return super().get_context_data(provider=provider, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Start a new session and write it down."""
        response = super().form_valid(form)
        user = form.get_user()
        record("user.signed_in", actor=user, object_type="user", object_key=user.get_username())
        return response


class SignOutView(auth_views.LogoutView):
    """Ends the session; POST only."""

    http_method_names = ["post", "options"]


class PasswordView(auth_views.PasswordChangeView):
    """Change one's own password."""

    template_name = "registration/password.html"
    success_url = "/"
