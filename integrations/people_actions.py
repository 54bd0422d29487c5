"""What can be done from the list of people with the connections they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction

from integrations.models import Connection, SyncRun
from people.extensions import ListAction
from people.models import SourceRecord
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from people.models import Person

_SYNC = "integrations.tasks.sync_one"


def people_resync(model_admin: Any, request: HttpRequest, people: QuerySet[Person]) -> None:
    """Ask each source of the selected people for a sync. A source is always read whole."""
    keys = SourceRecord.objects.filter(person__in=people.order_by().values("pk"))
    connections = Connection.objects.filter(
        key__in=set(keys.values_list("source", flat=True)), finished_at__isnull=False
    ).exclude(status=Connection.Status.DISCONNECTED)
    asked, running = [], []
    for connection in connections.order_by("pk"):
        if connection.syncs.filter(status=SyncRun.Status.RUNNING).exists():
            running.append(connection.name)
            continue
        _ask(request, connection, people.count())
        asked.append(connection.name)
    if asked:
        names = " and ".join(asked)
        messages.success(request, f"A sync of {names} is asked for; it reads everybody anew.")
    if running:
        messages.info(request, f"A sync of {' and '.join(running)} is running already.")
    if not asked and not running:
        messages.warning(request, "No connection delivers the selected people; nothing was asked.")


def _ask(request: HttpRequest, connection: Connection, count: int) -> None:
    with transaction.atomic():
        record(
            "sync.requested",
            actor=request.user,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
            detail={"selected_people": count},
        )
        ring(_SYNC, connection.pk, request.user.pk)


RESYNC = ListAction(
    name="resync",
    label="Sync again from their source",
    permission="integrations.change_connection",
    run=people_resync,
)
