"""Who may open what: one decorator for views, and the words for permissions.

A view that changes something is written ``@require_POST`` above ``@require("app.codename")``: the
method is refused first (405), then the stranger is sent to sign in, then the missing right is
refused (403). Rows are filtered by selectors; this module knows nothing of them.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")


def may(user: Any, permission: str) -> bool:
    """Whether the signed-in, active ``user`` has ``permission`` (``app.codename``)."""
    return bool(user.is_authenticated and user.has_perm(permission))


def require(*permissions: str) -> Callable[[View], View]:
    """Let in who is signed in and has all ``permissions``; none named means anybody signed in.

    A stranger is sent to the sign-in page, except for htmx and JSON, which get 403 as everybody
    who lacks a right.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if request.headers.get("HX-Request") == "true":
                    raise PermissionDenied("Sign in again.")
                return redirect_to_login(request.get_full_path())
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("View", guarded)

    return decorate
