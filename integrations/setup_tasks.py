"""The first import, in the background: a large company takes longer than a page may."""

from __future__ import annotations

import logging

from django.contrib.auth import get_user_model

from integrations.models import Connection
from integrations.sync import SyncRefusedError, setup_finish
from siit_remote.audit.services import record
from siit_remote.lib import clock

logger = logging.getLogger(__name__)


def finish_one(connection_id: int, actor_id: int | None = None) -> None:
    """Finish the set-up of one connection, as somebody asked in the browser."""
    connection = Connection.objects.filter(pk=connection_id, finished_at__isnull=True).first()
    if connection is None:
        return
    actor = get_user_model().objects.filter(pk=actor_id).first() if actor_id else None
    try:
        report = setup_finish(connection, actor=actor, now=clock.now())
    except SyncRefusedError as error:
        logger.info("The set-up of connection %s was not finished: %s", connection_id, error)
        return
    if report.status == "applied":
        record(
            "connection.finished",
            actor=actor,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
        )
