"""Views of the list of people that somebody keeps, privately or for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from people.list_columns import columns_clean
from people.list_query import query_clean
from people.models import ListColumns, SavedView
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from people.services import Actor

_MOST = 50


class ViewError(ValueError):
    """The view cannot be kept so; the message says why."""


def views_open_to(user: Any) -> QuerySet[SavedView]:
    """The account's own and those shared with everybody."""
    return SavedView.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner")


def may_change(view: SavedView, user: Any) -> bool:
    """Its owner, and who may change people: a shared view outlives the account that made it."""
    return bool(view.owner_id == user.pk or (view.shared and user.has_perm("people.change_person")))


def view_save(
    *, name: str, query: str, columns: Sequence[str], shared: bool, now: datetime, actor: Any
) -> SavedView:
    """Keep a view under a new name. Raises :class:`ViewError` for a name that is taken."""
    if SavedView.objects.filter(owner=actor).count() >= _MOST:
        raise ViewError(f"There are {_MOST} views of yours already. Delete one first.")
    view = SavedView(owner=actor, created_at=now)
    _fill(view, name=name, query=query, shared=shared)
    view.columns = columns_clean(columns)
    _write(view, actor=actor)
    return view


def view_update(view: SavedView, *, name: str, query: str, shared: bool, actor: Actor) -> SavedView:
    """Rename, share or unshare, and keep other filters. Raises :class:`ViewError`."""
    _fill(view, name=name, query=query, shared=shared)
    _write(view, actor=actor)
    return view


def view_delete(view: SavedView, *, actor: Actor) -> None:
    """Take the tab away, from everybody where it was shared."""
    with transaction.atomic():
        _note("people_view.deleted", view, actor=actor)
        view.delete()


def columns_choose(user: Any, *, columns: Sequence[str]) -> list[str]:
    """The account's own columns from now on; none chosen brings the standard ones back."""
    chosen = columns_clean(columns)
    ListColumns.objects.update_or_create(user=user, defaults={"columns": chosen})
    return chosen


def columns_chosen(user: Any) -> list[str]:
    """What :func:`columns_choose` kept; empty for the standard ones."""
    row = ListColumns.objects.filter(user=user).first()
    return list(row.columns) if row is not None else []


def _fill(view: SavedView, *, name: str, query: str, shared: bool) -> None:
    clean = " ".join(name.split())[:60]
    if not clean:
        raise ViewError("Give the view a name.")
    try:
        view.query = query_clean(query)
    except ValueError as error:
        raise ViewError(str(error)) from error
    view.name, view.shared = clean, shared


def _write(view: SavedView, *, actor: Actor) -> None:
    try:
        with transaction.atomic():
            view.save()
            _note("people_view.saved", view, actor=actor)
    except IntegrityError as error:
        raise ViewError(f"There is a view named “{view.name}” already.") from error


def _note(action: str, view: SavedView, *, actor: Actor) -> None:
    record(
        action,
        actor=actor,
        object_type="people_view",
        object_key=str(view.pk),
        object_label=view.name,
        detail={"shared": view.shared},
    )
