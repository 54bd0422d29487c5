"""The verbs of accounts, handed on to the parts of a client that know the target's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from integrations.connectors.base import AccountProfile, RemoteAccount
    from integrations.connectors.identity import Updated


class AccountPart(Protocol):
    """What knows the accounts of one target."""

    def create(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """Find, wake or create; whether it was created now."""
        ...

    def suspend(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        """Close, and read back."""
        ...

    def reactivate(self, external_id: str, *, idempotency_key: str) -> RemoteAccount | None:
        """Wake, and read back; ``None``: gone."""
        ...

    def update(
        self, external_id: str, profile: AccountProfile, *, idempotency_key: str
    ) -> Updated | None:
        """Change what differs, and read back; ``None``: gone."""
        ...


class GroupPart(Protocol):
    """What knows who belongs to which group of one target."""

    def add(self, external_id: str, name: str, *, idempotency_key: str) -> None:
        """Make a member."""
        ...

    def remove(self, external_id: str, name: str, *, idempotency_key: str) -> None:
        """End membership, and read back."""
        ...

    def members(self, name: str) -> tuple[str, ...] | None:
        """Ids of the direct members; ``None``: no such group."""
        ...

    def of(self, external_id: str) -> tuple[str, ...]:
        """Names of the groups of an account."""
        ...


class AccountVerbs:
    """Most of ``AccountReactivator``, ``AccountUpdater`` and ``AccessReporter``.

    A client that inherits it sets both parts and finds accounts itself.
    """

    _accounts: AccountPart
    _groups: GroupPart

    def create_account(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """Find, wake or create the account."""
        return self._accounts.create(profile, idempotency_key=idempotency_key)

    def suspend_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        """Close it as the connection says, and read back; it is never deleted."""
        return self._accounts.suspend(external_id, idempotency_key=idempotency_key)

    def reactivate_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount | None:
        """Wake it, and read back."""
        return self._accounts.reactivate(external_id, idempotency_key=idempotency_key)

    def update_account(
        self, external_id: str, profile: AccountProfile, *, idempotency_key: str
    ) -> Updated | None:
        """Change what differs, and read back."""
        return self._accounts.update(external_id, profile, idempotency_key=idempotency_key)

    def add_to_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """Make a member, creating the group where it is missing."""
        self._groups.add(external_id, group, idempotency_key=idempotency_key)

    def remove_from_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        """End membership, and read back."""
        self._groups.remove(external_id, group, idempotency_key=idempotency_key)

    def members_of(self, group: str) -> tuple[str, ...] | None:
        """Ids of the direct members; ``None``: no such group."""
        return self._groups.members(group)

    def groups_of(self, external_id: str) -> tuple[str, ...]:
        """Names of the groups with the account as a direct member."""
        return self._groups.of(external_id)
