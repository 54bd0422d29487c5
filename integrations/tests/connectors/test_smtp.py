"""Mail, to a real SMTP server in this process."""

from __future__ import annotations

import contextlib
import email
import socket
import ssl
import threading
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509

from integrations.connectors import smtp
from integrations.connectors.base import CONNECTORS, ConnectionSettings, Messenger, OutgoingMessage
from integrations.errors import (
    ConfigError,
    PermanentError,
    RecipientRefusedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.tests.certificates import certificate
from integrations.tests.servers import transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MESSAGE = OutgoingMessage(
    to="ana@acme.test",
    subject="Bienvenue à bord 🎉",
    text=".Hello\nAna\n.\n",
    html="<p>Hello Ana</p>",
)


class _Inbox:
    """Keeps what it is given; answers as told."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.rcpt, self.data = "250 OK", "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.data.startswith("250"):
            self.mails.append(email.message_from_bytes(envelope.content, policy=default))
        return self.data


class _Listening(Controller):
    """The port is found by binding to it, so that two tests never meet."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def _server(inbox: _Inbox, **options: Any) -> Iterator[int]:
    controller = _Listening(inbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _mail(number: int, *, password: str = "", **config: str) -> Any:
    connector = CONNECTORS.get("smtp")
    assert connector is not None
    return connector.client(
        ConnectionSettings(
            key="smtp",
            config={
                "host": "127.0.0.1",
                "port": str(number),
                "from_email": "Siit <siit@acme.test>",
                "security": "none",
                **config,
            },
            secrets={"password": password} if password else {},
        ),
        transport_to_loopback(),
    )


def _send(client: Any, message: OutgoingMessage = MESSAGE, key: str = "run:1/step") -> str:
    return str(client.send(message, idempotency_key=key, before_effect=lambda: None))


def test_mail_arrives_with_both_bodies_and_a_stable_id() -> None:
    inbox = _Inbox()
    with _server(inbox) as port:
        client = _mail(port)
        assert isinstance(client, Messenger)
        assert client.test().account["from"] == "Siit <siit@acme.test>"
        assert [_send(client), _send(client)] == ["<run.1.step@siit>"] * 2
    mail = inbox.mails[0]
    assert mail["Subject"] == MESSAGE.subject
    assert mail["To"] == "ana@acme.test"
    assert mail["From"] == "Siit <siit@acme.test>"
    assert mail["Message-ID"] == "<run.1.step@siit>"
    assert mail["Date"].datetime.tzinfo is not None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == MESSAGE.text
    assert mail.get_body(("html",)).get_content().strip() == MESSAGE.html


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ana@acme.test\r\nBcc: all@acme.test", "x"),
        ("ana@acme.test", "x\r\nBcc: all@acme.test"),
        ("ana@acme.test", "x\nBcc: all@acme.test"),
        ("ana@acme.test", "x\0"),
        ("ana@acme.test, bob@acme.test", "x"),
        ("Ana <ana@acme.test>", "x"),
        ("ana", "x"),
        ("", "x"),
        ("añá@acme.test", "x"),
    ],
)
def test_bent_header_or_address_is_refused_before_connecting(to: str, subject: str) -> None:
    with pytest.raises(PermanentError):
        _send(_mail(9), OutgoingMessage(to=to, subject=subject, text="x"))


@pytest.mark.parametrize(
    ("stage", "reply", "error", "begun"),
    [
        ("rcpt", "550 no such user", PermanentError, False),
        ("rcpt", "450 later", TransientError, False),
        ("data", "554 spam", PermanentError, True),
        ("data", "451 later", TransientError, True),
    ],
)
def test_refusals_by_stage(stage: str, reply: str, error: type[Exception], begun: bool) -> None:
    inbox, effects = _Inbox(), list[bool]()
    setattr(inbox, stage, reply)
    with _server(inbox) as port, pytest.raises(error) as caught:
        _mail(port).send(MESSAGE, idempotency_key="k", before_effect=lambda: effects.append(True))
    assert bool(effects) is begun
    assert "no such user" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "about_them"),
    [("550 5.1.1 no such user", True), ("550 no", True), ("554 5.7.1 relay denied", False)],
)
def test_refusal_of_the_address_is_told_from_one_of_us(reply: str, about_them: bool) -> None:
    inbox = _Inbox()
    inbox.rcpt = reply
    with _server(inbox) as port, pytest.raises(PermanentError) as caught:
        _mail(port).send(MESSAGE, idempotency_key="k", before_effect=lambda: None)
    assert isinstance(caught.value, RecipientRefusedError) is about_them


def _scripted(replies: list[bytes]) -> tuple[int, threading.Thread]:
    """A server that says these lines, one a command, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        with listener, listener.accept()[0] as taken, taken.makefile("rb") as reader:
            for reply in replies:
                taken.sendall(reply)
                reader.readline()

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([], TransientError),
        ([b"554 go away\r\n"], PermanentError),
        ([b"421 busy\r\n"], TransientError),
        ([b"220 hi\r\n"], TransientError),
        ([b"220 hi\r\n", b"250 ok\r\n", b"250 ok\r\n"], TransientError),
        (
            [b"220 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"],
            UncertainError,
        ),
    ],
)
def test_connection_lost_is_uncertain_only_after_data(
    replies: list[bytes], error: type[Exception]
) -> None:
    port, thread = _scripted(replies)
    with pytest.raises(error) as caught:
        _send(_mail(port))
    assert type(caught.value) is error
    thread.join(5)


def test_stalled_server_is_cut_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_DEADLINE", 0.3)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as taken:
                taken.sendall(b"220 hi\r\n")
                while not stop.wait(0.05):
                    taken.sendall(b"2")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(TransientError):
            _send(_mail(listener.getsockname()[1]))
        stop.set()
        thread.join(5)


def test_private_mail_server_needs_to_be_allowed() -> None:
    connector = CONNECTORS.get("smtp")
    assert connector is not None
    settings = ConnectionSettings(
        key="smtp",
        config={"host": "127.0.0.1", "port": "25", "from_email": "a@b.c", "security": "tls"},
        secrets={},
    )
    client: Any = connector.client(settings, transport_to_loopback(allow_private=()))
    with pytest.raises(ConfigError, match="private network"):
        client.test()


def test_clear_text_to_the_open_internet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(ConfigError, match="starttls"):
        _mail(587, host="mail.example.com").test()


def _verified(monkeypatch: pytest.MonkeyPatch, public: Path) -> None:
    """Trust this certificate as the machine trusts its authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(public))


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("trusted", [True, False])
def test_tls_is_used_and_verified(
    security: str, trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, private = certificate(tmp_path, x509.DNSName("localhost"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    if trusted:
        _verified(monkeypatch, public)
    inbox = _Inbox()
    how: dict[str, Any] = (
        {"ssl_context": context}
        if security == "tls"
        else {"tls_context": context, "require_starttls": True}
    )
    with _server(inbox, **how) as port:
        client = _mail(port, host="localhost", security=security)
        if trusted:
            _send(client)
        else:
            with pytest.raises(TransientError, match="certificate"):
                _send(client)
    assert len(inbox.mails) == int(trusted)


def test_starttls_that_is_not_offered_never_goes_on_in_clear() -> None:
    inbox = _Inbox()
    with _server(inbox) as port, pytest.raises(ConfigError):
        _send(_mail(port, security="starttls"))
    assert inbox.mails == []


@pytest.mark.parametrize("right", [True, False])
def test_sign_in(right: bool) -> None:
    def authenticate(server: Any, session: Any, envelope: Any, how: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    inbox = _Inbox()
    with _server(inbox, authenticator=authenticate, auth_require_tls=False) as port:
        client = _mail(port, username="siit", password="right" if right else "wrong")
        if right:
            client.test()
            _send(client)
        else:
            with pytest.raises(UnauthorizedError) as caught:
                client.test()
            assert "wrong" not in str(caught.value)
    assert len(inbox.mails) == int(right)


@pytest.mark.parametrize(
    "config",
    [
        {"port": "x"},
        {"port": "0"},
        {"port": "70000"},
        {"from_email": "nobody"},
        {"host": ""},
        {"username": "without-password"},
    ],
)
def test_unusable_settings_are_refused(config: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        _mail(25, **config)
