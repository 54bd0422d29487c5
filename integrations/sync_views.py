"""Sync now, and decide about a held sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.forms import FrequencyForm
from integrations.freshness import full_syncs
from integrations.models import Connection, SyncRun
from integrations.sync import SyncRefusedError, held_apply, held_discard
from people.defaults import workspace_get
from people.services import workspace_update
from siit_remote.access import require
from siit_remote.audit.services import record
from siit_remote.confirming import confirm_first
from siit_remote.lib.bell import ring
from siit_remote.often import SYNCS, not_too_often

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

SYNC = "integrations.tasks.sync_one"
_REASON = 300


def _ask(request: HttpRequest, connection: Connection, after: int) -> None:
    """Ring the worker and write down who asked."""
    with transaction.atomic():
        record(
            "sync.requested",
            actor=request.user,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
        )
        ring(SYNC, connection.pk, request.user.pk, after)


@require_POST
@require("integrations.change_connection")
@not_too_often(SYNCS)
def sync_now(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the worker for a sync; one that runs already is shown instead."""
    found = get_object_or_404(Connection, key=key)
    running = found.syncs.filter(status=SyncRun.Status.RUNNING).only("pk").first()
    if found.finished_at is None or found.status == Connection.Status.DISCONNECTED:
        messages.error(request, f"Finish the set-up of {found.name} before syncing.")
        return redirect("connection", key=key)
    if running is not None:
        messages.info(request, f"A sync of {found.name} is running already: this is it.")
        return redirect("sync-run", key=key, pk=running.pk)
    newest = full_syncs(found).first()
    after = newest.pk if newest else 0
    _ask(request, found, after)
    address = reverse("connection", kwargs={"key": key})
    return redirect(f"{address}?asked={after}")


@require_POST
@require("integrations.view_connection", "people.change_workspace")
def frequency(request: HttpRequest, key: str) -> HttpResponse:
    """How many hours lie between two syncs."""
    found = get_object_or_404(Connection, key=key)
    form = FrequencyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give a number of hours from 1 to 168 (a week).")
        return redirect("connection", key=found.key)
    workspace = workspace_get()
    workspace.sync_every_hours = form.cleaned_data["hours"]
    workspace_update(workspace, fields=["sync_every_hours"], actor=_actor(request))
    messages.success(request, f"People are read every {workspace.sync_every_hours} hours.")
    return redirect("connection", key=found.key)


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


def _held(key: str, pk: int) -> SyncRun:
    return get_object_or_404(
        SyncRun.objects.select_related("connection"), pk=pk, connection__key=key
    )


@require_POST
@require("integrations.change_syncrun")
@confirm_first("release")
def held_release(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Apply a held sync to exactly the people that were shown."""
    run = _held(key, pk)
    reason = request.POST.get("reason", "").strip()[:_REASON]
    if not reason:
        messages.error(request, "Say why it is right; the reason stays with the sync.")
        return redirect("sync-run", key=key, pk=pk)
    try:
        held_apply(run, actor=_actor(request), reason=reason)
    except SyncRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The held sync is applied.")
    return redirect("sync-run", key=key, pk=pk)


@require_POST
@require("integrations.change_syncrun")
def held_drop(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Throw a held sync away."""
    run = _held(key, pk)
    reason = request.POST.get("reason", "").strip()[:_REASON]
    if not reason:
        messages.error(request, "Say why it is wrong; the reason stays with the sync.")
    elif held_discard(run, actor=_actor(request), reason=reason):
        messages.success(request, "Discarded. The next sync looks afresh.")
    else:
        messages.error(request, "This sync is no longer held.")
    return redirect("sync-run", key=key, pk=pk)
