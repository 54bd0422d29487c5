"""The other end: a real SCIM server, a real SMTP sink, and a listener for signed calls."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class ScimServer:
    """scim2-server; each test takes a tenant of its own, since it cannot be reset."""

    port: int
    token: str

    def base_url(self, tenant: str) -> str:
        """The address under which a tenant's /Users lies."""
        return f"http://127.0.0.1:{self.port}/{tenant}/v2"

    def resources(self, tenant: str, kind: str = "Users") -> list[dict[str, Any]]:
        """Everything the tenant holds, read by plain requests."""
        answer = requests.get(
            f"{self.base_url(tenant)}/{kind}",
            headers={"Authorization": f"Bearer {self.token}"},
            params={"count": "500"},
            timeout=10,
        )
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json().get("Resources", [])
        return found

    def members(self, tenant: str, group: str) -> set[str]:
        """Ids of the members of a group."""
        for row in self.resources(tenant, "Groups"):
            if row["displayName"] == group:
                return {member["value"] for member in row.get("members", [])}
        return set()


@contextmanager
def scim_server() -> Iterator[ScimServer]:
    """Start the server named by ``SCIM2_SERVER``; fail loudly where it is missing."""
    command = os.environ.get("SCIM2_SERVER", "")
    assert command, "SCIM2_SERVER must name the scim2-server executable for peer tests."
    server = ScimServer(port=free_port(), token="peer-token")
    process = subprocess.Popen(
        [command, "--port", str(server.port), "--bearer-token", server.token, "--dynamic-tenants"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{server.base_url('ready')}/ServiceProviderConfig", server.token)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(url: str, token: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            if requests.get(url, headers=headers, timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, f"{url} did not come up"
        time.sleep(0.1)


class Inbox(MessageHandler):
    """Keeps what arrives over SMTP."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []

    def handle_message(self, message: Message) -> None:
        """Called by the server for each accepted message."""
        self.messages.append(message)

    def to(self, address: str) -> list[Message]:
        """Messages for one recipient."""
        return [item for item in self.messages if address in str(item["X-RcptTo"])]


@contextmanager
def smtp_server() -> Iterator[tuple[Inbox, int]]:
    """A real SMTP server on loopback and what it received."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


@dataclass
class Sink:
    """Receives signed calls and verifies each with the published library."""

    secret: str
    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def http_sink(secret: str) -> Iterator[Sink]:
    """A listener that answers 401 to what the standardwebhooks library does not accept."""
    sink = Sink(secret=secret)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            try:
                Webhook(sink.secret).verify(body, dict(self.headers.items()))
            except (WebhookVerificationError, ValueError) as error:
                sink.refused.append(repr(error))
                self._answer(401)
                return
            sink.calls.append(
                {
                    "id": self.headers["webhook-id"],
                    "path": self.path,
                    "payload": json.loads(body),
                }
            )
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
