"""What a connector is: one file that speaks to one kind of outside system.

A connector never touches the database. It receives its settings, its secrets and a
:class:`Transport` (the one door for outbound HTTP) and offers small capabilities; code asks
``isinstance(client, AccountAdmin)`` rather than for a kind of connector.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from people.staging import digests_of
from siit_remote.lib.registry import Registry

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from people.records import CustomDefinition, SkippedRecord, WorkerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of a connection's form and one ``--set`` or ``--secret-file`` of the command."""

    name: str
    label: str
    help: str = ""
    default: str = ""
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()


_REQUEST_ID = (
    *("x-request-id", "x-okta-request-id", "x-slack-req-id", "request-id", "x-message-id"),
    *("x-amzn-requestid", "x-correlation-id", "cf-ray"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer, fully read within the size limit. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    connection: str = ""
    """Key of the connection that was asked, so that an error made from the answer can name it."""

    @property
    def request_id(self) -> str:
        """The target's own name of the request, for its support desk."""
        return next((self.headers[name] for name in _REQUEST_ID if self.headers.get(name)), "")


class Transport(Protocol):
    """The one door for outbound HTTP (see :mod:`integrations.delivery`)."""

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        body: bytes | None = None,
        idempotency_key: str = "",
        timeout: float | None = None,
        max_bytes: int | None = None,
        shown_path: str = "",
    ) -> HttpResponse:
        """Send once, no redirects. Any HTTP status is an answer.

        ``shown_path`` replaces the path in the log, where it would show what must not be there.
        Raises ``ConfigError`` (address refused), ``TransientError`` (nothing was sent, or a method
        without effect got no answer) or ``UncertainError`` (a method with effect got none).
        """
        ...


@runtime_checkable
class SocketTransport(Protocol):
    """The same door for protocols other than HTTP (mail)."""

    def open_socket(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """A socket connected to a checked address. Raises ``ConfigError``, ``TransientError``."""
        ...

    def is_private(self, host: str, port: int) -> bool:
        """Whether ``host`` lies in a private network that an administrator allowed."""
        ...

    def recorded(
        self, operation: str, *, target: str, idempotency_key: str = "", quiet_when_ok: bool = False
    ) -> AbstractContextManager[Callable[[HttpResponse], None]]:
        """Record what happens inside as one attempt."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """What a connector is built from."""

    key: str
    config: Mapping[str, str]
    secrets: Mapping[str, str]
    account: Mapping[str, Any] = field(default_factory=dict)
    capabilities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What a successful connection test found. ``problems`` are warnings in words."""

    account: dict[str, Any] = field(default_factory=dict)
    capabilities: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class Client(Protocol):
    """A connector bound to one connection."""

    def test(self) -> TestResult:
        """Prove that the connection works. Raises :class:`integrations.errors.IntegrationError`."""
        ...


class Connector(Protocol):
    """One kind of outside system."""

    key: str
    label: str
    category: str
    """Section of the catalogue: HRIS, Identity, Chat, Mail, Equipment, Other."""
    help: str
    icon: str
    settings: tuple[Setting, ...]

    def client(self, settings: ConnectionSettings, transport: Transport) -> Client:
        """Bind to one connection. Raises ``ConfigError`` when a setting is missing or malformed."""
        ...


CONNECTORS: Registry[Connector] = Registry("connector")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNote:
    """Where a field of the directory comes from at the source, and what to know about it."""

    comes_from: str
    note: str = ""


@runtime_checkable
class MapsFields(Protocol):
    """A connector that says how its source's fields become ours."""

    field_notes: Mapping[str, FieldNote]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Everything one full refresh brought. Complete, or an exception was raised instead."""

    records: Sequence[WorkerRecord]
    """Large feeds put them down (``people.staging``) and read them one at a time."""
    skipped: tuple[SkippedRecord, ...]
    entities: tuple[dict[str, str], ...] = ()
    """Legal entities: id, name, country (alpha-3)."""
    requests: int = 0

    @property
    def digests(self) -> dict[tuple[str, str], str]:
        """Source and id of every record, with its digest."""
        return digests_of(self.records)


@runtime_checkable
class PeopleSource(Protocol):
    """Delivers workers to the directory."""

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """One full refresh. ``today`` is the workspace's date. Raises ``IntegrationError``."""
        ...


@runtime_checkable
class CustomFieldSource(Protocol):
    """Knows fields beyond the usual ones, whose values have to be asked for one by one."""

    def custom_fields(self) -> tuple[CustomDefinition, ...]:
        """Every definition. Raises ``IntegrationError``."""
        ...

    def custom_values(
        self, external_ids: Iterable[str], *, seconds: float
    ) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """(id, definition's id → value) one after another; ``None`` for one that is gone.

        Slowly, leaving room in the source's shared limit. Ends early when ``seconds`` are over;
        raises ``IntegrationError``, after what was read before it.
        """
        ...


@runtime_checkable
class SinglePeople(Protocol):
    """Delivers single workers afresh, as a hint about them asks for."""

    def fetch_workers(
        self, ids: Sequence[str], *, today: date, progress: Callable[[str], None]
    ) -> Feed:
        """Those of ``ids`` that exist; unknown ones are left out. Raises ``IntegrationError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A new webhook subscription. The key is told only now."""

    external_id: str
    signing_key: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """One event that the other side could not deliver. ``at`` is its own text of the moment."""

    id: str
    event_type: str
    at: str


@runtime_checkable
class WebhookSource(Protocol):
    """Calls an address of ours when something happened there."""

    def webhook_create(self, url: str) -> Subscribed:
        """Subscribe ``url`` to what concerns people. Raises ``IntegrationError``."""
        ...

    def webhook_delete(self, external_id: str) -> None:
        """End a subscription; one that is gone is success."""
        ...

    def webhook_undelivered(self) -> tuple[Undelivered, ...]:
        """Events of the last days that did not arrive, newest first."""
        ...

    def webhook_replay(self, ids: Sequence[str]) -> None:
        """Ask for these events once more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProfile:
    """What an account is made from."""

    work_email: str
    username: str
    full_name: str
    given_name: str = ""
    family_name: str = ""
    job_title: str = ""
    external_id: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAccount:
    """An account at the target as read back from it."""

    external_id: str
    username: str
    active: bool
    emails: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Names of the groups the target reports for the account."""


@runtime_checkable
class AccountAdmin(Protocol):
    """Accounts and groups of an identity provider. Every verb is safe to repeat."""

    def find_account(self, *, work_email: str, external_id: str = "") -> RemoteAccount | None:
        """By the target's id where known, else by work e-mail; never somebody else's account."""
        ...

    def create_account(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """Find or create; the flag says whether it was created now."""
        ...

    def suspend_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        """Deactivate and read back; an account already inactive is success."""
        ...

    def add_to_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """Make a member; being one already is success."""
        ...

    def remove_from_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """End membership and read back; not being a member is success."""
        ...

    def groups_of(self, external_id: str) -> tuple[str, ...]:
        """Names of the groups the account belongs to now."""
        ...


@runtime_checkable
class MemberAdmin(Protocol):
    """Members of a chat workspace. Every verb is safe to repeat."""

    def find_member(self, work_email: str) -> RemoteAccount | None:
        """The member with this very address, or ``None``. Raises ``NotAvailableError``."""
        ...

    def deactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """Deactivate and read back; ``None``: nobody there has this address.

        A member already inactive is success. Raises ``NotAvailableError`` where the workspace's
        plan has no such function.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message to one address, already rendered for its channel."""

    to: str
    subject: str
    text: str
    html: str = ""


@runtime_checkable
class Messenger(Protocol):
    """Sends messages. ``before_effect`` is called right before the point of no return."""

    channel: str

    def send(
        self,
        message: OutgoingMessage,
        *,
        idempotency_key: str,
        before_effect: Callable[[], None],
    ) -> str:
        """Send; returns the target's message id."""
        ...


@runtime_checkable
class SignedCaller(Protocol):
    """Makes signed calls (Standard Webhooks) to a configured endpoint."""

    serves: tuple[str, ...]
    """Keys of actions this endpoint stands in for when no other connection does them."""

    def call(
        self,
        payload: Mapping[str, Any],
        *,
        idempotency_key: str,
        sent_at: datetime,
        method: str = "POST",
        path: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        raw_body: str | None = None,
        expect: frozenset[int] = frozenset(),
        shown_path: str = "",
    ) -> HttpResponse:
        """Send; raises unless the answer is among ``expect``, else what counts as success.

        ``shown_path`` is what the log shows of the path: the template, never what fills it.
        """
        ...

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether a call to us was signed with the same secret, just now."""
        ...
