"""What is posted from the list of people: views and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from people.list_query import VIEW, query_clean
from people.saved_views import (
    ViewError,
    columns_choose,
    columns_chosen,
    may_change,
    view_delete,
    view_save,
    view_update,
    views_open_to,
)
from siit_remote.access import require
from siit_remote.lib import clock

if TYPE_CHECKING:
    from people.models import SavedView


def _list(query: str = "", *, view: SavedView | None = None) -> HttpResponseRedirect:
    """Back to the list, with its filters as far as they are ours."""
    try:
        parts = [query_clean(query)]
    except ValueError:
        parts = []
    if view is not None:
        parts.append(f"{VIEW}={view.pk}")
    tail = "&".join(part for part in parts if part)
    return HttpResponseRedirect(
        f"{reverse('admin:people_person_changelist')}{f'?{tail}' if tail else ''}"
    )


@require_POST
@require("people.view_person")
def save(request: HttpRequest) -> HttpResponse:
    """Keep the present filters as a tab."""
    query = request.POST.get("query", "")
    try:
        view = view_save(
            name=request.POST.get("name", ""),
            query=query,
            columns=columns_chosen(request.user),
            shared="shared" in request.POST,
            now=clock.now(),
            actor=request.user,
        )
    except ViewError as error:
        messages.error(request, str(error))
        return _list(query)
    messages.success(request, f"The view “{view.name}” was saved.")
    return _list(view.query, view=view)


@require_POST
@require("people.view_person")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, share, or keep other filters. Whose view it is not, it does not exist for (404)."""
    view = get_object_or_404(views_open_to(request.user), pk=pk)
    query = request.POST.get("query", view.query)
    if not may_change(view, request.user):
        messages.error(request, "Only who made a view may change it. Save your own instead.")
        return _list(query, view=view)
    try:
        view_update(
            view,
            name=request.POST.get("name", ""),
            query=query,
            shared="shared" in request.POST,
            actor=request.user,
        )
    except ViewError as error:
        messages.error(request, str(error))
        return _list(query, view=view)
    messages.success(request, f"The view “{view.name}” was changed.")
    return _list(view.query, view=view)


@require_POST
@require("people.view_person")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the tab away."""
    view = get_object_or_404(views_open_to(request.user), pk=pk)
    if not may_change(view, request.user):
        messages.error(request, "Only who made a view may delete it.")
        return _list(view.query, view=view)
    view_delete(view, actor=request.user)
    messages.success(request, f"The view “{view.name}” was deleted.")
    return _list()


@require_POST
@require("people.view_person")
def columns(request: HttpRequest) -> HttpResponse:
    """The account's own columns."""
    columns_choose(request.user, columns=request.POST.getlist("column"))
    return _list(request.POST.get("query", ""))
