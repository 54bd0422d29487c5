"""Microsoft Entra ID: its own SCIM API, with tokens that are renewed, and signing out by Graph.

Entra's SCIM API takes tokens that end within the hour, so that a bearer token pasted once is no
connection; and SCIM has no word for ending sessions. Everything else is SCIM as everywhere.
https://learn.microsoft.com/entra/identity/app-provisioning/entra-id-scim-api-reference
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from integrations.answers import parse_json, raise_for_status
from integrations.connectors.base import CONNECTORS, ConnectionSettings, Setting, Transport
from integrations.connectors.identity import Ability
from integrations.connectors.scim.connector import ScimClient, ScimDirectory
from integrations.connectors.scim.profiles import profile_for
from integrations.connectors.scim.session import ScimSession
from integrations.errors import (
    ConfigError,
    PermanentError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_GRAPH = "https://graph.microsoft.com"
_LOGIN = "https://login.microsoftonline.com"
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,120}")


class _SignsOut:
    """Ends sessions by Graph, whose ids of users are those of Entra's SCIM API."""

    _transport: Transport
    _graph: str
    _token: Callable[[], str]

    def end_sessions(self, external_id: str, *, idempotency_key: str) -> None:
        """See ``SessionEnder.end_sessions``. What is open ends within minutes.

        https://learn.microsoft.com/graph/api/user-revokesigninsessions
        """
        if not external_id:
            raise PermanentError("An id is needed to end somebody's sessions.")
        address = f"{self._graph}/v1.0/users/{quote(external_id, safe='')}/revokeSignInSessions"
        try:
            answer = self._transport.request(
                "POST",
                address,
                headers={"Authorization": f"Bearer {self._token()}"},
                json={},
                idempotency_key=idempotency_key,
            )
        except UncertainError as error:
            # Done twice it does nothing more.
            raise TransientError(error.message) from error
        if answer.status == 404:
            return
        raise_for_status(answer, what="ending the account's sessions")

    def _says(self, told: tuple[Ability, ...]) -> tuple[Ability, ...]:
        ends = Ability(words="end sessions and refresh tokens, within minutes")
        return tuple(ends if one.words == "end sessions" else one for one in told)


class EntraClient(_SignsOut, ScimClient):
    """Accounts, groups and sessions of one tenant."""

    def __init__(self, *, transport: Transport, graph: str, token: Callable[[], str], **scim: Any):
        super().__init__(**scim)
        self._transport, self._graph, self._token = transport, graph, token

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """Those of SCIM, and signing out."""
        return self._says(super().abilities(capabilities))


class EntraDirectory(_SignsOut, ScimDirectory):
    """A tenant that also brings people."""

    def __init__(self, *, transport: Transport, graph: str, token: Callable[[], str], **scim: Any):
        super().__init__(**scim)
        self._transport, self._graph, self._token = transport, graph, token

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """Those of SCIM, and signing out."""
        return self._says(super().abilities(capabilities))


class AppToken:
    """A token for the application itself, asked for once per client.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """

    def __init__(
        self,
        transport: Transport,
        *,
        login: str,
        tenant: str,
        scope: str,
        secrets: Mapping[str, str],
    ) -> None:
        self._transport = transport
        self._address = f"{login.rstrip('/')}/{tenant}/oauth2/v2.0/token"
        self._form = {
            "client_id": secrets.get("client_id", ""),
            "client_secret": secrets.get("client_secret", ""),
            "grant_type": "client_credentials",
            "scope": scope,
        }
        self._kept = ""

    def __call__(self) -> str:
        """The token. Raises ``UnauthorizedError`` where the secret is wrong or has ended."""
        if not self._kept:
            self._kept = self._fresh()
        return self._kept

    def _fresh(self) -> str:
        try:
            answer = self._transport.request(
                "POST",
                self._address,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode(self._form).encode(),
            )
        except UncertainError as error:
            raise TransientError(error.message) from error
        if answer.status in {400, 401}:
            raise UnauthorizedError(
                "Microsoft refused the application's id or secret. Secrets end after some months: "
                "make a new one under Certificates & secrets and enter it here.",
                status=answer.status,
            )
        raise_for_status(answer, what="asking Microsoft for a token")
        value = parse_json(answer.body)
        token = value.get("access_token") if isinstance(value, dict) else None
        if not isinstance(token, str) or not token:
            raise TransientError("Microsoft answered without a token.")
        return token


@CONNECTORS.register
class EntraConnector:
    """One Entra tenant."""

    key = "entra"
    label = "Microsoft Entra ID"
    category = "Identity"
    help = (
        "Creates, updates and deactivates accounts, ends sessions and fills groups; can also "
        "bring its users into the people list."
    )
    icon = "key"
    settings: tuple[Setting, ...] = (
        Setting(name="tenant", label="Tenant", help="Its id or its domain.", required=True),
        Setting(
            name="people",
            label="Bring its users into the people list",
            help="With yes, users come in as people: by work email to whom they belong, else as "
            "externals. Choose field by field under Fields which source is right.",
            default="no",
            choices=("no", "yes"),
        ),
        Setting(name="base_url", label="Graph address", default=_GRAPH),
        Setting(name="login_base_url", label="Sign-in address", default=_LOGIN),
        Setting(name="client_id", label="Application (client) id", required=True, secret=True),
        Setting(
            name="client_secret",
            label="Client secret",
            help="Of an app registration with User.ReadWrite.All, Group.ReadWrite.All and "
            "User.RevokeSessions.All, in a tenant where the SCIM provisioning API is switched on.",
            required=True,
            secret=True,
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> ScimClient:
        """Bind to one connection."""
        tenant = settings.config.get("tenant", "")
        if not _TENANT.fullmatch(tenant):
            raise ConfigError("The tenant is an id or a domain, as acme.onmicrosoft.com.")
        graph = (settings.config.get("base_url") or _GRAPH).rstrip("/")
        token = AppToken(
            transport,
            login=settings.config.get("login_base_url") or _LOGIN,
            tenant=tenant,
            scope=f"{graph}/.default",
            secrets=settings.secrets,
        )
        base_url = f"{graph}/rp/scim"
        common: dict[str, Any] = {
            "session": ScimSession(transport, base_url=base_url, token=token),
            "base_url": base_url,
            "capabilities": settings.capabilities,
            "profile": profile_for(base_url, "entra"),
            "transport": transport,
            "graph": graph,
            "token": token,
        }
        if settings.config.get("people") == "yes":
            return EntraDirectory(key=settings.key, **common)
        return EntraClient(**common)
