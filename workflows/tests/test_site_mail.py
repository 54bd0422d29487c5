"""Mail by the site's own server is written down like every other attempt."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from integrations.connectors.base import OutgoingMessage
from integrations.delivery import Purpose, calling_for
from integrations.errors import (
    IntegrationError,
    RecipientRefusedError,
    TransientError,
    UncertainError,
)
from integrations.models import Delivery
from workflows.mail import site_mail_send

pytestmark = pytest.mark.django_db
MESSAGE = OutgoingMessage(to="ana@acme.test", subject="Hi", text="Hello", html="<p>Hello</p>")


def test_sent_mail_leaves_a_row_that_names_nobody(mailoutbox: list[Any]) -> None:
    with calling_for(Purpose(words="Send a message", run_id=7)):
        site_mail_send(MESSAGE, before_effect=lambda: None)
    assert len(mailoutbox) == 1
    row = Delivery.objects.get()
    assert (row.operation, row.outcome, row.run_id) == ("smtp.send", "ok", 7)
    assert "ana" not in repr(list(Delivery.objects.values()))


@pytest.mark.parametrize(
    ("raised", "kind", "outcome"),
    [
        (
            smtplib.SMTPRecipientsRefused({"ana@acme.test": (550, b"no")}),
            RecipientRefusedError,
            "failed",
        ),
        (
            smtplib.SMTPRecipientsRefused({"ana@acme.test": (451, b"later")}),
            TransientError,
            "failed",
        ),
        (smtplib.SMTPServerDisconnected(), UncertainError, "uncertain"),
        (ConnectionRefusedError(), TransientError, "failed"),
    ],
)
def test_mail_that_failed_leaves_a_row_of_its_class(
    raised: Exception,
    kind: type[IntegrationError],
    outcome: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise raised

    monkeypatch.setattr(EmailMultiAlternatives, "send", fail)
    with pytest.raises(kind):
        site_mail_send(MESSAGE, before_effect=lambda: None)
    row = Delivery.objects.get()
    assert (row.outcome, row.error_code) == (outcome, kind.code)
    assert "ana" not in row.error
