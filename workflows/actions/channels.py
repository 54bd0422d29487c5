"""One message by the first of several channels that takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError, RecipientRefusedError, UncertainError
from workflows.actions.ladder import mark_if_unauthorized, needs_attention
from workflows.mail import messenger_broken, messenger_for, site_mail_leaves, site_mail_send
from workflows.nodes import ActionContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """By which connection, in words, and what the run's page keeps of it."""

    by: str
    detail: dict[str, Any] = field(default_factory=dict)


def send_by_first(
    ctx: ActionContext, channels: Sequence[str], message: OutgoingMessage, *, key: str
) -> tuple[Sent | None, list[str]]:
    """What was sent, if anything, and why each channel before it did not take it.

    ``key`` is the idempotency key. Raises what the last channel fails with, unless it refuses this
    recipient, and :class:`UncertainError` at once: the next channel might say it a second time.
    """
    failures: list[str] = []
    for channel in channels:
        last = channel == channels[-1]
        outcome = _send_by(ctx, channel, message, key=key, last=last)
        if isinstance(outcome, Sent):
            return outcome, failures
        failures.append(outcome)
    return None, failures


def _send_by(
    ctx: ActionContext, channel: str, message: OutgoingMessage, *, key: str, last: bool
) -> Sent | str:
    found = messenger_for(channel)
    if found is None:
        return _send_without_connection(ctx, channel, message, last=last)
    connection, client = found
    try:
        sent = client.send(message, idempotency_key=key, before_effect=ctx.before_effect)
    except UncertainError:
        raise
    except RecipientRefusedError as error:
        return error.message
    except IntegrationError as error:
        mark_if_unauthorized(connection, error)
        if last:
            raise
        return error.message
    detail = {"message": sent, "channel": channel, "connection": connection.key}
    return Sent(by=connection.name, detail=detail)


def _send_without_connection(
    ctx: ActionContext, channel: str, message: OutgoingMessage, *, last: bool
) -> Sent | str:
    """By the site's own mail, where no connection is meant to send it."""
    broken = messenger_broken(channel)
    if broken is not None and last:
        raise needs_attention(broken)
    if broken is None and channel == "email" and site_mail_leaves():
        try:
            site_mail_send(message, before_effect=ctx.before_effect)
        except RecipientRefusedError as error:
            return error.message
        return Sent(by="mail")
    return f"{broken or channel.capitalize()} is not connected."
