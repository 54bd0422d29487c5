"""Where outbound connections may go: a name is resolved once, judged, and connected to.

Every address a name answers with must be allowed; the socket is opened to one of the very addresses
that were judged, so that a name which answers differently a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from integrations.errors import ConfigError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

CONNECT_TIMEOUT = 5.0
"""Seconds for all of a name's addresses together."""

PUBLIC_WEB_PORTS = frozenset({443, 8443})
PUBLIC_MAIL_PORTS = frozenset({25, 465, 587, 2525})

# https://www.iana.org/assignments/iana-ipv4-special-registry – written out because Python's own
# is_global changed between patch releases. 168.63.129.16 is Azure's host agent.
_BARRED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
# Only 2000::/3 is global unicast: that alone shuts out loopback, IPv4-mapped, NAT64 (64:ff9b::),
# unique local and link-local addresses. Teredo lies in 2001::/23, 6to4 is 2002::/16.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_BARRED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether ``address`` is a unicast address of the open Internet, without any tunnel inside."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _BARRED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _BARRED_V6)


@dataclass(frozen=True, slots=True)
class PrivateAllowance:
    """Hosts and networks that may be reached although private (``OUTBOUND_ALLOW_PRIVATE``)."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> PrivateAllowance:
        """Read the setting: what is no address or network is a host name."""
        hosts: set[str] = set()
        networks: list[IPv4Network | IPv6Network] = []
        for entry in filter(None, (entry.strip() for entry in entries)):
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                hosts.add(entry.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def covers(self, host: str, address: IPv4Address | IPv6Address) -> bool:
        """Whether an administrator named this host or the network of this address."""
        return host in self.hosts or any(
            address in network for network in self.networks if network.version == address.version
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host, and the port where it is not the usual one."""
        default = {"https": 443, "http": 80}[self.scheme]
        return f"{self.host}{'' if self.port == default else f':{self.port}'}"


# What follows one of these names one thing of a collection, however it is written.
_COLLECTION = re.compile(
    r"users|groups|apps|applications|members|people|persons|employees|employments|accounts"
    r"|schemas|sessions|orders|shipments",
    re.IGNORECASE,
)
_PLAIN_SEGMENT = re.compile(r"[A-Za-z][A-Za-z_.-]{0,40}|v\d{1,2}(?:\.\d)?|\d\.\d|oauth2|scim2?|")
_KNOWN_WORDS = frozenset({"me", "search", ".search", "lifecycle", "bulk"})


def path_template(path: str) -> str:
    """``path`` for the log: what may be an id, an address, a name or a secret becomes ``{id}``.

    Errs on the side of leaving out: a segment with a digit is no word of an API.
    """
    shown: list[str] = []
    before = ""
    for segment in (path or "/").split("/"):
        known = segment.lower() in _KNOWN_WORDS
        in_collection = bool(_COLLECTION.fullmatch(before)) and segment and not known
        plain = bool(_PLAIN_SEGMENT.fullmatch(segment)) and not in_collection
        shown.append(segment if plain or known else "{id}")
        before = segment
    return "/".join(shown)


def clean_host(host: str) -> str:
    """Lower-case ``host`` in its one canonical spelling. Raises ``ConfigError``.

    Spellings that only some parsers read as an address (``2130706433``, ``0x7f.1``, ``127.1``)
    and names outside ASCII are refused rather than interpreted.
    """
    name = host.lower().strip("[]") if host.startswith("[") else host.lower()
    try:
        return str(ipaddress.ip_address(name)) if "%" not in name else _refuse_host(host)
    except ValueError:
        pass
    name = name.removesuffix(".")
    if (
        not name
        or len(name) > 253
        or _NUMERIC_END.search(name)
        or not all(_LABEL.fullmatch(label) for label in name.split("."))
    ):
        _refuse_host(host)
    return name


def _refuse_host(host: str) -> str:
    raise ConfigError(
        f"“{host[:80]}” is not a host name we connect to. Write it in plain letters, digits and "
        "hyphens (international names in their xn-- form), addresses in their usual notation."
    )


def clean_url(url: str) -> Target:
    """Take ``url`` apart. Raises ``ConfigError`` for what two parsers could read differently."""
    if not url.isascii() or any(ord(char) <= 32 or ord(char) == 127 for char in url) or "\\" in url:
        raise ConfigError("The address holds spaces, control or non-ASCII characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError("The address is not a valid URL.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError("The address must begin with https:// and name a host.")
    if "@" in parts.netloc:
        raise ConfigError("The address must not hold a user name or password.")
    if "#" in url:
        raise ConfigError("The address must not hold a fragment (#…).")
    if port == 0:
        raise ConfigError("The port must lie between 1 and 65535.")
    host = clean_host(parts.hostname)
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path)


def resolve(
    host: str,
    port: int,
    *,
    allow: PrivateAllowance,
    encrypted: bool,
    public_ports: frozenset[int] = PUBLIC_WEB_PORTS,
) -> list[IPv4Address | IPv6Address]:
    """Every address of ``host``, all of them allowed.

    ``encrypted`` false (plain HTTP) is accepted for allowed private addresses only. Raises
    ``ConfigError`` when one address is refused, ``TransientError`` when the name has none.
    """
    host = clean_host(host)
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"The name {host} could not be resolved.") from error
    addresses: list[IPv4Address | IPv6Address] = []
    for *_rest, sockaddr in answers:
        address = ipaddress.ip_address(str(sockaddr[0]).partition("%")[0])
        if address not in addresses:
            _judge(host, port, address, allow, encrypted=encrypted, public_ports=public_ports)
            addresses.append(address)
    if not addresses:
        raise TransientError(f"The name {host} has no address.")
    return addresses


def _judge(
    host: str,
    port: int,
    address: IPv4Address | IPv6Address,
    allow: PrivateAllowance,
    *,
    encrypted: bool,
    public_ports: frozenset[int],
) -> None:
    covered, public = allow.covers(host, address), is_public(address)
    if not public and not covered:
        raise ConfigError(
            f"{host} leads to an address inside a private network, which outbound calls may not "
            "reach. If that is intended, add the host or network to OUTBOUND_ALLOW_PRIVATE."
        )
    if public and not encrypted:
        raise ConfigError(f"{host} is on the open Internet: use https:// rather than http://.")
    if port not in public_ports and not covered:
        ports = ", ".join(map(str, sorted(public_ports)))
        raise ConfigError(f"Port {port} of {host} is not one of {ports}.")


def connect(
    addresses: list[IPv4Address | IPv6Address], port: int, *, timeout: float
) -> socket.socket:
    """Open a socket to the first address that answers within ``timeout`` seconds in all.

    Raises ``TransientError``: nothing was sent.
    """
    ends = time.monotonic() + min(timeout, CONNECT_TIMEOUT)
    failure: OSError = TimeoutError()
    for address in addresses:
        left = ends - time.monotonic()
        if left <= 0:
            break
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(left)
            opened.connect((str(address), port))
        except OSError as error:
            opened.close()
            failure = error
        else:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(timeout)
            return opened
    why = "no answer in time" if isinstance(failure, TimeoutError) else "the connection was refused"
    raise TransientError(f"Could not connect: {why}. Nothing was sent.") from failure
