"""Signing in and out, with a brake on guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import Http404

from siit_remote.audit.services import record
from siit_remote.confirming import GUESSES, THROTTLED, guesser
from siit_remote.leaving import has_left
from siit_remote.ways_in import password_allowed, provider_configured

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase


def _user_name(typed: str) -> str:
    """The account meant by a work email; what was typed where none, or more than one, has it."""
    users = get_user_model().objects.all()
    if "@" not in typed or users.filter(username=typed).exists():
        return typed
    named = list(users.filter(email__iexact=typed.strip()).values_list("username", flat=True)[:2])
    return named[0] if len(named) == 1 else typed


class SignInForm(AuthenticationForm):
    """Refuses further tries after some failures, alike for known and unknown accounts."""

    error_messages = {
        "invalid_login": "That user name and password do not fit. Check both and try again.",
        "inactive": "That user name and password do not fit. Check both and try again.",
        "left": "Your work here has ended, so you cannot sign in. Ask HR.",
        "throttled": THROTTLED,
        "switched_off": "Nobody signs in with a password here. Use the button above.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name or work email"

    def clean(self) -> dict[str, Any]:
        """Check the brake before the password, so that a guess while braked tells nothing.

        Each try counts until it succeeds: many at the same moment are no way around.
        """
        if not password_allowed():
            raise ValidationError(self.error_messages["switched_off"], code="switched_off")
        username = _user_name(str(self.cleaned_data.get("username", "")))
        self.cleaned_data["username"] = username
        who = guesser(self.request, username)
        if not GUESSES.take(*who):
            raise ValidationError(self.error_messages["throttled"], code="throttled")
        try:
            cleaned = super().clean()
        except ValidationError:
            record("user.sign_in_failed", actor_label="unknown", object_type="user")
            raise
        GUESSES.forget(*who)
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
        provider = settings.OIDC_NAME if provider_configured() else ""
        return super().get_context_data(provider=provider, by_password=password_allowed(), **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again; its status says when it was the brake."""
        response = super().form_invalid(form)
        if form.has_error("__all__", "throttled"):
            response.status_code = 429
        return response

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

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Not there where nobody signs in with a password."""
        if not password_allowed():
            raise Http404
        return super().dispatch(*args, **kwargs)
