"""What people are called at a connection: found once, then addressed by id."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from integrations.connectors.base import (
    AccountAdmin,
    AccountProfile,
    RemoteAccount,
)
from integrations.connectors.identity import AccountReactivator, AccountUpdater, SessionEnder
from integrations.errors import (
    ConfigError,
    NeedsAttentionError,
    PermanentError,
    TransientError,
    UnauthorizedError,
)
from integrations.models import Account
from integrations.services import client_for, connection_mark_unauthorized
from siit_remote.lib.locks import LockBusyError, named_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from integrations.connectors.identity import Updated
    from integrations.models import Connection
    from people.models import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """The account as it stands now. ``created`` is false for one that was there already."""

    account: Account
    created: bool
    summary: str


@contextlib.contextmanager
def stopping_when_refused(connection: Connection) -> Iterator[None]:
    """A refused credential stops the connection at once, then goes on as the error it is."""
    try:
        yield
    except NeedsAttentionError:
        raise
    except UnauthorizedError as error:
        error.connection = connection.key
        connection_mark_unauthorized(connection, error.message)
        raise


def account_admin(connection: Connection) -> AccountAdmin:
    """The connection's client for accounts. Raises ``ConfigError``, ``UnauthorizedError``.

    A connection that needs attention is not tried: its work waits until somebody has mended it.
    """
    if connection.status == connection.Status.NEEDS_ATTENTION:
        raise NeedsAttentionError(
            f"{connection.name} needs attention: {connection.last_error}",
            connection=connection.key,
        )
    if connection.status != connection.Status.READY:
        raise ConfigError(f"{connection.name} is not connected. Connect it, then retry.")
    client = client_for(connection)
    if not isinstance(client, AccountAdmin):
        raise ConfigError(f"{connection.name} does not manage accounts.")
    return client


def profile_of(person: Person, *, username: str = "") -> AccountProfile:
    """What an account is made from. The name is split at its last space."""
    given, _, family = person.full_name.rpartition(" ")
    return AccountProfile(
        work_email=person.work_email,
        username=username or person.work_email,
        full_name=person.full_name,
        given_name=given or family,
        family_name=family if given else "",
        job_title=person.job_title,
        external_id=person.remote_id,
        team=person.team.name if person.team else "",
    )


def account_find(
    connection: Connection, person: Person, *, now: datetime, client: AccountAdmin | None = None
) -> Account | None:
    """The person's account as the target shows it now, recorded; ``None`` when there is none.

    Looked up by the recorded id, else by work e-mail, else by a former work e-mail. Raises
    ``IntegrationError``; ``PermanentError`` where the account is recorded as somebody else's.
    """
    client = client or account_admin(connection)
    recorded = Account.objects.filter(connection=connection, person=person).first()
    with stopping_when_refused(connection):
        found = client.find_account(
            work_email=person.work_email, external_id=recorded.external_id if recorded else ""
        )
        if found is None:
            for alias in person.aliases.all():
                found = client.find_account(work_email=alias.email)
                if found is not None:
                    break
    if found is None:
        Account.objects.filter(connection=connection, person=person, active=True).update(
            active=False, changed_at=now
        )
        return None
    return _account_record(connection, person, found, adopted=True, now=now)


def account_ensure(
    connection: Connection,
    person: Person,
    profile: AccountProfile,
    *,
    idempotency_key: str,
    now: datetime,
) -> AccountResult:
    """Find, wake or create the person's account; never makes a second one.

    Raises ``IntegrationError``. Safe to repeat.
    """
    client = account_admin(connection)
    # Creating looks first; looking here as well is for accounts we know by their id.
    recorded = Account.objects.filter(connection=connection, person=person).exists()
    known = account_find(connection, person, now=now, client=client) if recorded else None
    if known is not None and known.active:
        return AccountResult(
            account=known, created=False, summary=f"Has the account {known} at {connection.name}."
        )
    if known is not None:
        # It sleeps, perhaps under an address the person no longer has: wake that very account
        # rather than let a search by the new address miss it and make a second one.
        with stopping_when_refused(connection):
            asleep = client.find_account(
                work_email=profile.work_email, external_id=known.external_id
            )
        if asleep is not None:
            address = (asleep.emails or (asleep.username,))[0]
            profile = replace(profile, work_email=address, username=asleep.username)
    with stopping_when_refused(connection):
        made, created = client.create_account(profile, idempotency_key=idempotency_key)
    account = _account_record(connection, person, made, adopted=not created, now=now)
    verb = "Created" if created else "Found"
    return AccountResult(
        account=account,
        created=created,
        summary=f"{verb} the account {account} at {connection.name}.",
    )


def account_suspend(
    connection: Connection,
    person: Person,
    *,
    idempotency_key: str,
    now: datetime,
    protection_released: bool = False,
) -> Account | None:
    """Deactivate the person's account and read back; ``None`` when there is none to deactivate.

    Its sessions are ended where the connection can, also those of an account that sleeps already.
    Raises ``IntegrationError``; ``PermanentError`` for a protected person whom nobody has released
    by name. Safe to repeat.
    """
    if not protection_released:
        refuse_protected(person)
    client = account_admin(connection)
    account = account_find(connection, person, now=now, client=client)
    if account is None:
        return None
    # Asked for one that sleeps as well: suspended may not yet be closed as it is configured to be.
    with stopping_when_refused(connection):
        after = client.suspend_account(account.external_id, idempotency_key=idempotency_key)
    if after.active != account.active:
        Account.objects.filter(pk=account.pk).update(active=after.active, changed_at=now)
        account.refresh_from_db()
    if isinstance(client, SessionEnder):
        # Last: a session opened while the account was being suspended is caught as well.
        with stopping_when_refused(connection):
            client.end_sessions(account.external_id, idempotency_key=f"{idempotency_key}:sessions")
    return account


def account_update(
    connection: Connection, person: Person, *, idempotency_key: str, now: datetime
) -> Updated | None:
    """Bring the person's account in step with the directory; ``None`` when there is none.

    Raises ``IntegrationError``; ``ConfigError`` where the connection cannot. Safe to repeat.
    """
    client = account_admin(connection)
    if not isinstance(client, AccountUpdater):
        raise ConfigError(f"{connection.name} cannot change accounts. Do it by hand.")
    account = account_find(connection, person, now=now, client=client)
    if account is None:
        return None
    with stopping_when_refused(connection):
        updated = client.update_account(
            account.external_id, profile_of(person), idempotency_key=idempotency_key
        )
    if updated is not None:
        _account_record(connection, person, updated.account, adopted=True, now=now)
    return updated


def account_reactivate(
    connection: Connection, person: Person, *, idempotency_key: str, now: datetime
) -> Account | None:
    """Wake the person's account and read back; ``None`` when there is none (any more).

    Raises ``IntegrationError``; ``ConfigError`` where the connection cannot. Safe to repeat.
    """
    client = account_admin(connection)
    if not isinstance(client, AccountReactivator):
        raise ConfigError(f"{connection.name} cannot reactivate accounts. Do it by hand.")
    account = account_find(connection, person, now=now, client=client)
    if account is None or account.active:
        return account
    with stopping_when_refused(connection):
        after = client.reactivate_account(account.external_id, idempotency_key=idempotency_key)
    if after is None:
        return None
    Account.objects.filter(pk=account.pk).update(active=after.active, changed_at=now)
    account.refresh_from_db()
    return account


def refuse_protected(person: Person) -> None:
    """The last line of defence: nothing is taken from a protected person, whoever asks."""
    if person.protected:
        raise PermanentError(
            "This person is protected from automation: nothing may be taken away. Do it by hand, "
            "or end the protection first."
        )


def _account_record(
    connection: Connection, person: Person, found: RemoteAccount, *, adopted: bool, now: datetime
) -> Account:
    if not found.external_id:
        raise PermanentError(f"{connection.name} gave the account no id.")
    try:
        with transaction.atomic():
            account, made = Account.objects.get_or_create(
                connection=connection,
                person=person,
                defaults={
                    "external_id": found.external_id[:200],
                    "username": found.username[:300],
                    "active": found.active,
                    "adopted": adopted,
                    "changed_at": now,
                },
            )
            values = {
                "external_id": found.external_id[:200],
                "username": found.username[:300] or account.username,
                "active": found.active,
            }
            if not made and any(getattr(account, name) != value for name, value in values.items()):
                Account.objects.filter(pk=account.pk).update(**values, changed_at=now)
                account.refresh_from_db()
    except IntegrityError as error:
        raise PermanentError(
            f"The account found at {connection.name} is recorded as somebody else's. Nothing was "
            "changed; see who it belongs to."
        ) from error
    return account


def group_join(
    connection: Connection,
    client: AccountAdmin,
    external_id: str,
    group: str,
    *,
    idempotency_key: str,
) -> None:
    """Make the account a member of ``group``. Raises ``IntegrationError``.

    One at a time for each group: two that create a missing group at once would make it twice, and
    SCIM does not promise that its name is unique (RFC 7643, section 4.2).
    """
    try:
        with (
            named_lock(f"group:{connection.pk}:{sha256(group.encode()).hexdigest()[:32]}"),
            stopping_when_refused(connection),
        ):
            client.add_to_group(external_id, group, idempotency_key=idempotency_key)
    except LockBusyError as error:
        raise TransientError(f"The group “{group}” is being changed by another worker.") from error
