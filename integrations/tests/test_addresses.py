"""Nothing private is ever connected to, however its address is written."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import addresses
from integrations.addresses import PrivateAllowance, clean_url, is_public
from integrations.errors import ConfigError, IntegrationError, TransientError
from integrations.tests.servers import transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

# {port} is the port of a listener on loopback that must never see a connection.
REFUSED = [
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "https://127.0.0.1/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://017700000001:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://127.000.000.001:{port}/",
    "https://0.0.0.0:{port}/",
    "https://0:{port}/",
    "https://0.0.0.1:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[::ffff:0:127.0.0.1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{port}/",
    "https://[2001:db8::1]:{port}/",
    "https://[fe80::1]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://[fe80::1%lo]:{port}/",
    "https://[fc00::1]:{port}/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://[ff02::1]:{port}/",
    "https://[fec0::1]:{port}/",
    "https://[100::1]:{port}/",
    "https://[3fff::1]:{port}/",
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.254/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/v2/credentials",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://168.63.129.16/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.51.100.7/",
    "https://203.0.113.9/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://user@127.0.0.1:{port}/",
    "https://user:pass@127.0.0.1:{port}/",
    "https://example.com@127.0.0.1:{port}/",
    "https://example.com:443@127.0.0.1:{port}/",
    "https://@127.0.0.1:{port}/",
    "https://example.com#@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@example.com/",
    "https://127.0.0.1:{port}\\@example.com/",
    "https://example.com\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}%2f@example.com/",
    "https:\\\\127.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    " https://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/ HTTP/1.1\r\nX: y",
    "https://127.0.0.1:{port}/\r\nHost: example.com",
    "https://127.0.0.1\t:{port}/",
    "https://127.0.0.1%00.example.com:{port}/",
    "https://127%2e0%2e0%2e1:{port}/",
    "https://１２７.０.０.１:{port}/",
    "https://127。0。0。1:{port}/",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "https://loc\u00adalhost:{port}/",
    "https://localhost\u3002:{port}/",
    "https://[127.0.0.1]:{port}/",
    "https://[::1:{port}/",
    "https://::1:{port}/",
    "https://localhost:{port}:80/",
    "https://localhost:99999/",
    "https://localhost:0/",
    "https://localhost:-1/",
    "https://-localhost:{port}/",
    "https://local_host..:{port}/",
    "https://*.localhost:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "http+unix://%2fvar%2frun%2fdocker.sock/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "https://",
    "https://?",
    "",
    # More spellings of loopback and of the metadata services.
    "https://127.0.0.2:{port}/",
    "https://127.255.255.254:{port}/",
    "https://0x7f.0x0.0x0.0x1:{port}/",
    "https://0X7F000001:{port}/",
    "https://0177.0.0.01:{port}/",
    "https://00000177.0.0.1:{port}/",
    "https://127.0.0.0x1:{port}/",
    "https://127.0.0.1.0x:{port}/",
    "https://0x7f.1:{port}/",
    "https://0177.1:{port}/",
    "https://127.65537:{port}/",
    "https://4294967295:{port}/",
    "https://00:{port}/",
    "https://0x0:{port}/",
    "https://[::ffff:127.0.0.1%25lo]:{port}/",
    "https://[::ffff:a9fe:a9fe]/latest/meta-data/",
    "https://[::ffff:10.0.0.1]:{port}/",
    "https://[::7f00:1]:{port}/",
    "https://[0000:0000:0000:0000:0000:ffff:7f00:0001]:{port}/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1:ffff::127.0.0.1]:{port}/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[2002:7f00:0001:0:0:0:0:1]:{port}/",
    "https://[fd00::1]:{port}/",
    "https://[fe80::1%251]:{port}/",
    "https://[fe80::1%25eth0]:{port}/",
    "https://[ff01::1]:{port}/",
    "https://[::1%25lo]:{port}/",
    "https://[v1.127.0.0.1]:{port}/",
    "https://[]:{port}/",
    "https://169.254.169.254:443/computeMetadata/v1/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://192.168.0.1.:443/",
    "https://10.1/",
    "https://172.16.1/",
    "https://127.0.0.1:{port}@example.com:443/",
    "https://example.com&@127.0.0.1:{port}/",
    "https://example.com%40127.0.0.1:{port}/",
    "https://example.com%23@127.0.0.1:{port}/",
    "https://example.com;@127.0.0.1:{port}/",
    "https://[::1]@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}%00/",
    "https://127.0.0.1%0d%0a:{port}/",
    "https://127.0.0.1%09:{port}/",
    "https://\u200b127.0.0.1:{port}/",
    "https://127\uff0e0\uff0e0\uff0e1:{port}/",
    "https://127\u30020\uff610\uff0e1:{port}/",
    "https://\u0661\u0662\u0667.0.0.1:{port}/",
    "https://\u2460\u2461\u2466.0.0.1:{port}/",
    "https://127.0.0.\u00b9:{port}/",
    "https://lo\u0441alhost:{port}/",
    "https://localho\u017ft:{port}/",
    "https://loc\u200dalhost:{port}/",
    "https://ip6-localhost\x00:{port}/",
    "https://localhost%2e:{port}/",
    "https://localhost%00.example.com:{port}/",
    "https://localhost:{port}\\@example.com/",
    "HTTPS://LocalHost:{port}/",
    "https://127.0.0.1:0{port}/",
    "https://127.0.0.1:+{port}/",
    "https://127.0.0.1: {port}/",
    "jar:https://127.0.0.1:{port}!/",
    "ldap://127.0.0.1:{port}/",
    "tftp://127.0.0.1:{port}/",
    "sftp://127.0.0.1:{port}/",
    "netdoc:///etc/passwd",
    "ws://127.0.0.1:{port}/",
]
# Names that a resolver answers with what must not be reached, alone or among good answers.
LEADS_INSIDE = [
    ["127.0.0.1"],
    ["127.8.8.8"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["0.0.0.0"],  # noqa: S104 - an answer that must be refused
    ["10.0.0.8"],
    ["172.20.1.1"],
    ["192.168.1.10"],
    ["169.254.169.254"],
    ["100.64.1.1"],
    ["fd12:3456::1"],
    ["fe80::1%2"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::"],
    ["2001:0:4136:e378:8000:63bf:80ff:fffe"],
    ["224.0.0.1"],
    ["93.184.216.34", "127.0.0.1"],
    ["127.0.0.1", "93.184.216.34"],
    ["2606:2800:220:1::1", "::1"],
    ["93.184.216.34", "2606:2800:220:1::1", "10.0.0.1"],
]


@pytest.fixture(scope="module")
def canary() -> Iterator[tuple[int, list[object]]]:
    """A listener on every loopback address; its list fills if anybody connects."""
    seen: list[object] = []
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def watch() -> None:
        with contextlib.suppress(OSError):
            while True:
                connected, peer = listener.accept()
                seen.append(peer)
                connected.close()

    threading.Thread(target=watch, daemon=True).start()
    yield port, seen
    listener.close()


def test_corpus_is_large_and_without_repeats() -> None:
    assert len(set(REFUSED)) == len(REFUSED)
    assert len(REFUSED) + len(LEADS_INSIDE) >= 180


@pytest.mark.parametrize("template", REFUSED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_private_address_is_refused_unseen(
    template: str, method: str, canary: tuple[int, list[object]]
) -> None:
    port, seen = canary
    transport = transport_to_loopback(allow_private=())
    with pytest.raises(ConfigError):
        transport.request(method, template.replace("{port}", str(port)), timeout=2)
    assert seen == []


def test_canary_would_notice(canary: tuple[int, list[object]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = addresses.resolve(
            "127.0.0.1", port, allow=PrivateAllowance.parse(["127.0.0.1"]), encrypted=False
        )
        addresses.connect(found, port, timeout=2).close()
        listener.settimeout(2)
        listener.accept()[0].close()


def _answering(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the resolver give these answers, one list a call, the last one for ever after."""
    asked: list[str] = []

    def lookup(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port))
            for one in found
        ]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", lookup)
    return asked


@pytest.mark.parametrize("answers", LEADS_INSIDE, ids="+".join)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_name_that_leads_inside_is_refused_unseen(
    answers: list[str],
    method: str,
    canary: tuple[int, list[object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port, seen = canary
    _answering(monkeypatch, answers)
    transport = transport_to_loopback(allow_private=())
    with pytest.raises(ConfigError):
        transport.request(method, f"https://inside.example.com:{port}/", timeout=2)
    assert seen == []


@pytest.mark.parametrize(
    "answers",
    [
        ["93.184.216.34", "127.0.0.1"],
        ["93.184.216.34", "::1"],
        ["2606:2800:220:1::1", "::ffff:10.0.0.1"],
        ["169.254.169.254"],
        ["8.8.8.8", "64:ff9b::a00:1"],
    ],
)
def test_one_private_answer_spoils_the_name(
    answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _answering(monkeypatch, answers)
    with pytest.raises(ConfigError):
        addresses.resolve("mixed.example.com", 443, allow=PrivateAllowance(), encrypted=True)


def test_rebinding_name_is_connected_to_where_it_was_judged(
    monkeypatch: pytest.MonkeyPatch, canary: tuple[int, list[object]]
) -> None:
    _, seen = canary
    asked = _answering(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    went: list[tuple[str, int]] = []

    class Elsewhere(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            went.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(addresses.socket, "socket", Elsewhere)
    transport = transport_to_loopback(allow_private=())
    with pytest.raises(TransientError):
        transport.request("POST", "https://rebind.example.com:8443/", json={})
    assert asked == ["rebind.example.com"]
    assert went == [("93.184.216.34", 8443)]
    assert seen == []


def test_public_target_needs_tls_and_a_usual_port(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, ["93.184.216.34"])
    everything = PrivateAllowance()
    with pytest.raises(ConfigError, match="https"):
        addresses.resolve("example.com", 443, allow=everything, encrypted=False)
    with pytest.raises(ConfigError, match="Port 22"):
        addresses.resolve("example.com", 22, allow=everything, encrypted=True)
    assert addresses.resolve("example.com", 8443, allow=everything, encrypted=True)


def test_allowance_names_hosts_and_networks() -> None:
    allow = PrivateAllowance.parse(["mail.internal", "10.1.0.0/16", "::1", "", " 192.168.0.5 "])
    v4 = ipaddress.ip_address
    assert allow.covers("mail.internal", v4("172.16.0.9"))
    assert allow.covers("x", v4("10.1.2.3"))
    assert allow.covers("x", v4("::1"))
    assert allow.covers("x", v4("192.168.0.5"))
    assert not allow.covers("x", v4("10.2.0.1"))
    assert not allow.covers("evil.mail.internal", v4("172.16.0.9"))
    assert not PrivateAllowance.parse(["127.0.0.0/8"]).covers("x", v4("::ffff:127.0.0.1"))


@given(st.ip_addresses())
def test_public_implies_what_python_calls_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Never looser than the standard library's own judgement."""
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_loopback


@given(st.text(max_size=60))
def test_clean_url_refuses_or_understands_anything(text: str) -> None:
    with contextlib.suppress(ConfigError):
        target = clean_url(f"https://{text}")
        assert target.host.isascii()
        assert "@" not in target.host
        assert 0 < target.port < 65536


def test_unresolvable_name_is_transient() -> None:
    with pytest.raises(IntegrationError) as caught:
        transport_to_loopback(allow_private=()).request("GET", "https://nowhere.invalid/")
    assert caught.value.code == "transient"
