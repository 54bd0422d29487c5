"""Views that are costly, or that a script could hammer: so often for one account, and no more."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django.shortcuts import render

from siit_remote.lib.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")

# Far above what a person does by hand: whoever meets one of these is not a person, or is stuck.
SYNCS: Final = Throttle(name="sync-now", most=20, seconds=600)
EXPORTS: Final = Throttle(name="export", most=60, seconds=600)
DECISIONS: Final = Throttle(name="decide", most=200, seconds=600)


def not_too_often(throttle: Throttle) -> Callable[[View], View]:
    """Answer 429 once the signed-in account did it too often. Written below who may."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if throttle.take(str(request.user.pk)):
                return view(request, *args, **kwargs)
            response = render(request, "429.html", status=429)
            response["Retry-After"] = str(throttle.seconds)
            return response

        return cast("View", guarded)

    return decorate
