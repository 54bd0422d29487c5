"""What every page of ours has in common: response headers, and an answer to impossible numbers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import DataError
from django.views.defaults import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


logger = logging.getLogger(__name__)
_IMPOSSIBLE = (
    "to convert to SQLite INTEGER",
    "for integer string conversion",
    "expected a number but got",
)
_OUT_OF_RANGE = "22003"
"""PostgreSQL's state for a number that fits no column."""


class PrivatePagesMiddleware:
    """Keep pages with personal data out of every cache, the browser's back button included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault(
                "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
            )
        return response


class ImpossibleNumberMiddleware:
    """A number in an address or a form that no row can have is the sender's mistake (400).

    Most forms refuse it in words; this is for what Django itself hands to the database, as the
    choices of the site admin.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page that says so; ``None`` leaves every other error as it is."""
        if not _impossible_number(error):
            return None
        logger.warning("A number that no row can have was sent to %s", request.path)
        return bad_request(request, error)


def _impossible_number(error: Exception) -> bool:
    if isinstance(error, DataError):
        return getattr(error.__cause__, "sqlstate", "") == _OUT_OF_RANGE
    return isinstance(error, OverflowError | ValueError) and any(
        words in str(error) for words in _IMPOSSIBLE
    )
