"""The SCIM connector: any identity provider that speaks SCIM 2.0 (RFC 7643, RFC 7644)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from integrations.connectors.base import (
    CONNECTORS,
    AccountProfile,
    ConnectionSettings,
    RemoteAccount,
    Setting,
    TestResult,
    Transport,
)
from integrations.connectors.scim.accounts import Accounts
from integrations.connectors.scim.groups import Groups
from integrations.connectors.scim.matching import to_account
from integrations.connectors.scim.people import fetch_users
from integrations.connectors.scim.session import Capabilities, ScimSession
from integrations.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from integrations.connectors.base import Feed


class ScimClient:
    """Implements :class:`integrations.connectors.base.AccountAdmin` over SCIM."""

    def __init__(
        self, session: ScimSession, *, base_url: str, capabilities: Mapping[str, Any]
    ) -> None:
        self._session = session
        self._host = urlsplit(base_url).hostname or base_url
        can = Capabilities.stored(capabilities)
        self._accounts = Accounts(session, can)
        self._groups = Groups(session, can, self._accounts)

    def test(self) -> TestResult:
        """Ask what the server can do, and read one page of users: the former is often public."""
        problems: list[str] = []
        config: dict[str, Any] = {}
        try:
            # https://www.rfc-editor.org/rfc/rfc7644#section-4
            config = self._session.get(
                self._session.address("ServiceProviderConfig"),
                what="reading what the server can do",
            )
        except PermanentError:
            problems.append(
                "The server does not say what it can do (/ServiceProviderConfig); we assume that "
                "it can search and PATCH, and do without where it turns out otherwise."
            )
        self._session.get(
            self._session.address("Users"),
            params={"startIndex": "1", "count": "1"},
            what="listing users",
        )
        return TestResult(
            account={"name": self._host},
            capabilities={name: _supported(config, name) for name in ("patch", "filter")},
            problems=tuple(problems),
        )

    def find_account(self, *, work_email: str, external_id: str = "") -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.AccountAdmin`.

        Thorough: somebody who leaves must not keep an account because a filter missed it.
        """
        found = self._accounts.by_id(external_id) if external_id else None
        if found is None:
            found = self._accounts.by_email(work_email, thorough=True)
        return to_account(found) if found is not None else None

    def create_account(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """Find, wake or create the account."""
        return self._accounts.create(profile, idempotency_key=idempotency_key)

    def suspend_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        """Deactivate and read back; never DELETE, which servers understand in different ways."""
        return self._accounts.suspend(external_id, idempotency_key=idempotency_key)

    def reactivate_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount | None:
        """Activate and read back."""
        return self._accounts.reactivate(external_id, idempotency_key=idempotency_key)

    def add_to_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """Make a member, creating the group where it is missing."""
        self._groups.add(external_id, group, idempotency_key=idempotency_key)

    def remove_from_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """End membership and read back."""
        self._groups.remove(external_id, group, idempotency_key=idempotency_key)

    def groups_of(self, external_id: str) -> tuple[str, ...]:
        """Names of the groups with the account as a direct member."""
        return self._groups.of(external_id)


class ScimDirectory(ScimClient):
    """A SCIM server that also brings people; a :class:`PeopleSource` besides."""

    def __init__(self, session: ScimSession, *, key: str, **more: Any) -> None:
        super().__init__(session, **more)
        self._key = key

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """Every user as a record of an account. ``today`` plays no part: accounts have no dates."""
        return fetch_users(self._session, source=self._key, progress=progress)


def _supported(config: Mapping[str, Any], name: str) -> bool:
    """Whether a feature is announced; assumed where the server says nothing about it."""
    feature = config.get(name)
    return not (isinstance(feature, dict) and feature.get("supported") is False)


@CONNECTORS.register
class ScimConnector:
    """Any identity provider with a SCIM 2.0 endpoint."""

    key = "scim"
    label = "SCIM identity provider"
    category = "Identity"
    help = (
        "Creates and deactivates accounts and puts people into groups over SCIM 2.0; can also "
        "bring its users into the people list."
    )
    icon = "key"
    settings: tuple[Setting, ...] = (
        Setting(
            name="base_url",
            label="Base address",
            help="The address under which /Users lies, as https://idp.example.com/scim/v2.",
            required=True,
        ),
        Setting(
            name="people",
            label="Bring its users into the people list",
            help="With yes, users come in as people: by work email to whom they belong, else as "
            "externals. Choose field by field under Fields which source is right.",
            default="no",
            choices=("no", "yes"),
        ),
        Setting(name="bearer_token", label="Bearer token", required=True, secret=True),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> ScimClient:
        """Bind to one connection."""
        base_url = settings.config.get("base_url", "")
        session = ScimSession(
            transport, base_url=base_url, token=settings.secrets.get("bearer_token", "")
        )
        common: dict[str, Any] = {"base_url": base_url, "capabilities": settings.capabilities}
        if settings.config.get("people") == "yes":
            return ScimDirectory(session, key=settings.key, **common)
        return ScimClient(session, **common)
