"""The webhook subscription of a connection: made, its key rotated, removed."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from integrations.connectors.base import Undelivered, WebhookSource
from integrations.errors import ConfigError, IntegrationError
from integrations.hints import path_digest
from integrations.models import Connection, WebhookSubscription
from integrations.services import client_for
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

OVERLAP = timedelta(hours=1)
"""How long the key of before stays valid after a rotation."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def subscription_of(connection: Connection) -> WebhookSubscription | None:
    """The connection's subscription, where there is one."""
    return WebhookSubscription.objects.filter(connection=connection).first()


def address_problem(connection: Connection) -> str:
    """Why nobody outside can call this installation; empty when they can."""
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme == "https" and parts.hostname:
        return ""
    simulated = connection.account.get("environment") == "custom" and not settings.PRODUCTION
    if simulated and parts.hostname in _LOOPBACK:
        return ""
    return (
        f"{connection.name} sends webhooks to https addresses only, and this installation is known "
        f"as {settings.SITE_URL}. Set SITE_URL to the public https address first."
    )


def _source(connection: Connection) -> WebhookSource:
    client: Any = client_for(connection)
    if not isinstance(client, WebhookSource):
        raise ConfigError(f"{connection.name} has no webhooks.")
    return client


def _address(path: str) -> str:
    return settings.SITE_URL + reverse("hook", kwargs={"token": path})


def webhook_subscribe(connection: Connection, *, actor: Actor, now: datetime) -> None:
    """Subscribe to everything about people. Raises ``IntegrationError``; then nothing is stored."""
    if subscription_of(connection) is not None:
        raise ConfigError("There is a subscription already. Rotate its key, or remove it first.")
    if problem := address_problem(connection):
        raise ConfigError(problem)
    path = secrets.token_urlsafe(32)
    made = _source(connection).webhook_create(_address(path))
    with transaction.atomic():
        row = WebhookSubscription.objects.create(
            connection=connection,
            path_hash=path_digest(path),
            external_id=made.external_id,
            events=list(made.events),
            created_at=now,
        )
        row.set_secrets({"path": path, "key": made.signing_key})
        row.save(update_fields=["secrets_token"])
        _record("webhook.subscribed", connection, actor=actor)


def webhook_rotate(connection: Connection, *, actor: Actor, now: datetime) -> str:
    """A new key for the same address; the old one stays valid for :data:`OVERLAP`.

    Returns what did not go as it should, in words. Raises ``IntegrationError`` with the old key
    still in use.
    """
    row = subscription_of(connection)
    if row is None:
        raise ConfigError("There is no subscription whose key could be rotated.")
    source, old = _source(connection), row.get_secrets()
    former = row.external_id
    made = source.webhook_create(_address(old["path"]))
    with transaction.atomic():
        row = WebhookSubscription.objects.select_for_update().get(pk=row.pk)
        row.set_secrets({"path": old["path"], "key": made.signing_key, "old_key": old["key"]})
        row.external_id, row.events = made.external_id, list(made.events)
        row.old_key_until = now + OVERLAP
        row.save(update_fields=["secrets_token", "external_id", "events", "old_key_until"])
        _record("webhook.rotated", connection, actor=actor)
    return _delete_there(source, former)


def webhook_remove(connection: Connection, *, actor: Actor) -> str:
    """Stop receiving, here in any case and at the other side where it answers.

    Returns what did not go as it should, in words.
    """
    row = subscription_of(connection)
    if row is None:
        return ""
    try:
        problem = _delete_there(_source(connection), row.external_id)
    except IntegrationError as error:
        problem = f"The other side was not told: {error.message}"
    with transaction.atomic():
        row.delete()
        _record("webhook.removed", connection, actor=actor)
    return problem


def _delete_there(source: WebhookSource, external_id: str) -> str:
    try:
        source.webhook_delete(external_id)
    except IntegrationError as error:
        return f"The former subscription could not be deleted there: {error.message}"
    return ""


def webhook_undelivered(connection: Connection) -> tuple[Undelivered, ...]:
    """Events that did not reach us. Raises ``IntegrationError``."""
    return _source(connection).webhook_undelivered()


def webhook_replay(connection: Connection, *, ids: Sequence[str], actor: Actor) -> None:
    """Ask for these events once more. Raises ``IntegrationError``."""
    _source(connection).webhook_replay(ids)
    _record("webhook.replayed", connection, actor=actor, detail={"events": len(ids)})


def _record(
    action: str, connection: Connection, *, actor: Actor, detail: dict[str, Any] | None = None
) -> None:
    record(
        action,
        actor=actor,
        object_type="connection",
        object_key=connection.key,
        object_label=connection.name,
        detail=detail,
    )
