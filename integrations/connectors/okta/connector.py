"""The Okta connector: one organisation by its own management API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from integrations.connectors.okta.groups import APPLICATION, Groups
from integrations.connectors.okta.people import fetch_users
from integrations.connectors.okta.session import OktaSession, id_of
from integrations.connectors.okta.users import Users, to_account
from integrations.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from integrations.connectors.base import Feed

SUSPEND, DEACTIVATE = "suspended", "deactivated"


class OktaClient(AccountVerbs):
    """``AccountReactivator``, ``AccountUpdater``, ``ApplicationAssigner`` and ``SessionEnder``."""

    _accounts: Users

    def __init__(self, session: OktaSession, *, deactivates: bool) -> None:
        self._session = session
        self._deactivates = deactivates
        self._accounts = Users(session, deactivates=deactivates)
        self._groups = Groups(session)

    def test(self) -> TestResult:
        """Whose token it is, and that it may read users, groups and applications."""
        # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/
        me = self._session.get("users", "me", what="asking whose token it is")
        able: dict[str, Any] = {}
        problems: list[str] = []
        for kind in ("users", "groups", "apps"):
            try:
                self._session.get(kind, params={"limit": "1"}, what=f"reading {kind}")
                able[kind] = True
            except PermanentError as error:
                able[kind] = False
                problems.append(error.message)
        owner = to_account(me).username if isinstance(me, dict) and id_of(me) else ""
        return TestResult(
            account={"name": self._session.host, "signed_in_as": owner},
            capabilities=able,
            problems=tuple(problems),
        )

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """In words; a token can do what its administrator may."""
        leaves = "deactivated" if self._deactivates else "suspended, or deactivated if not active,"
        groups, apps = capabilities.get("groups") is not False, capabilities.get("apps")
        return (
            Ability(words="find accounts by work email"),
            Ability(
                words="create accounts, or take over those that exist; Okta mails the invitation"
            ),
            Ability(words=f"close accounts: who leaves is {leaves} and can be woken again"),
            Ability(words="end sessions, with the tokens that applications hold"),
            Ability(words="keep name, job title, team and work email of an account in step"),
            Ability(
                words="put people into groups and take them out",
                can=groups,
                why="the token may not read groups",
            ),
            Ability(
                words="assign Okta’s applications one by one",
                can=apps is not False,
                why="the token may not read applications",
            ),
        )

    def find_account(self, *, work_email: str, external_id: str = "") -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.AccountAdmin`."""
        found = self._accounts.by_id(external_id) if external_id else None
        if found is None:
            found = self._accounts.by_email(work_email)
        return to_account(found) if found is not None else None

    def end_sessions(self, external_id: str, *, idempotency_key: str) -> None:
        """Sign out everywhere."""
        self._accounts.end_sessions(external_id, idempotency_key=idempotency_key)

    def add_to_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """Make a member, or assign the application that ``app: …`` names."""
        if self._accounts.by_id(external_id) is None:
            raise PermanentError("The account does not exist in Okta any more. Create it first.")
        self._groups.add(external_id, group, idempotency_key=idempotency_key)

    def assignment_of(self, label: str) -> str:
        """See :class:`~integrations.connectors.identity.ApplicationAssigner`."""
        return f"{APPLICATION} {label}"

    def all_accounts(self) -> tuple[RemoteAccount, ...]:
        """Every user that is not deprovisioned, and those that are."""
        return self._accounts.everybody()


class OktaDirectory(OktaClient):
    """An organisation that also brings people; a ``PeopleSource`` besides."""

    def __init__(self, session: OktaSession, *, key: str, deactivates: bool) -> None:
        super().__init__(session, deactivates=deactivates)
        self._key = key

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """Every user as a record of an account. ``today`` plays no part: accounts have no dates."""
        return fetch_users(self._session, source=self._key, progress=progress)


@CONNECTORS.register
class OktaConnector:
    """One Okta organisation."""

    key = "okta"
    label = "Okta"
    category = "Identity"
    help = (
        "Creates, updates, suspends and reactivates accounts, ends sessions, fills groups and "
        "assigns applications; can also bring its users into the people list."
    )
    icon = "key"
    settings: tuple[Setting, ...] = (
        Setting(
            name="base_url",
            label="Organisation's address",
            help="As https://acme.okta.com, without “-admin”.",
            required=True,
        ),
        Setting(
            name="leaving",
            label="An account that is closed is",
            help="Suspended accounts keep their groups and applications and can be woken at once; "
            "deactivated ones lose their applications.",
            default=SUSPEND,
            choices=(SUSPEND, DEACTIVATE),
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
            name="api_token",
            label="API token",
            help="Security → API → Tokens, made by an administrator who may manage users, groups "
            "and applications.",
            required=True,
            secret=True,
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> OktaClient:
        """Bind to one connection."""
        session = OktaSession(
            transport,
            base_url=settings.config.get("base_url", ""),
            token=settings.secrets.get("api_token", ""),
        )
        deactivates = settings.config.get("leaving") == DEACTIVATE
        if settings.config.get("people") == "yes":
            return OktaDirectory(session, key=settings.key, deactivates=deactivates)
        return OktaClient(session, deactivates=deactivates)
