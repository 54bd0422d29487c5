"""The one door for outbound traffic: HTTP for most connectors, a checked socket for mail."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

import requests

from integrations import addresses
from integrations.addresses import PUBLIC_MAIL_PORTS, PrivateAllowance, clean_url, path_template
from integrations.answers import parse_json, raise_for_status, retry_after_seconds
from integrations.connectors.base import HttpResponse
from integrations.errors import (
    ConfigError,
    IntegrationError,
    PermanentError,
    TransientError,
    UncertainError,
)
from integrations.pinning import Passage, PinnedAdapter
from siit_remote.lib import clock
from siit_remote.lib.watchdog import WATCHDOG

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from integrations.addresses import Target

__all__ = [
    "Attempt",
    "ConnectionRef",
    "HttpTransport",
    "Recorder",
    "parse_json",
    "raise_for_status",
    "retry_after_seconds",
]

DEFAULT_DEADLINE = 30.0
"""Seconds from the first packet to the last, however slowly they come."""
READ_TIMEOUT = 20.0
"""Seconds of silence after which an answer is given up, within the deadline."""
SLOW_DEFAULT = 5.0
"""Seconds to leave a target alone that says 429 without saying for how long."""
DEFAULT_MAX_BYTES = 1_000_000
FEED_MAX_BYTES = 32_000_000
_NO_EFFECT = frozenset({"GET", "HEAD"})
_METHODS = _NO_EFFECT | {"POST", "PUT", "PATCH", "DELETE"}
_CHUNK = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRef:
    """Which connection a transport works for, without its row."""

    id: int | None
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to reach an outside system, as it goes into the delivery log."""

    operation: str
    target: str
    idempotency_key: str
    started_at: datetime
    milliseconds: int
    status_code: int | None = None
    request_id: str = ""
    error: IntegrationError | None = None


Recorder = Callable[[Attempt], None]


class Gate(Protocol):
    """What is asked before a target (host and port) is called, and told how it went."""

    def enter(self, target: str) -> None:
        """Raises ``CircuitOpenError`` or ``RateLimitedError``: nothing may be sent now."""
        ...

    def leave(self, target: str, *, status: int | None, error: IntegrationError | None) -> None:
        """Tell how a call went."""
        ...

    def slow_down(self, target: str, *, seconds: float) -> None:
        """Tell that the target asked us to wait."""
        ...


class HttpTransport:
    """Implements :class:`integrations.connectors.base.Transport` for one connection.

    Serves one thread at a time. ``allow_private`` lists hosts or networks that may be reached
    although private. ``record_reads`` false keeps successful GETs out of the log (a feed of
    hundreds of pages); failures and everything with an effect are always recorded. ``ca_file``
    replaces the public certificate authorities. ``gate`` keeps away from targets that fail.
    """

    def __init__(
        self,
        connection: ConnectionRef,
        *,
        recorder: Recorder,
        allow_private: Iterable[str] = (),
        record_reads: bool = True,
        ca_file: str = "",
        gate: Gate | None = None,
    ) -> None:
        self.connection = connection
        self._recorder = recorder
        self._gate = gate
        self._record_reads = record_reads
        self._allow_private = tuple(allow_private)
        self._ca_file = ca_file
        self._allow = PrivateAllowance.parse(self._allow_private)
        self._passage = Passage(self._allow)
        self._adapter = PinnedAdapter(self._passage)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_file or True
        self._session.headers.update({"User-Agent": "Siit-Remote/1", "Accept-Encoding": "gzip"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)

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
        """See :meth:`integrations.connectors.base.Transport.request`.

        ``timeout`` is the total deadline in seconds (default 30), ``max_bytes`` the size limit of
        the decoded body (default 1 MB).
        """
        if method not in _METHODS:
            raise ConfigError(f"{method[:20]!r} is not a method we send.")
        if params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        target = clean_url(url)
        shown = shown_path or path_template(target.path)
        with self.recorded(
            f"{method} {shown}"[:80],
            target=f"{target.authority}{shown}",
            idempotency_key=idempotency_key,
            quiet_when_ok=method in _NO_EFFECT and not self._record_reads,
        ) as answered:
            prepared = self._prepare(method, url, headers=headers, json=json, body=body)
            response = self._send(
                prepared,
                target=target,
                deadline=timeout or DEFAULT_DEADLINE,
                max_bytes=max_bytes or DEFAULT_MAX_BYTES,
            )
            answered(response)
        return response

    def open_socket(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """A connected socket to a checked address of a mail server.

        Raises ``ConfigError`` (address refused) or ``TransientError`` (not reachable).
        """
        found = addresses.resolve(
            host, port, allow=self._allow, encrypted=True, public_ports=PUBLIC_MAIL_PORTS
        )
        return addresses.connect(found, port, timeout=timeout)

    def is_private(self, host: str, port: int) -> bool:
        """Whether ``host`` was reached only because it is allowed although private."""
        found = addresses.resolve(
            host, port, allow=self._allow, encrypted=True, public_ports=PUBLIC_MAIL_PORTS
        )
        return not any(map(addresses.is_public, found))

    @contextlib.contextmanager
    def recorded(
        self, operation: str, *, target: str, idempotency_key: str = "", quiet_when_ok: bool = False
    ) -> Iterator[Callable[[HttpResponse], None]]:
        """Record what happens inside as one attempt; call the given function with an answer.

        Raises ``CircuitOpenError`` or ``RateLimitedError`` before anything happens where the
        target is to be left alone.
        """
        host = target.partition("/")[0]
        if self._gate is not None:
            self._gate.enter(host)
        started_at, began = clock.system_now(), time.monotonic()
        answers: list[HttpResponse] = []
        failure: IntegrationError | None = None
        try:
            yield answers.append
        except IntegrationError as error:
            failure = error
            error.connection = error.connection or self.connection.key
            raise
        finally:
            answer = answers[-1] if answers else None
            self._learn(host, answer, failure)
            fine = failure is None and (answer is None or answer.status < 400)
            if not (quiet_when_ok and fine):
                self._recorder(
                    Attempt(
                        operation=operation,
                        target=target[:300],
                        idempotency_key=idempotency_key[:120],
                        started_at=started_at,
                        milliseconds=round((time.monotonic() - began) * 1000),
                        status_code=answer.status if answer else getattr(failure, "status", None),
                        request_id=(answer.request_id if answer else "")[:120],
                        error=failure,
                    )
                )

    def _learn(
        self, host: str, answer: HttpResponse | None, failure: IntegrationError | None
    ) -> None:
        if self._gate is None:
            return
        self._gate.leave(host, status=answer.status if answer else None, error=failure)
        if answer is not None and answer.status in {429, 503}:
            told = retry_after_seconds(answer.headers.get("retry-after", ""))
            if told is not None or answer.status == 429:
                self._gate.slow_down(host, seconds=SLOW_DEFAULT if told is None else told)

    def _prepare(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        json: object | None,
        body: bytes | None,
    ) -> requests.PreparedRequest:
        for name, value in (headers or {}).items():
            if not (value.isascii() and value.isprintable()):
                # Not quoted: it may be a credential with a stray character.
                raise ConfigError(f"The header {name[:60]} holds a character that cannot be sent.")
        try:
            prepared = self._session.prepare_request(
                requests.Request(method, url, headers=dict(headers or {}), json=json, data=body)
            )
        except (requests.RequestException, ValueError) as error:
            raise ConfigError("The request could not be built from its settings.") from error
        # What was checked is what is sent: no parser may have read the address differently.
        if clean_url(str(prepared.url)).host != clean_url(url).host:
            raise ConfigError("The address is ambiguous.")
        return prepared

    def _send(
        self, prepared: requests.PreparedRequest, *, target: Target, deadline: float, max_bytes: int
    ) -> HttpResponse:
        effect = prepared.method not in _NO_EFFECT
        if effect:
            # A kept-alive connection may have been closed by the other side just now; an effect
            # sent into it would be uncertain without need.
            self._adapter.drop_idle()
        passage = self._passage
        passage.begin()
        try:
            with (
                WATCHDOG.guard(deadline, passage.cut),
                self._session.send(
                    prepared,
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(addresses.CONNECT_TIMEOUT, deadline), min(READ_TIMEOUT, deadline)),
                    verify=self._session.verify,
                ) as answer,
            ):
                content = _read_limited(answer, max_bytes=max_bytes, effect=effect)
                status, fields = answer.status_code, answer.headers
            if passage.expired:
                raise requests.Timeout
        except requests.RequestException as error:
            self._adapter.drop_idle()
            raise _no_answer(error, passage=passage, effect=effect, host=target.host) from None
        finally:
            passage.end()
        return HttpResponse(
            status=status,
            headers={name.lower(): value for name, value in fields.items()},
            body=content,
            url=str(prepared.url),
            connection=self.connection.key,
        )

    @contextlib.contextmanager
    def aside(self) -> Iterator[HttpTransport]:
        """See :class:`integrations.connectors.second_door.SecondDoor`.

        Only for a transport without ``gate``: a gate's state is read where the calls are made.
        """
        if self._gate is not None:
            raise RuntimeError("A transport with a gate serves one thread.")
        attempts: list[Attempt] = []
        second = HttpTransport(
            self.connection,
            recorder=attempts.append,
            allow_private=self._allow_private,
            record_reads=self._record_reads,
            ca_file=self._ca_file,
        )
        try:
            yield second
        finally:
            second.close()
            for attempt in attempts:
                self._recorder(attempt)

    def close(self) -> None:
        """Close the connections kept alive."""
        self._session.close()


def _read_limited(answer: requests.Response, *, max_bytes: int, effect: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_content(_CHUNK):
        size += len(part)
        if size > max_bytes:
            message = f"The answer is larger than {max_bytes} bytes"
            if effect:
                raise UncertainError(f"{message}; the effect may have happened.")
            raise PermanentError(f"{message}.")
        parts.append(part)
    return b"".join(parts)


def _no_answer(
    error: requests.RequestException, *, passage: Passage, effect: bool, host: str
) -> IntegrationError:
    """The error for a request without a whole answer. The cause's own text may quote the URL."""
    slow = passage.expired or isinstance(error, requests.Timeout)
    if not passage.sent:
        if isinstance(error, requests.exceptions.SSLError):
            return TransientError(
                f"No trusted TLS connection to {host}: its certificate could not be verified. "
                "Nothing was sent."
            )
        return TransientError(f"Could not connect to {host}. Nothing was sent.")
    why = "did not answer in time" if slow else "broke off before answering"
    if effect:
        return UncertainError(f"{host} {why}: the effect may or may not have happened.")
    return TransientError(f"{host} {why}.")
