"""The one door, against real sockets."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from integrations.delivery import delivery_recorder
from integrations.errors import (
    ConfigError,
    PermanentError,
    TransientError,
    UncertainError,
)
from integrations.models import Delivery
from integrations.tests.certificates import certificate as make_certificate
from integrations.tests.servers import Answer, Asked, serving, transport_to_loopback

if TYPE_CHECKING:
    from pathlib import Path

    from integrations.transport import Attempt


def test_request_brings_status_headers_and_body() -> None:
    with serving(lambda _: Answer(418, json={"a": 1}, headers={"X-Request-Id": "r1"})) as server:
        answer = transport_to_loopback().request(
            "POST", f"{server.url}/x", json={"b": 2}, params={"q": "a b&c"}, headers={"X-Y": "z"}
        )
    assert (answer.status, answer.body, answer.request_id) == (418, b'{"a": 1}', "r1")
    asked = server.asked[0]
    assert asked.json() == {"b": 2}
    assert asked.query == {"q": "a b&c"}
    assert asked.headers["x-y"] == "z"
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"


def test_redirect_is_an_answer_and_not_followed() -> None:
    def away(asked: Asked) -> Answer:
        return Answer(307, headers={"Location": "/other"})

    with serving(away) as server:
        assert transport_to_loopback().request("POST", server.url, json={}).status == 307
        assert len(server.asked) == 1


def test_cookies_are_not_kept() -> None:
    with serving(lambda _: Answer(headers={"Set-Cookie": "s=1; Path=/"})) as server:
        transport = transport_to_loopback()
        transport.request("GET", server.url)
        transport.request("GET", server.url)
        assert "cookie" not in server.asked[1].headers


def test_environment_proxies_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(lambda _: Answer()) as server:
        assert transport_to_loopback().request("GET", server.url).status == 200


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", TransientError), ("POST", UncertainError)]
)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"SMTP hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_lost_answer_is_uncertain_only_for_effects(
    raw: bytes, method: str, expected: type[Exception]
) -> None:
    with serving(lambda _: Answer(raw=raw)) as server, pytest.raises(expected):
        transport_to_loopback().request(method, server.url)


def test_nothing_listening_is_transient_even_for_effects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientError, match="Nothing was sent"):
        transport_to_loopback().request("POST", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", TransientError), ("DELETE", UncertainError)]
)
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b""])
def test_deadline_holds_against_a_drip(method: str, expected: type[Exception], head: bytes) -> None:
    """Each byte comes well within a read timeout; only the total counts."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            taken, _ = listener.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(head)
                while head and not stop.wait(0.05):
                    try:
                        taken.sendall(b"x")
                    except OSError:
                        return
                stop.wait(3)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(expected, match="in time"):
            transport_to_loopback().request(
                method, f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=0.4
            )
        assert time.monotonic() - began < 2.5  # the peer would go on for longer
        stop.set()
        thread.join(5)


def test_size_limit_counts_decoded_bytes() -> None:
    bomb = gzip.compress(b"0" * 3_000_000)
    with serving(lambda _: Answer(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        transport = transport_to_loopback()
        with pytest.raises(PermanentError, match="larger"):
            transport.request("GET", server.url)
        with pytest.raises(UncertainError, match="larger"):
            transport.request("POST", server.url)
        assert len(transport.request("GET", server.url, max_bytes=4_000_000).body) == 3_000_000


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "é", "\u2028", "\ud800"])
def test_header_injection_is_refused(value: str) -> None:
    with serving(lambda _: Answer()) as server:
        with pytest.raises(ConfigError):
            transport_to_loopback().request("POST", server.url, headers={"X-A": value})
        assert server.asked == []


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ConfigError):
        transport_to_loopback().request("GET / HTTP/1.1\r\nX:", "http://127.0.0.1/")


@pytest.mark.django_db
def test_attempts_are_logged_without_query_or_secret() -> None:
    transport = transport_to_loopback()
    transport._recorder = delivery_recorder(None)
    replies = iter([Answer(200), Answer(500), Answer(drop=True)])
    with serving(lambda _: next(replies)) as server:
        for _ in range(2):
            transport.request(
                "POST",
                f"{server.url}/Users",
                params={"token": "hidden-canary"},
                headers={"Authorization": "Bearer hidden-canary"},
                json={"secret": "hidden-canary"},
                idempotency_key="run-1-step-2",
            )
        with pytest.raises(UncertainError):
            transport.request("POST", f"{server.url}/Users?x=hidden-canary", json={})
    rows = list(Delivery.objects.order_by("pk").values())
    assert [row["outcome"] for row in rows] == ["ok", "failed", "uncertain"]
    assert rows[0]["operation"] == "POST /Users"
    assert rows[0]["target"] == f"127.0.0.1:{server.port}/Users"
    assert rows[0]["idempotency_key"] == "run-1-step-2"
    assert rows[2]["error_code"] == "uncertain"
    assert "hidden-canary" not in repr(rows)


def test_reads_may_stay_out_of_the_log_but_failures_never() -> None:
    attempts: list[Attempt] = []
    replies = iter([Answer(200), Answer(503), Answer(200)])
    with serving(lambda _: next(replies)) as server:
        transport = transport_to_loopback(attempts, record_reads=False)
        transport.request("GET", server.url)
        transport.request("GET", server.url)
        transport.request("POST", server.url)
    assert [(one.operation, one.status_code) for one in attempts] == [
        ("GET /", 503),
        ("POST /", 200),
    ]


@pytest.mark.parametrize(
    ("name", "trusted", "works"),
    [
        (x509.DNSName("localhost"), True, True),
        (x509.DNSName("elsewhere.example.com"), True, False),
        (x509.IPAddress(ipaddress.ip_address("127.0.0.1")), True, False),
        (x509.DNSName("localhost"), False, False),
    ],
)
def test_certificate_is_verified_for_the_name_not_the_address(
    name: x509.GeneralName, trusted: bool, works: bool, tmp_path: Path
) -> None:
    certificate, private = make_certificate(tmp_path, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    asked_for: list[str | None] = []
    context.sni_callback = lambda _socket, server_name, _context: asked_for.append(server_name)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            taken, _ = listener.accept()
            try:
                with context.wrap_socket(taken, server_side=True) as secured:
                    # Closing with unread bytes would reset the connection.
                    while not secured.recv(4096).endswith(b"{}"):
                        pass
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                taken.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        transport = transport_to_loopback(ca_file=str(certificate) if trusted else "")
        url = f"https://localhost:{listener.getsockname()[1]}/"
        if works:
            assert transport.request("POST", url, json={}).body == b"ok"
        else:
            with pytest.raises(TransientError, match="certificate"):
                transport.request("POST", url, json={})
        thread.join(5)
    assert asked_for == ["localhost"]
