"""Small scripted servers on loopback: real sockets, real HTTP, answers we decide."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from integrations.transport import Attempt, ConnectionRef, HttpTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """What to say. ``raw`` replaces the whole answer on the wire; ``drop`` says nothing."""

    status: int = 200
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    raw: bytes | None = None
    drop: bool = False


@dataclass
class Served:
    """A running server: its address and what it was asked."""

    url: str
    port: int
    asked: list[Asked]

    def calls(self, method: str) -> list[Asked]:
        return [one for one in self.asked if one.method == method]


@contextlib.contextmanager
def serving(handle: Callable[[Asked], Answer]) -> Iterator[Served]:
    """Answer every request with what ``handle`` returns."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            request = Asked(
                method=self.command,
                path=parts.path,
                query={name: values[0] for name, values in parse_qs(parts.query).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            asked.append(request)
            answer = handle(request)
            if answer.drop or answer.raw is not None:
                with contextlib.suppress(OSError):
                    self.wfile.write(answer.raw or b"")
                self.close_connection = True
                return
            body = answer.body
            if body is None:
                body = b"" if answer.json is None else json.dumps(answer.json).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}", server.server_port, asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def transport_to_loopback(attempts: list[Attempt] | None = None, **options: Any) -> HttpTransport:
    """A transport that may reach loopback; attempts go into the given list."""
    kept = attempts if attempts is not None else []
    return HttpTransport(
        ConnectionRef(id=None, key="test"),
        recorder=kept.append,
        allow_private=options.pop("allow_private", LOOPBACK),
        **options,
    )
