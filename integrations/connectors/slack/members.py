"""Members of a Slack workspace over its SCIM API, which Business+ and Enterprise plans have.

https://docs.slack.dev/reference/scim-api: DELETE deactivates and keeps the member's messages; the
address is found through a filter of Slack's own.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from integrations.connectors.scim.accounts import Accounts
from integrations.connectors.scim.matching import to_account
from integrations.connectors.scim.profiles import SLACK
from integrations.connectors.scim.session import Capabilities, ScimSession
from integrations.errors import NotAvailableError, PermanentError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integrations.connectors.base import RemoteAccount

NO_API = (
    "Your Slack plan has no SCIM API (it needs Business+ or Enterprise and an admin token with the "
    "scope “admin”), so Slack members cannot be deactivated from here."
)


class Members:
    """Find, deactivate and wake members; ``scim`` is missing where no admin token was given."""

    def __init__(self, scim: ScimSession | None) -> None:
        self._scim = scim
        self._accounts = Accounts(scim, Capabilities(), profile=SLACK) if scim else None

    def prove(self) -> None:
        """Read one member. Raises ``NotAvailableError`` on a plan without the API."""
        if self._scim is None:
            raise NotAvailableError("This Slack connection has no admin token. " + NO_API)
        with _plan_limits():
            self._scim.get(
                self._scim.address("Users"),
                params={"startIndex": "1", "count": "1"},
                what="listing Slack members",
            )

    def find(self, work_email: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberAdmin`."""
        with _plan_limits():
            found = self._known().by_email(work_email, thorough=True)
        return to_account(found) if found is not None else None

    def deactivate(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.base.MemberAdmin`."""
        found = self.find(work_email)
        if found is None or not found.active:
            return found
        with _plan_limits():
            after = self._known().suspend(found.external_id, idempotency_key=idempotency_key)
        return replace(found, active=after.active)

    def reactivate(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See :class:`~integrations.connectors.identity.MemberReactivator`.

        https://docs.slack.dev/reference/scim-api#patch-users-id: active may be set again.
        """
        found = self.find(work_email)
        if found is None or found.active:
            return found
        with _plan_limits():
            return self._known().reactivate(found.external_id, idempotency_key=idempotency_key)

    def _known(self) -> Accounts:
        if self._accounts is None:
            raise NotAvailableError("This Slack connection has no admin token. " + NO_API)
        return self._accounts


@contextlib.contextmanager
def _plan_limits() -> Iterator[None]:
    """Say what Slack's refusal means on plans without the SCIM API."""
    try:
        yield
    except (UnauthorizedError, PermanentError) as error:
        if error.status in {402, 403, 404, 501}:
            raise NotAvailableError(NO_API, status=error.status) from error
        raise
