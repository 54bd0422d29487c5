"""The Remote connector: its settings, and what makes a token and an address valid."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from integrations.connectors.base import CONNECTORS, FieldNote, Setting
from integrations.connectors.remote.client import RemoteClient, environment_of
from integrations.connectors.remote.notes import FIELD_NOTES
from integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.base import ConnectionSettings, Transport

_LIVE, _TEST = "ra_live_", "ra_test_"
_HOSTS = {
    _LIVE: ("production", "https://gateway.remote.com"),
    _TEST: ("sandbox", "https://gateway.remote-sandbox.com"),
}
_TOKEN_CAP = 8192


@CONNECTORS.register
class RemoteConnector:
    """Remote (remote.com): employees, EOR employees and contractors with their lifecycle dates."""

    key = "remote"
    label = "Remote"
    category = "HRIS"
    help = (
        "Sync employees, EOR employees and contractors, and drive workflows from their start and "
        "end dates. In Remote, an admin generates the token: Company settings → Integrations & "
        "APIs → Remote API."
    )
    icon = "remote"
    field_notes: Mapping[str, FieldNote] = FIELD_NOTES
    settings: tuple[Setting, ...] = (
        Setting(
            name="api_token",
            label="API token",
            help="Starts with ra_live_ (production) or ra_test_ (sandbox). Stored encrypted.",
            required=True,
            secret=True,
        ),
        Setting(
            name="base_url",
            label="Address of the API",
            help="Leave empty: the token tells production and sandbox apart.",
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> RemoteClient:
        """Bind to one connection. Raises ``ConfigError`` on an unusable token or address."""
        token = clean_token(settings.secrets.get("api_token", ""))
        return RemoteClient(
            settings,
            transport,
            base_url=base_url_for(token, settings.config.get("base_url", "")),
            api_token=token,
        )


def clean_token(token: str) -> str:
    """The token without surrounding space. Raises ``ConfigError``; never quotes the token."""
    token = token.strip()
    if not token:
        raise ConfigError("The API token of Remote is missing.")
    if len(token) > _TOKEN_CAP or not all("!" <= character <= "~" for character in token):
        raise ConfigError(
            "The API token holds characters that no token of Remote has (spaces, line breaks or "
            "letters outside ASCII). Copy it again from Remote."
        )
    return token


def base_url_for(token: str, configured: str) -> str:
    """The API's address: the configured one, else by the token's prefix.

    Raises ``ConfigError`` for an unknown prefix without an address, for a malformed address, and
    for a token of the other one of Remote's environments.
    """
    known = next((_HOSTS[prefix] for prefix in _HOSTS if token.startswith(prefix)), None)
    if not configured.strip():
        if known is None:
            raise ConfigError(
                "This is no API token of Remote: they start with ra_live_ or ra_test_. For another "
                "kind of token, also set the address of the API."
            )
        return known[1]
    address = _clean_address(configured)
    environment = environment_of(address)
    if known is not None and environment not in {"custom", known[0]}:
        raise ConfigError(
            f"The token is for Remote's {known[0]}, the address is its {environment}. "
            "Leave the address empty, or use a token of that environment."
        )
    return address


def _clean_address(configured: str) -> str:
    address = configured.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not address.isprintable() or set(address) & set("?#@\\ "):
        raise ConfigError(
            "The address of the API is not usable: it looks like https://gateway.remote.com."
        )
    return address
