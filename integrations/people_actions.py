"""What can be done from the list of people with the connections they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from integrations.connectors.base import SinglePeople
from integrations.errors import IntegrationError
from integrations.models import Connection, SyncRun
from integrations.people_reread import AT_ONCE, reread_request
from integrations.services import client_for
from people.extensions import ListAction
from people.models import SourceRecord
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from people.models import Person

_SYNC = "integrations.tasks.sync_one"


def people_resync(
    model_admin: Any, request: HttpRequest, people: QuerySet[Person]
) -> HttpResponse | None:
    """Read the selected people again: one by one where their source can, else with everybody.

    A single answer is watched on its own page.
    """
    keys = SourceRecord.objects.filter(person__in=people.order_by().values("pk"))
    connections = Connection.objects.filter(
        key__in=set(keys.values_list("source", flat=True)), finished_at__isnull=False
    ).exclude(status=Connection.Status.DISCONNECTED)
    few = people.count() <= AT_ONCE
    runs: list[SyncRun] = []
    for connection in connections.order_by("pk"):
        if few and _one_by_one(connection):
            runs.append(reread_request(connection, people, actor=request.user, now=clock.now()))
        else:
            _everybody(request, connection, people.count())
    if not connections:
        messages.warning(request, "No connection delivers the selected people; nothing was asked.")
    if len(runs) == 1 and len(connections) == 1:
        return redirect("sync-run", key=runs[0].connection.key, pk=runs[0].pk)
    for run in runs:
        address = reverse("sync-run", kwargs={"key": run.connection.key, "pk": run.pk})
        words = '{} is asked for the selected people. <a href="{}">See what comes of it</a>'
        messages.success(request, format_html(words, run.connection.name, address))
    return None


def _one_by_one(connection: Connection) -> bool:
    try:
        return isinstance(client_for(connection, feeding=True), SinglePeople)
    except IntegrationError:
        return True  # whoever reads says what is wrong


def _everybody(request: HttpRequest, connection: Connection, count: int) -> None:
    if connection.syncs.filter(status=SyncRun.Status.RUNNING).exists():
        messages.info(
            request, f"A sync of {connection.name} is running already; it reads everybody."
        )
        return
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
    messages.success(request, f"A sync of {connection.name} is asked for; it reads everybody anew.")


RESYNC = ListAction(
    name="resync",
    label="Sync again from their source",
    permission="integrations.change_connection",
    run=people_resync,
)
