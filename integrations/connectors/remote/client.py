"""Remote bound to one connection: the connection test and the full refresh."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from integrations.connectors.base import TestResult
from integrations.connectors.remote.answers import MalformedAnswer
from integrations.connectors.remote.custom_fields import RESERVE, read_definitions, read_values
from integrations.connectors.remote.pacing import NEXT_REFRESH, Pacer
from integrations.connectors.remote.payloads import Fields, Findings
from integrations.connectors.remote.refresh import Refresh
from integrations.connectors.remote.session import RETRIES, RemoteSession
from integrations.connectors.remote.subscriptions import RemoteSubscriptions
from integrations.connectors.second_door import SecondDoor
from integrations.errors import ConfigError
from people.staging import StagedRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from integrations.connectors.base import (
        ConnectionSettings,
        Feed,
        Subscribed,
        Transport,
        Undelivered,
    )
    from people.records import CustomDefinition

PRODUCTION_HOST = "gateway.remote.com"
SANDBOX_HOSTS = frozenset({"gateway.remote-sandbox.com", "gateway.partners.remote-sandbox.com"})
REFRESH_SECONDS = 1800.0
TEST_SECONDS = 5.0
"""A person waits for the answer of a connection test."""
TEST_ADVICE = "Check the address of the connection and the network, then try again."
DEFINITIONS_SECONDS = 30.0
SLACK_SECONDS = 130.0
"""More than the longest single wait."""
NO_COMPANY = (
    "Remote names no company for this token: use a token that was generated in the company's own "
    "settings."
)
OTHER_COMPANY = (
    "This API token belongs to another company than the one this connection was set up for; "
    "nothing was applied. Use a token of the same company."
)


def environment_of(base_url: str) -> str:
    """``production``, ``sandbox`` or ``custom``."""
    host = urlsplit(base_url).hostname or ""
    if host == PRODUCTION_HOST:
        return "production"
    return "sandbox" if host in SANDBOX_HOSTS else "custom"


class RemoteClient:
    """Remote bound to one connection: a ``Client`` and a ``PeopleSource``.

    ``deadline`` is the time in seconds that one whole refresh may take, waits included.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        transport: Transport,
        *,
        base_url: str,
        api_token: str,
        deadline: float = REFRESH_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._base_url = base_url
        self._api_token = api_token
        self._deadline = deadline
        self._sleep = sleep
        self._monotonic = monotonic

    def test(self) -> TestResult:
        """Prove the token. Raises ``UnauthorizedError``, ``TransientError``, ``PermanentError``.

        https://developer.remote.com/reference/get_current_identity
        """
        identity = _identity(self._session(TEST_SECONDS, retries=1, advice=TEST_ADVICE))
        problems = []
        if not identity["company_id"]:
            problems.append(NO_COMPANY)
        if identity.pop("user_status") not in {"", "active"}:
            problems.append("The user this token belongs to is not active in Remote.")
        account = {**identity, "environment": environment_of(self._base_url)}
        return TestResult(account=account, problems=tuple(problems))

    def fetch_people(self, *, today: date, progress: Callable[[str], None]) -> Feed:
        """One full refresh, complete or not at all. ``today`` is the workspace's date.

        Raises as :meth:`fetch_people_into`.
        """
        return self.fetch_people_into(StagedRecords(), today=today, progress=progress)

    def fetch_people_into(
        self, staged: StagedRecords, *, today: date, progress: Callable[[str], None]
    ) -> Feed:
        """The same, each record put down in ``staged`` as it arrives, in a thread of its own.

        Raises ``UnauthorizedError``, ``ConfigError`` (token of another company),
        ``IncompleteError`` and ``TransientError`` (nothing may be applied), ``PermanentError``.
        """
        with self._second_session() as aside:
            refresh = self._refresh(today=today, progress=progress, aside=aside, staged=staged)
            refresh.read_all()
            return refresh.feed()

    @contextmanager
    def _second_session(self) -> Iterator[RemoteSession | None]:
        """For the thread that reads the small lists, where the transport can serve one more."""
        if not isinstance(self._transport, SecondDoor):
            yield None
            return
        with self._transport.aside() as transport:
            yield self._session(self._deadline, transport=transport)

    def _refresh(
        self,
        *,
        today: date,
        progress: Callable[[str], None],
        aside: RemoteSession | None = None,
        staged: StagedRecords | None = None,
    ) -> Refresh:
        session = self._session(self._deadline)
        company_id = str(self._settings.account.get("company_id", ""))
        company_id = company_id or _identity(session)["company_id"]
        if not company_id:
            raise ConfigError(NO_COMPANY)

        def prove_company(named: str) -> None:
            found = named or _identity(session)["company_id"]
            if found and found != company_id:
                raise ConfigError(OTHER_COMPANY)

        return Refresh(
            session,
            self._settings.key,
            today=today,
            progress=progress,
            company_id=company_id,
            prove_company=prove_company,
            aside=aside,
            staged=staged,
        )

    def custom_fields(self) -> tuple[CustomDefinition, ...]:
        """See :class:`~integrations.connectors.base.CustomFieldSource`."""
        return read_definitions(self._session(DEFINITIONS_SECONDS))

    def custom_values(
        self, external_ids: Iterable[str], *, seconds: float
    ) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """See :class:`~integrations.connectors.base.CustomFieldSource`."""
        ends = self._monotonic() + seconds
        # A wait that would go beyond the time allowed ends the reading, not the connection.
        session = self._session(seconds + SLACK_SECONDS, reserve=RESERVE)
        yield from read_values(session, external_ids, seconds_left=lambda: ends - self._monotonic())

    def fetch_workers(
        self, ids: Sequence[str], *, today: date, progress: Callable[[str], None]
    ) -> Feed:
        """Single employments afresh, with all that decides their dates. Raises as above."""
        if not self._settings.account.get("company_id"):
            raise ConfigError(NO_COMPANY)
        refresh = self._refresh(today=today, progress=progress)
        refresh.read_some(ids)
        return refresh.feed()

    def webhook_create(self, url: str) -> Subscribed:
        """Subscribe ``url`` to what concerns people."""
        return self._subscriptions().create(url)

    def webhook_delete(self, external_id: str) -> None:
        """End a subscription."""
        self._subscriptions().delete(external_id)

    def webhook_undelivered(self) -> tuple[Undelivered, ...]:
        """Events that did not arrive."""
        return self._subscriptions().undelivered()

    def webhook_replay(self, ids: Sequence[str]) -> None:
        """Ask for these events once more."""
        self._subscriptions().replay(ids)

    def _subscriptions(self) -> RemoteSubscriptions:
        return RemoteSubscriptions(
            self._transport, base_url=self._base_url, api_token=self._api_token
        )

    def _session(
        self,
        deadline: float,
        *,
        retries: int = RETRIES,
        advice: str = NEXT_REFRESH,
        reserve: float = 0.0,
        transport: Transport | None = None,
    ) -> RemoteSession:
        return RemoteSession(
            transport or self._transport,
            base_url=self._base_url,
            api_token=self._api_token,
            pacer=Pacer(
                sleep=self._sleep,
                monotonic=self._monotonic,
                deadline=deadline,
                advice=advice,
                reserve=reserve,
            ),
            retries=retries,
        )


def _identity(session: RemoteSession) -> dict[str, str]:
    def read(body: Any) -> dict[str, str]:
        if not isinstance(body, dict) or not isinstance(body.get("data"), dict) or not body["data"]:
            raise MalformedAnswer("the body lacks data")
        data = Fields(body["data"], Findings())
        company, user = data.nested("company"), data.nested("user")
        return {
            "company_id": company.identifier("id"),
            "company_name": company.text("name"),
            "user_name": user.text("name"),
            "user_status": user.word("status"),
        }

    return session.get(
        "/v1/identity/current", params={}, what="the token's identity", scope="identity", read=read
    )
