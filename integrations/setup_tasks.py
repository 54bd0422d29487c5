"""The first import, in the background: a large company takes longer than a page may."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model

from integrations.models import Connection
from integrations.setup_mapping import review_rejudge
from integrations.setup_review import review_finish, review_of, review_read
from integrations.sync import SyncRefusedError
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)


def review_one(connection_id: int, actor_id: int | None = None) -> None:
    """Read everybody for the review of a first import; applies nothing."""
    connection = Connection.objects.filter(pk=connection_id, finished_at__isnull=True).first()
    if connection is None:
        return
    try:
        review_read(connection, actor=_actor(actor_id), now=clock.now())
    except SyncRefusedError as error:
        logger.info("Connection %s was not read for review: %s", connection_id, error)


def judge_one(connection_id: int) -> None:
    """Judge the review of a large company by the mapping that somebody asked for."""
    connection = Connection.objects.filter(pk=connection_id, finished_at__isnull=True).first()
    review = review_of(connection) if connection is not None else None
    if review is not None:
        review_rejudge(review, now=clock.now())


def finish_one(connection_id: int, actor_id: int | None = None) -> None:
    """Import exactly what somebody accepted in the browser."""
    connection = Connection.objects.filter(pk=connection_id, finished_at__isnull=True).first()
    review = review_of(connection) if connection is not None else None
    if review is None:
        return
    try:
        changed = review_finish(review, actor=_actor(actor_id), now=clock.now())
    except SyncRefusedError as error:
        logger.info("The set-up of connection %s was not finished: %s", connection_id, error)
        return
    if changed:
        logger.info("The import of %s people changed since its review", len(changed))


def _actor(actor_id: int | None) -> AbstractBaseUser | None:
    return get_user_model().objects.filter(pk=actor_id).first() if actor_id else None
