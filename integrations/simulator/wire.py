"""HTTP/1.1 on a socket: reading requests, writing answers, and breaking them when asked to."""

import contextlib
import json
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from integrations.simulator.answers import Answer
from integrations.simulator.faults import Fault
from integrations.simulator.routes import Request

_DRIPS = 20


class Brain(Protocol):
    """What the socket side asks of the simulator."""

    stopping: threading.Event

    def reply(
        self, request: Request, *, authorization: str, loopback: bool
    ) -> tuple[Answer, Fault | None]: ...

    def log(self, request: Request, status: int) -> None: ...


class Wire(ThreadingHTTPServer):
    """Knows its open connections, so that stopping ends them at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], brain: Brain) -> None:
        self.brain = brain
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news; a reset on request is the point."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    server: Wire

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = None
        request = Request(self.command, parts.path, query, body if isinstance(body, dict) else {})
        brain = self.server.brain
        if body is not None and isinstance(body, dict):
            answer, fault = brain.reply(
                request,
                authorization=self.headers.get("Authorization", ""),
                loopback=self.client_address[0] in ("127.0.0.1", "::1"),
            )
        else:
            answer, fault = Answer(400, {"message": "Body is not a JSON object"}), None
        brain.log(request, 0 if fault and fault.kind in ("reset", "hang") else answer.status)
        self._write(answer, fault)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle

    def _write(self, answer: Answer, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if fault and kind == "hang":
            self.server.brain.stopping.wait(fault.seconds)
        if kind in ("reset", "hang"):
            return self._reset()
        data, content_type = _encoded(answer, fault)
        status = 200 if kind == "garbage" else answer.status
        if fault and kind == "html":
            status = fault.status
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if kind == "truncate":
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        elif fault and kind == "slow":
            self._drip(data, fault.seconds)
        else:
            self.wfile.write(data)
        return None

    def _drip(self, data: bytes, seconds: float) -> None:
        step = -(-len(data) // _DRIPS)
        for start in range(0, len(data), step):
            if self.server.brain.stopping.wait(seconds / _DRIPS):
                self.close_connection = True
                return
            self.wfile.write(data[start : start + step])
            self.wfile.flush()

    def _reset(self) -> None:
        # A zero linger time makes the close an RST instead of a polite end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def version_string(self) -> str:
        return "simulator"

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the request log is `Simulator.requests`."""


def _encoded(answer: Answer, fault: Fault | None) -> tuple[bytes, str]:
    if fault and fault.kind == "garbage":
        return b'{"data": [\x00\xff\xfe not json', "application/json; charset=utf-8"
    if fault and fault.kind == "html":
        text = fault.body or "<html><body><h1>502 Bad Gateway</h1></body></html>"
        return str(text).encode(), "text/html; charset=utf-8"
    payload = json.dumps(answer.payload, ensure_ascii=False, separators=(",", ":"))
    return payload.encode(), "application/json; charset=utf-8"
