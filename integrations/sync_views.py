"""Sync now, and decide about a held sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from integrations.models import Connection, SyncRun
from integrations.sync import SyncRefusedError, held_apply, held_discard
from siit_remote.access import require
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

SYNC = "integrations.tasks.sync_one"
_REASON = 300


def _ask(request: HttpRequest, connection: Connection, task: str) -> None:
    """Ring the worker and write down who asked."""
    with transaction.atomic():
        record(
            "sync.requested",
            actor=request.user,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
        )
        ring(task, connection.pk, request.user.pk)


@require_POST
@require("integrations.change_connection")
def sync_now(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the worker for a sync; one that runs already is waited for."""
    found = get_object_or_404(Connection, key=key)
    if found.finished_at is None or found.status == Connection.Status.DISCONNECTED:
        messages.error(request, f"Finish the set-up of {found.name} before syncing.")
    elif found.syncs.filter(status=SyncRun.Status.RUNNING).exists():
        messages.info(request, f"A sync of {found.name} is running already.")
    else:
        _ask(request, found, SYNC)
        messages.success(
            request, f"A sync of {found.name} is asked for. It starts in a few seconds."
        )
    return redirect("connection", key=key)


def _held(key: str, pk: int) -> SyncRun:
    return get_object_or_404(
        SyncRun.objects.select_related("connection"), pk=pk, connection__key=key
    )


@require_POST
@require("integrations.change_syncrun")
def held_release(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Apply a held sync to exactly the people that were shown."""
    run = _held(key, pk)
    reason = request.POST.get("reason", "").strip()[:_REASON]
    if not reason:
        messages.error(request, "Say why it is right; the reason stays with the sync.")
        return redirect("sync-run", key=key, pk=pk)
    try:
        held_apply(run, actor=cast("AbstractBaseUser", request.user), reason=reason)
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
    reason = request.POST.get("reason", "").strip()
    if held_discard(run, actor=cast("AbstractBaseUser", request.user), reason=reason):
        messages.success(request, "Discarded. The next sync looks afresh.")
    else:
        messages.error(request, "This sync is no longer held.")
    return redirect("sync-run", key=key, pk=pk)
