"""urllib3 connections that judge the address they connect to, and can be cut at a deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from integrations import addresses

if TYPE_CHECKING:
    from integrations.addresses import PrivateAllowance


class Passage:
    """How far the request under way has come. One at a time: a transport belongs to one thread."""

    def __init__(self, allow: PrivateAllowance) -> None:
        self.allow = allow
        self.sent = False
        self.expired = False
        self.ended = False
        self._socket: socket.socket | None = None
        self._guard = threading.Lock()

    def begin(self) -> None:
        """A new request starts; nothing of it has left."""
        with self._guard:
            self.sent = self.expired = self.ended = False
            self._socket = None

    def leaving(self, through: socket.socket | None) -> None:
        """The first byte is about to leave through this socket."""
        with self._guard:
            self.sent, self._socket = True, through

    def end(self) -> None:
        """The answer is complete or given up: the deadline no longer concerns the socket."""
        with self._guard:
            self.ended, self._socket = True, None

    def cut(self) -> None:
        """The deadline passed: wake whoever waits on the socket."""
        with self._guard:
            if self.ended:
                return
            self.expired = True
            if self._socket is not None:
                # Not SSLSocket.shutdown: it takes the TLS object away from the reading thread.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _PinnedConnection(HTTPConnection):
    def __init__(self, *args: Any, passage: Passage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._passage = passage

    def _new_conn(self) -> socket.socket:
        """Resolve once, judge every address, connect to one of them; Host and SNI stay the name."""
        found = addresses.resolve(
            self.host,
            self.port or 0,
            allow=self._passage.allow,
            encrypted=isinstance(self, HTTPSConnection),
        )
        limit = self.timeout if isinstance(self.timeout, int | float) else addresses.CONNECT_TIMEOUT
        return addresses.connect(found, self.port or 0, timeout=float(limit))

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self._passage.leaving(self.sock)
        super().send(data)


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PinnedConnection

    def __init__(self, *args: Any, passage: Passage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn_kw["passage"] = passage


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedTlsConnection

    def __init__(self, *args: Any, passage: Passage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn_kw["passage"] = passage


class PinnedAdapter(HTTPAdapter):
    """Gives a requests session connections that go only where they may."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        super().__init__(pool_connections=4, pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools from our own connection classes."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, passage=self._passage),
            "https": partial(_TlsPool, passage=self._passage),
        }

    def drop_idle(self) -> None:
        """Close the connections kept alive."""
        self.poolmanager.clear()
