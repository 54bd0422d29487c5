"""Mail of the product itself (approvals, reminders) and where no mail connection is set up."""

from __future__ import annotations

import smtplib
from collections.abc import Callable

from django.core.mail import EmailMultiAlternatives

from integrations.connectors.base import Messenger, OutgoingMessage
from integrations.errors import PermanentError, TransientError, UncertainError
from integrations.models import Connection
from integrations.services import client_for


def site_mail_send(message: OutgoingMessage, *, before_effect: Callable[[], None]) -> None:
    """Hand a message to the mail server of ``EMAIL_URL``. Raises ``IntegrationError``."""
    mail = EmailMultiAlternatives(message.subject, message.text, to=[message.to])
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    before_effect()
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise PermanentError(f"The mail server refuses the address {message.to}.") from error
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        raise UncertainError("The mail server broke off; the mail may have been sent.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(
            f"The mail server cannot be reached: {type(error).__name__}."
        ) from error


def notice_send(message: OutgoingMessage, *, key: str) -> None:
    """Send a notice by the mail connection, else by the site's own. Raises ``IntegrationError``."""
    for connection in Connection.objects.filter(status=Connection.Status.READY).order_by("name"):
        client = client_for(connection)
        if isinstance(client, Messenger) and client.channel == "email":
            client.send(message, idempotency_key=key, before_effect=_nothing)
            return
    site_mail_send(message, before_effect=_nothing)


def _nothing() -> None:
    """A notice may be repeated; nobody needs to know how far it got."""
