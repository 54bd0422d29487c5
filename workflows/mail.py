"""Mail of the product itself (approvals, reminders) and where no mail connection is set up."""

from __future__ import annotations

import smtplib
from collections.abc import Callable

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from integrations.connectors.base import Messenger, OutgoingMessage
from integrations.delivery import delivery_recorder
from integrations.errors import (
    ConfigError,
    IntegrationError,
    RecipientRefusedError,
    TransientError,
    UncertainError,
)
from integrations.models import Connection
from integrations.services import client_for
from integrations.transport import Attempt
from siit_remote.lib import clock


def site_mail_send(message: OutgoingMessage, *, before_effect: Callable[[], None]) -> None:
    """Hand a message to the mail server of ``EMAIL_URL``. Raises ``IntegrationError``.

    Leaves a row in the delivery log as every attempt does.
    """
    began = clock.system_now()
    failure: IntegrationError | None = None
    try:
        _hand_over(message, before_effect=before_effect)
    except IntegrationError as error:
        failure = error
        raise
    finally:
        took = clock.system_now() - began
        delivery_recorder(None)(
            Attempt(
                operation="smtp.send",
                target=f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"[:300],
                idempotency_key="",
                started_at=began,
                milliseconds=round(took.total_seconds() * 1000),
                error=failure,
            )
        )


def _hand_over(message: OutgoingMessage, *, before_effect: Callable[[], None]) -> None:
    mail = EmailMultiAlternatives(message.subject, message.text, to=[message.to])
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    before_effect()
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if codes and all(400 <= code < 500 for code in codes):
            raise TransientError("The mail server put off the recipient.") from error
        words = "The mail server refuses the recipient's address."
        raise RecipientRefusedError(words) from error
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        raise UncertainError("The mail server broke off; the mail may have been sent.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(
            f"The mail server cannot be reached: {type(error).__name__}."
        ) from error


def messenger_for(channel: str) -> tuple[Connection, Messenger] | None:
    """The first ready connection that sends by this channel; unreadable ones are passed over."""
    for connection in Connection.objects.filter(status=Connection.Status.READY).order_by("name"):
        try:
            client = client_for(connection)
        except ConfigError:
            continue
        if isinstance(client, Messenger) and client.channel == channel:
            return connection, client
    return None


def messenger_broken(channel: str) -> Connection | None:
    """A connection that would send by this channel, had its credential not been refused."""
    for connection in Connection.objects.filter(status=Connection.Status.NEEDS_ATTENTION):
        try:
            client = client_for(connection)
        except ConfigError:
            continue
        if isinstance(client, Messenger) and client.channel == channel:
            return connection
    return None


def site_mail_leaves() -> bool:
    """Whether the site's own mail goes anywhere. In production a console is nobody's inbox."""
    backend = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    return not settings.PRODUCTION or backend not in ("console", "dummy", "filebased", "locmem")


def notice_send(message: OutgoingMessage, *, key: str) -> None:
    """Send a notice by the mail connection, else by the site's own. Raises ``IntegrationError``."""
    found = messenger_for("email")
    if found is None:
        site_mail_send(message, before_effect=_nothing)
    else:
        found[1].send(message, idempotency_key=key, before_effect=_nothing)


def _nothing() -> None:
    """A notice may be repeated; nobody needs to know how far it got."""
