"""One decorator for pages about one workflow: who may, by the workflow's category."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase

from siit_remote.access import require
from workflows.category_rights import rights_of
from workflows.models import Hold, Run, StepRun, Workflow

View = TypeVar("View", bound="Callable[..., HttpResponseBase]")

_ROWS: dict[str, tuple[Any, str, str, str]] = {
    "workflow": (Workflow, "key", "category", ""),
    "run": (Run, "pk", "workflow__category", "trigger"),
    "step": (StepRun, "pk", "run__workflow__category", "run__trigger"),
    "hold": (Hold, "pk", "workflow__category", "runs__trigger"),
}
"""What an address names: its model, the part of the address, the way to the category and to the
trigger of its runs."""


def run_opens(user: Any, run: Run) -> bool:
    """Whether a link to the run would let ``user`` in."""
    return bool(runs_opening(user, {run.pk}))


def runs_open(user: Any, rows: QuerySet[Run]) -> QuerySet[Run]:
    """Those of ``rows`` that ``user`` may see: by category, and by what they would tell."""
    return rights_of(user).open("view", rows, column="workflow__category", trigger="trigger")


def runs_opening(user: Any, ids: Collection[int]) -> set[int]:
    """Those of ``ids`` that :func:`run_opens` would answer with yes."""
    if not ids or not user.has_perm("workflows.view_run"):
        return set()
    found = runs_open(user, Run.objects.filter(pk__in=ids))
    return set(found.values_list("pk", flat=True))


def right_on(right: str, *permissions: str, of: str = "workflow") -> Callable[[View], View]:
    """Let in who has ``right`` on what the address names, and all ``permissions`` besides.

    A stranger is sent to sign in; who may nowhere gets 403 before it is looked up. What would
    tell a date that is hidden from the user does not exist for them.
    """
    model, part, column, trigger = _ROWS[of]

    def decorate(view: View) -> View:
        inner = require(*permissions)(view)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if request.headers.get("HX-Request") == "true":
                    raise PermissionDenied("Sign in again.")
                return redirect_to_login(request.get_full_path())
            rights = rights_of(request.user)
            rows = model.objects.filter(**{part: kwargs[part]})
            category = rows.values_list(column, flat=True).first()
            allowed = rights.anywhere(right) if category is None else rights.may(right, category)
            if not allowed:
                raise PermissionDenied
            if trigger and rows.filter(**{f"{trigger}__in": rights.telling()}).exists():
                raise Http404
            return inner(request, *args, **kwargs)

        return cast("View", guarded)

    return decorate


def right_somewhere(right: str, *permissions: str) -> Callable[[View], View]:
    """Let in who has ``right`` on any category: for lists, which then show only those."""

    def decorate(view: View) -> View:
        inner = require(*permissions)(view)

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not rights_of(request.user).anywhere(right):
                raise PermissionDenied
            return inner(request, *args, **kwargs)

        return cast("View", guarded)

    return decorate
