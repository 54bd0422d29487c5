"""Mail over SMTP."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING, Any

from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    OutgoingMessage,
    Setting,
    SocketTransport,
    TestResult,
    Transport,
)
from integrations.connectors.identity import Ability
from integrations.errors import (
    ConfigError,
    IntegrationError,
    PermanentError,
    RecipientRefusedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_STEP_TIMEOUT = 15.0
_DEADLINE = 60.0
_NOT_IN_MESSAGE_ID = re.compile(r"[^A-Za-z0-9._=+-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Server:
    host: str
    port: int
    security: str
    username: str
    password: str
    from_email: str

    @property
    def from_address(self) -> str:
        return parseaddr(self.from_email)[1]


class _Session(smtplib.SMTP):
    """An SMTP session whose socket comes through the one door."""

    def __init__(self, transport: SocketTransport, server: _Server) -> None:
        self._transport = transport
        self._tls = ssl.create_default_context()
        self._implicit_tls = server.security == "tls"
        super().__init__(
            server.host,
            server.port,
            local_hostname=server.from_address.partition("@")[2] or "localhost",
            timeout=_STEP_TIMEOUT,
        )

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        opened = self._transport.open_socket(host, port, timeout=timeout)
        if not self._implicit_tls:
            return opened
        try:
            return self._tls.wrap_socket(opened, server_hostname=host)
        except OSError:
            opened.close()
            raise

    def secure(self) -> None:
        """Go over to TLS or fail; never on in clear."""
        self.starttls(context=self._tls)
        self.ehlo()

    def cut(self) -> None:
        """Wake whoever waits on the socket: the deadline passed."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _refusal(code: int, what: str) -> IntegrationError:
    """4xx may pass, 5xx will not. The server's own words may hold addresses and are not kept."""
    if 400 <= code < 500:
        return TransientError(f"The mail server put off {what} ({code}).", status=code)
    return PermanentError(f"The mail server refused {what} ({code}).", status=code)


def _recipient_refusal(code: int, said: bytes) -> IntegrationError:
    """A policy against us (RFC 3463, 5.7) says nothing about the address."""
    refusal = _refusal(code, "the recipient")
    if isinstance(refusal, PermanentError) and not said.startswith(b"5.7."):
        return RecipientRefusedError(refusal.message, status=code)
    return refusal


class SmtpClient:
    """Implements :class:`integrations.connectors.base.Messenger` for mail."""

    channel = "email"

    def __init__(self, transport: SocketTransport, server: _Server) -> None:
        self._transport = transport
        self._server = server
        self._target = f"{server.host}:{server.port}"

    def test(self) -> TestResult:
        """Greet, secure, sign in; no mail is sent."""
        with self._transport.recorded("smtp.test", target=self._target), self._session() as session:
            code, _ = session.noop()
            if code != 250:
                raise _refusal(code, "an empty command")
        return TestResult(account={"name": self._server.host, "from": self._server.from_email})

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """See :class:`~integrations.connectors.identity.TellsAbilities`."""
        return (
            Ability(words="send mail, as text and as HTML"),
            Ability(words="say at once when the mail server refuses an address"),
            Ability(
                words="hear of bounces that come later",
                can=False,
                why="a mail server sends no word; connect the sender’s API to hear of them",
            ),
        )

    def send(
        self,
        message: OutgoingMessage,
        *,
        idempotency_key: str,
        before_effect: Callable[[], None],
    ) -> str:
        """Send one mail; returns its Message-ID, which a retry repeats."""
        mail = _compose(message, sender=self._server.from_email, key=idempotency_key)
        with (
            self._transport.recorded(
                "smtp.send", target=self._target, idempotency_key=idempotency_key
            ),
            self._session() as session,
        ):
            code, _ = session.mail(self._server.from_address)
            if code != 250:
                raise _refusal(code, "our sender address")
            code, said = session.rcpt(message.to)
            if code not in {250, 251}:
                raise _recipient_refusal(code, said)
            before_effect()
            _transmit(session, mail.as_bytes())
        return str(mail["Message-ID"])

    @contextlib.contextmanager
    def _session(self) -> Iterator[_Session]:
        """A greeted, secured and signed-in session; everything that fails in it sent nothing."""
        if self._server.security == "none" and not self._transport.is_private(
            self._server.host, self._server.port
        ):
            raise ConfigError(
                f"{self._server.host} is on the open Internet: set security to starttls or tls."
            )
        session: _Session | None = None
        watchdog: threading.Timer | None = None
        try:
            session = _Session(self._transport, self._server)
            watchdog = threading.Timer(_DEADLINE, session.cut)
            watchdog.daemon = True
            watchdog.start()
            self._sign_in(session)
            yield session
        except ssl.SSLCertVerificationError:
            raise TransientError(
                f"The certificate of {self._server.host} could not be verified. Nothing was sent."
            ) from None
        except smtplib.SMTPAuthenticationError as error:
            kind = TransientError if 400 <= error.smtp_code < 500 else UnauthorizedError
            raise kind(
                f"The mail server refused user name or password ({error.smtp_code}).",
                status=error.smtp_code,
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise ConfigError(
                "The mail server does not offer the chosen security or sign-in on this port."
            ) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, "the session") from None
        except (smtplib.SMTPException, OSError):
            raise TransientError(
                f"The mail server {self._server.host} broke off or did not answer in time. "
                "Nothing was sent."
            ) from None
        finally:
            if watchdog is not None:
                watchdog.cancel()
            if session is not None:
                _leave(session)

    def _sign_in(self, session: _Session) -> None:
        session.ehlo_or_helo_if_needed()
        if self._server.security == "starttls":
            session.secure()
        if self._server.username:
            session.login(self._server.username, self._server.password)


def _leave(session: _Session) -> None:
    # The outcome stands already; a server that hangs up without a goodbye does not change it.
    with contextlib.suppress(smtplib.SMTPException, OSError):
        session.quit()
    session.close()


def _transmit(session: _Session, content: bytes) -> None:
    """The point of no return: after DATA only the server's answer tells what happened."""
    try:
        code, _ = session.data(content)
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, "the message") from None
    except (smtplib.SMTPException, OSError):
        raise UncertainError(
            "The mail server broke off while taking the message: it may or may not arrive."
        ) from None
    if code != 250:
        raise _refusal(code, "the message")


def _compose(message: OutgoingMessage, *, sender: str, key: str) -> EmailMessage:
    """The mail. Raises ``PermanentError`` for an address or subject that would bend its headers."""
    if any(char in value for value in (message.to, message.subject) for char in "\r\n\0"):
        raise PermanentError("The address or subject holds a line break; no mail was sent.")
    try:
        to = Address(addr_spec=message.to)
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = sender
        mail["To"] = to
        mail["Subject"] = message.subject
    except (ValueError, IndexError) as error:
        raise RecipientRefusedError("The recipient is no usable e-mail address.") from error
    if not message.to.isascii():
        raise RecipientRefusedError("The recipient's address has letters that mail servers refuse.")
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = f"<{_NOT_IN_MESSAGE_ID.sub('.', key) or 'message'}@siit>"
    # Out-of-office replies to a workflow help nobody: https://www.rfc-editor.org/rfc/rfc3834
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    return mail


@CONNECTORS.register
class SmtpConnector:
    """A mail server."""

    key = "smtp"
    label = "Mail (SMTP)"
    category = "Mail"
    help = "Sends the messages of workflows, approvals and tasks by e-mail."
    icon = "mail"
    settings: tuple[Setting, ...] = (
        Setting(name="host", label="Mail server", required=True),
        Setting(name="port", label="Port", default="587"),
        Setting(name="from_email", label="Sender", required=True, help="As siit@example.com."),
        Setting(name="username", label="User name"),
        Setting(
            name="security",
            label="Security",
            default="starttls",
            choices=("none", "starttls", "tls"),
            help="none is accepted for mail servers inside an allowed private network only.",
        ),
        Setting(name="password", label="Password", secret=True),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> SmtpClient:
        """Bind to one connection."""
        if not isinstance(transport, SocketTransport):
            raise ConfigError("Mail needs a transport that opens sockets.")
        config: dict[str, Any] = dict(settings.config)
        port = config.get("port") or "587"
        if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigError("port must be a number between 1 and 65535.")
        server = _Server(
            host=config.get("host", ""),
            port=int(port),
            security=config.get("security") or "starttls",
            username=config.get("username", ""),
            password=settings.secrets.get("password", ""),
            from_email=config.get("from_email", ""),
        )
        if not server.host:
            raise ConfigError("host is missing.")
        if "@" not in server.from_address or not server.from_address.isascii():
            raise ConfigError("from_email is no usable e-mail address.")
        if server.username and not server.password:
            raise ConfigError("A user name needs its password.")
        return SmtpClient(transport, server)
