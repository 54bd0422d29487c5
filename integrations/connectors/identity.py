"""What identity providers can do beyond the usual: keep a profile in step, end sessions.

And how any connection says in plain words what it can do, for the people who rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from integrations.connectors.base import AccountAdmin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.base import AccountProfile, RemoteAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """One thing a connection can do or cannot, lower-case verb first: “end sessions”."""

    words: str
    can: bool = True
    why: str = ""
    """Why not, as far as it is known."""


@runtime_checkable
class TellsAbilities(Protocol):
    """A client that says itself what it can do. Asks nobody."""

    def abilities(self, capabilities: Mapping[str, Any]) -> tuple[Ability, ...]:
        """In the order in which people care; ``capabilities`` are what the last test found."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """What became of an update. The names are words for people: “job title”."""

    account: RemoteAccount
    changed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    """What the target did not take over, although it was asked to."""


@runtime_checkable
class AccountUpdater(Protocol):
    """An identity provider whose accounts can follow the directory. Safe to repeat."""

    def update_account(
        self, external_id: str, profile: AccountProfile, *, idempotency_key: str
    ) -> Updated | None:
        """Change what differs and read back; ``None``: gone. Blank values of ``profile`` stay."""
        ...


@runtime_checkable
class AccountReactivator(AccountAdmin, Protocol):
    """An identity provider that can also wake an account it put to sleep."""

    def reactivate_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount | None:
        """Activate and read back; ``None``: gone. An account already active is success."""
        ...


@runtime_checkable
class MemberReactivator(Protocol):
    """A chat workspace that can let a deactivated member in again."""

    def reactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        """Activate and read back; ``None``: nobody there has this address.

        A member already active is success. Raises ``NotAvailableError`` where the workspace's plan
        has no such function.
        """
        ...


@runtime_checkable
class AccessReporter(AccountAdmin, Protocol):
    """An identity provider that can say who has what. Complete, or an exception instead."""

    def all_accounts(self) -> tuple[RemoteAccount, ...]:
        """Every account, suspended ones too. Raises ``IntegrationError``."""
        ...

    def members_of(self, group: str) -> tuple[str, ...] | None:
        """Ids of the direct members of a group; ``None``: there is no such group."""
        ...


@runtime_checkable
class ApplicationAssigner(AccountAdmin, Protocol):
    """An identity provider with applications of its own, assigned to accounts one by one."""

    def assignment_of(self, label: str) -> str:
        """What stands for the application ``label`` where the verbs of accounts take a group."""
        ...


@runtime_checkable
class SessionEnder(Protocol):
    """A target that can sign somebody out everywhere. Safe to repeat."""

    def end_sessions(self, external_id: str, *, idempotency_key: str) -> None:
        """End every session and token of the account; an account that is gone has none."""
        ...
