"""Mail by a sender's API, against answers as the vendors document them, over real HTTP."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from integrations.connectors.base import OutgoingMessage
from integrations.connectors.mail_providers import PROVIDERS
from integrations.errors import (
    ConfigError,
    IntegrationError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.models import Connection, Delivery, MailEvent
from integrations.services import client_for, connection_save, connection_test
from integrations.tests.connectors.vendor_hooks import NAMES, key_of, posted
from integrations.tests.servers import Answer, Asked, Served, serving

pytestmark = pytest.mark.django_db
KEY = "api-key-canary"
MESSAGE = OutgoingMessage(
    to="ana@acme.test",
    subject="Welcome, Ana",
    text="Hello Ana",
    html="<p>Hello <b>Ana</b></p>",
)
# What each vendor says when it has taken a mail.
TAKEN: dict[str, Answer] = {
    "brevo": Answer(201, json={"messageId": "<id-1@relay>"}),
    "mailersend": Answer(202, headers={"x-message-id": "id-1", "Content-Type": "text/html"}),
    "mailgun": Answer(200, json={"id": "<id-1@relay>", "message": "Queued. Thank you."}),
    "mailjet": Answer(
        200,
        json={
            "Messages": [
                {
                    "Status": "success",
                    "To": [{"Email": "ana@acme.test", "MessageID": 77, "MessageUUID": "u-1"}],
                    "Cc": [],
                    "Bcc": [],
                }
            ]
        },
    ),
    "postmark": Answer(
        200,
        json={
            "To": "ana@acme.test",
            "SubmittedAt": "2026-11-02T08:00:00Z",
            "MessageID": "id-1",
            "ErrorCode": 0,
            "Message": "OK",
        },
    ),
    "resend": Answer(200, json={"id": "id-1"}),
    "sparkpost": Answer(
        200,
        json={
            "results": {
                "total_rejected_recipients": 0,
                "total_accepted_recipients": 1,
                "id": "id-1",
            }
        },
    ),
}


class Sender:
    """A sender's API: answers as told, remembers what it was asked."""

    def __init__(self) -> None:
        self.say: Callable[[Asked], Answer] = lambda asked: Answer(200, json={})
        self.server: Served | None = None

    def connect(self, provider: str, **secrets: str) -> Connection:
        assert self.server is not None
        config = {
            "provider": provider,
            "from_email": "Acme <siit@example.com>",
            "base_url": f"{self.server.url}/api",
            "domain": "mg.example.com",
        }
        kept = {"api_key": KEY, "api_secret": "other-canary", **secrets}
        return connection_save(key="mail", connector="mail-api", config=config, secrets=kept)


@pytest.fixture
def sender() -> Iterator[Sender]:
    found = Sender()
    with serving(lambda asked: found.say(asked)) as server:
        found.server = server
        yield found


def send(connection: Connection, begun: list[str] | None = None) -> str:
    marks = begun if begun is not None else []
    client: Any = client_for(connection)
    return str(
        client.send(MESSAGE, idempotency_key="step-1", before_effect=lambda: marks.append("x"))
    )


def test_every_sender_is_tried_here() -> None:
    assert set(TAKEN) == set(PROVIDERS) == set(NAMES)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_mail_is_handed_over_with_text_and_html(provider: str, sender: Sender) -> None:
    connection = sender.connect(provider)
    sender.say = lambda asked: TAKEN[provider]
    begun: list[str] = []
    assert send(connection, begun)
    assert begun == ["x"]
    assert sender.server is not None
    (asked,) = sender.server.asked
    body = asked.body.decode()
    for words in ("ana@acme.test", "Welcome, Ana", "Hello Ana"):
        # Mailgun takes a form.
        assert (
            words in body or words.replace("@", "%40").replace(" ", "+").replace(",", "%2C") in body
        )
    assert "Ana%3C%2Fb%3E" in body or "<b>Ana</b>" in body
    credentials = " ".join(asked.headers.values())
    assert any(
        one in credentials
        for one in (
            KEY,
            base64.b64encode(f"api:{KEY}".encode()).decode(),
            base64.b64encode(f"{KEY}:other-canary".encode()).decode(),
        )
    )
    row = Delivery.objects.get()
    assert (row.outcome, row.idempotency_key) == ("ok", "step-1")
    assert KEY not in repr(list(Delivery.objects.values()))


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, json={"message": "no"}), UnauthorizedError),
        (Answer(403, json={"message": "no"}), UnauthorizedError),
        (Answer(429, headers={"Retry-After": "7"}), RateLimitedError),
        (Answer(500), TransientError),
        (Answer(503), TransientError),
        (Answer(drop=True), UncertainError),
        (Answer(400, json={"message": "bad", "errors": []}), PermanentError),
        (Answer(200, body=b"<html>surprise</html>"), UncertainError),
    ],
)
def test_trouble_is_of_the_class_that_decides_what_happens_next(
    provider: str, answer: Answer, kind: type[IntegrationError], sender: Sender
) -> None:
    connection = sender.connect(provider)
    sender.say = lambda asked: answer
    with pytest.raises(kind) as told:
        send(connection)
    assert type(told.value) is kind
    assert KEY not in told.value.message
    assert "ana@acme.test" not in told.value.message
    assert Delivery.objects.count() == 1


def test_recipient_that_the_sender_refuses_is_a_refusal(sender: Sender) -> None:
    """https://postmarkapp.com/developer/api/overview#error-codes – 406: inactive recipient."""
    connection = sender.connect("postmark")
    sender.say = lambda asked: Answer(
        422,
        json={
            "ErrorCode": 406,
            "Message": "You tried to send to recipient(s) that have been marked as inactive. "
            "Found inactive addresses: ana@acme.test. Inactive recipients are ones that have "
            "generated a hard bounce, a spam complaint, or a manual suppression.",
        },
    )
    with pytest.raises(PermanentError, match="refuses this recipient") as told:
        send(connection)
    assert "ana@acme.test" not in told.value.message


def test_refusal_inside_a_good_answer_is_believed(sender: Sender) -> None:
    connection = sender.connect("sparkpost")
    sender.say = lambda asked: Answer(
        200,
        json={
            "results": {
                "total_rejected_recipients": 1,
                "total_accepted_recipients": 0,
                "id": "id-1",
            }
        },
    )
    with pytest.raises(PermanentError, match="refuses this recipient"):
        send(connection)


def test_sender_that_knows_keys_gets_ours(sender: Sender) -> None:
    connection = sender.connect("resend")
    sender.say = lambda asked: TAKEN["resend"]
    send(connection)
    assert sender.server is not None
    assert sender.server.asked[0].headers["idempotency-key"] == "step-1"


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_connection_test_reads_and_sends_nothing(provider: str, sender: Sender) -> None:
    connection = sender.connect(provider)
    sender.say = lambda asked: Answer(200, json={})
    result = connection_test(connection)
    assert result.account["name"] == PROVIDERS[provider].label
    assert "bounces" in result.problems[0]
    assert sender.server is not None
    assert [one.method for one in sender.server.asked] == ["GET"]
    sender.say = lambda asked: Answer(401, json={})
    connection_test(connection)
    assert connection.status == Connection.Status.NEEDS_ATTENTION


def test_key_of_resend_that_may_only_send_is_a_good_one(sender: Sender) -> None:
    connection = sender.connect("resend")
    sender.say = lambda asked: Answer(
        401, json={"statusCode": 401, "name": "restricted_api_key", "message": "only send"}
    )
    connection_test(connection)
    assert connection.status == Connection.Status.READY


@pytest.mark.parametrize(
    ("config", "secrets", "words"),
    [
        ({"provider": "pigeon"}, {"api_key": "x"}, "provider"),
        ({"provider": "mailgun"}, {"api_key": "x"}, "domain"),
        ({"provider": "mailjet"}, {"api_key": "x"}, "api_secret"),
        ({"provider": "brevo", "from_email": "nobody"}, {"api_key": "x"}, "from_email"),
    ],
)
def test_settings_that_cannot_work_are_named(
    config: dict[str, str], secrets: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        row = connection_save(
            key="mail",
            connector="mail-api",
            config={"from_email": "a@example.com", **config},
            secrets=secrets,
        )
        client_for(row)


def _post(body: bytes, headers: dict[str, str]) -> int:
    answer = Client().post(
        "/hooks/mail/mail/", data=body, content_type="application/json", headers=headers
    )
    return answer.status_code


TOLD = [(provider, kind) for provider in sorted(NAMES) for kind in sorted(NAMES[provider])]


@pytest.mark.parametrize(("provider", "kind"), TOLD)
def test_what_the_vendor_tells_later_names_the_mail_that_was_sent(
    provider: str, kind: str, sender: Sender
) -> None:
    connection = sender.connect(provider, webhook_key=key_of(provider))
    sender.say = lambda asked: TAKEN[provider]
    sent = send(connection)
    body, headers = posted(provider, kind, sent=sent)
    assert _post(body, headers) == 202
    assert _post(body, headers) == 202
    event = MailEvent.objects.get()
    assert (event.message_id, event.kind) == (sent, kind)
    assert "ana" not in repr(list(MailEvent.objects.values()))


@pytest.mark.parametrize("provider", sorted(NAMES))
def test_call_that_is_not_proven_is_refused(provider: str, sender: Sender) -> None:
    sender.connect(provider, webhook_key=key_of(provider))
    wrong = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" if provider == "resend" else "wrong:key"
    body, headers = posted(provider, "bounced", sent="1", key=wrong)
    assert _post(body, headers) == 401
    assert _post(body, {}) == 401
    assert MailEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("brevo", "unique_opened"),
        ("brevo", "request"),
        ("mailersend", "opened"),
        ("mailgun", "clicked"),
        ("mailjet", "open"),
        ("resend", "email.opened"),
        ("sparkpost", "injection"),
        ("sparkpost", "word_of_tomorrow"),
    ],
)
def test_what_says_nothing_about_delivery_is_not_kept(
    provider: str, name: str, sender: Sender
) -> None:
    sender.connect(provider, webhook_key=key_of(provider))
    body, headers = posted(provider, "", sent="1", name=name)
    assert _post(body, headers) == 202
    assert MailEvent.objects.count() == 0


@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"[]", b'"x"', b"{}", b'{"type": 1}', b"\xff"]
)
def test_body_that_cannot_be_read_is_no_error_of_ours(body: bytes, sender: Sender) -> None:
    sender.connect("postmark", webhook_key="siit:long-password")
    proof = base64.b64encode(b"siit:long-password").decode()
    answer = Client().post(
        "/hooks/mail/mail/",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Basic {proof}"},
    )
    assert answer.status_code in (202, 400)
    assert MailEvent.objects.count() == 0


def test_sender_without_a_webhook_key_is_not_listened_to(sender: Sender) -> None:
    sender.connect("postmark")
    answer = Client().post("/hooks/mail/mail/", data=b"{}", content_type="application/json")
    assert answer.status_code == 401
    other = Client().post("/hooks/mail/nobody/", data=b"{}", content_type="application/json")
    assert other.status_code == 404
