"""Who has left is signed out at once, whichever way they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import logout

from people.choices import PersonStatus
from people.models import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def has_left(user: Any) -> bool:
    """Whether the account belongs to somebody who has left.

    A superuser's local account never does: somebody must get in on the worst day.
    """
    if user.is_superuser:
        return False
    email = (user.email or user.get_username()).strip().lower()
    return Person.objects.filter(work_email=email, status=PersonStatus.ENDED).exists()


class SignOutWhoLeftMiddleware:
    """Ends the session of who has left at their next request; Django does it for the inactive."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and has_left(request.user):
            logout(request)
            messages.error(request, "Your work here has ended; you were signed out.")
        return self.get_response(request)
