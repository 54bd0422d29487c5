"""The SCIM connector: any identity provider that speaks SCIM 2.0 (RFC 7643, RFC 7644)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from integrations.connectors.base import (
    CONNECTORS,
    ConnectionSettings,
    RemoteAccount,
    Setting,
    TestResult,
    Transport,
)
from integrations.connectors.delegating import AccountVerbs
from integrations.connectors.identity import Ability
from integrations.connectors.scim.accounts import Accounts
from integrations.connectors.scim.discovery import UNRELIABLE, discover, finds
from integrations.connectors.scim.groups import Groups
from integrations.connectors.scim.matching import items, to_account
from integrations.connectors.scim.people import fetch_users
from integrations.connectors.scim.profiles import GENERIC, PROFILES, profile_for
from integrations.connectors.scim.session import Capabilities, ScimSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from integrations.connectors.base import Feed
    from integrations.connectors.scim.profiles import VendorProfile

_NO_SESSIONS = (
    "the standard has no word for it: a suspended account signs in no more, and what is open stays "
    "open as long as the provider lets it"
)


class ScimClient(AccountVerbs):
    """Accounts, groups and profiles of one SCIM server: ``AccountAdmin``, ``AccountReactivator``,
    ``AccountUpdater`` and ``TellsAbilities`` of this package's contracts.
    """

    _accounts: Accounts

    def __init__(
        self,
        session: ScimSession,
        *,
        base_url: str,
        capabilities: Mapping[str, Any],
        profile: VendorProfile = GENERIC,
    ) -> None:
        self._session = session
        self._host = urlsplit(base_url).hostname or base_url
        self._vendor = profile
        self._can = Capabilities.stored(capabilities)
        self._accounts = Accounts(session, self._can, profile=profile)
        self._groups = Groups(session, self._can, self._accounts, profile=profile)

    def test(self) -> TestResult:
        """Ask what the server can do, and read one page of users: the former is often public."""
        found = discover(self._session)
        listed = self._session.get(
            self._session.address("Users"),
            params={"startIndex": "1", "count": "1"},
            what="listing users",
        )
        capabilities, problems = found.capabilities, found.problems
        if capabilities["filter"] and not finds(self._session, items(listed, "Resources")):
            capabilities = {**capabilities, "filter": False}
            problems = (*problems, UNRELIABLE)
        return TestResult(
            account={"name": self._host},
            capabilities=capabilities,
            problems=problems,
        )

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """What the last test found, in words."""
        can = Capabilities.stored(capabilities)
        return (
            Ability(words="find accounts by work email"),
            Ability(words="create accounts, or take over those that exist"),
            Ability(words="suspend and reactivate accounts, and check that they are"),
            Ability(words="keep name, job title, team and work email of an account in step"),
            Ability(
                words="put people into groups and take them out",
                can=can.groups,
                why="the server names no groups",
            ),
            Ability(words="end sessions", can=False, why=_NO_SESSIONS),
            Ability(
                words="search on the server",
                can=can.filter,
                why="everybody is read and compared here instead: slower",
            ),
            Ability(
                words="change single values",
                can=can.patch,
                why="whole entries are read and replaced instead",
            ),
            Ability(
                words="notice changes made meanwhile",
                can=can.etag,
                why="what another tool changes in the same second wins",
            ),
        )

    def find_account(self, *, work_email: str, external_id: str = "") -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.AccountAdmin`.

        Thorough: somebody who leaves must not keep an account because a filter missed it.
        """
        found = self._accounts.by_id(external_id) if external_id else None
        if found is None:
            found = self._accounts.by_email(work_email, thorough=True)
        return to_account(found) if found is not None else None

    def all_accounts(self) -> tuple[RemoteAccount, ...]:
        """Every user. https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2.4"""
        pages = self._session.pages("Users", what="reading all users")
        return tuple(to_account(user) for page in pages for user in page)


class ScimDirectory(ScimClient):
    """A SCIM server that also brings people; a :class:`PeopleSource` besides."""

    def __init__(self, session: ScimSession, *, key: str, **more: Any) -> None:
        super().__init__(session, **more)
        self._key = key

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """Every user as a record of an account. ``today`` plays no part: accounts have no dates."""
        return fetch_users(self._session, source=self._key, progress=progress)


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
        Setting(
            name="vendor",
            label="Made by",
            help="Left on auto, the address tells. A vendor's server may differ from the standard "
            "in ways that are then known.",
            default="auto",
            choices=("auto", *(profile.key for profile in PROFILES)),
        ),
        Setting(name="bearer_token", label="Bearer token", required=True, secret=True),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> ScimClient:
        """Bind to one connection."""
        base_url = settings.config.get("base_url", "")
        profile = profile_for(base_url, settings.config.get("vendor", ""))
        said = settings.capabilities.get("page")
        session = ScimSession(
            transport,
            base_url=base_url,
            token=settings.secrets.get("bearer_token", ""),
            page=min(profile.page, said) if isinstance(said, int) else profile.page,
        )
        common: dict[str, Any] = {
            "base_url": base_url,
            "capabilities": settings.capabilities,
            "profile": profile,
        }
        if settings.config.get("people") == "yes":
            return ScimDirectory(session, key=settings.key, **common)
        return ScimClient(session, **common)
