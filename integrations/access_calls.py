"""What giving and taking an application asks of its connection, and what that reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.access_rows import calls_of
from integrations.accounts import (
    account_admin,
    account_ensure,
    account_find,
    account_suspend,
    group_join,
    profile_of,
    stopping_when_refused,
)
from integrations.connectors.base import AccountAdmin, SignedCaller
from integrations.connectors.identity import ApplicationAssigner
from integrations.errors import (
    ConfigError,
    IntegrationError,
    NeedsAttentionError,
    PermanentError,
    TransientError,
)
from integrations.models import Application, Connection
from integrations.services import client_for
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from people.models import Person

Provision = Application.Provision
READABLE = (Provision.GROUP, Provision.APP, Provision.ACCOUNT)
"""Ways of provisioning where the connection can be asked who has the application."""


PLACES: Mapping[str, str] = {Provision.GROUP: "group", Provision.APP: "app"}
"""Ways that need a name at the connection, and what it is called among what is set."""


def place_of(application: Application) -> str:
    """The name of its group or application at the connection; empty where none is set."""
    name = application.provision.get(PLACES.get(application.provision_by, ""))
    return name.strip() if isinstance(name, str) else ""


def group_of(application: Application, client: AccountAdmin) -> str:
    """What is joined and left to have the application, as ``client`` calls it.

    Raises ``ConfigError`` where no name is set or the connection assigns no applications.
    """
    name = place_of(application)
    if not name:
        what = PLACES[application.provision_by]
        raise ConfigError(
            f"{application.name} is given by {what}, but no {what} is set. Set it on the "
            "application's page."
        )
    if application.provision_by == Provision.GROUP:
        return name
    if not isinstance(client, ApplicationAssigner):
        raise ConfigError(
            f"The connection of {application.name} has no applications to assign. Give it by a "
            "group on the application's page."
        )
    return client.assignment_of(name)


def assigns_applications(connection: Connection) -> bool:
    """Whether its provider has applications of its own to assign. Asks nobody."""
    try:
        return isinstance(client_for(connection), ApplicationAssigner)
    except IntegrationError:
        return False


def by_hand(application: Application) -> bool:
    """Whether no connection does it: by choice, or because none is connected (any more)."""
    connection = application.connection
    return (
        application.provision_by == Provision.TASK
        or connection is None
        or connection.status in {Connection.Status.DRAFT, Connection.Status.DISCONNECTED}
    )


def is_readable(application: Application) -> bool:
    """Whether the connection can be asked who has it."""
    return application.provision_by in READABLE and not by_hand(application)


def _connection_of(application: Application) -> Connection:
    if application.connection is None:
        raise ConfigError(f"{application.name} has no connection.")
    return application.connection


def give(
    application: Application, person: Person, *, idempotency_key: str, now: datetime
) -> dict[str, Any]:
    """Give it; returns the evidence. Raises ``IntegrationError``."""
    connection = _connection_of(application)
    if application.provision_by == Provision.HTTP:
        return _signed(application, person, "grant", idempotency_key=idempotency_key)
    if application.provision_by == Provision.ACCOUNT:
        made = account_ensure(
            connection, person, profile_of(person), idempotency_key=idempotency_key, now=now
        )
        evidence = {"connection": connection.key, "account": made.account.external_id}
        return _with_calls(evidence, idempotency_key)
    client = account_admin(connection)
    group = group_of(application, client)
    account = account_find(connection, person, now=now, client=client)
    if account is None:
        raise PermanentError(
            f"The person has no account at {connection.name}, so cannot be given "
            f"“{place_of(application)}” there. Create the account first."
        )
    group_join(connection, client, account.external_id, group, idempotency_key=idempotency_key)
    evidence = {
        "connection": connection.key,
        "account": account.external_id,
        **_placed(application),
    }
    return _with_calls(evidence, idempotency_key)


def take(
    application: Application, person: Person, *, idempotency_key: str, now: datetime
) -> dict[str, Any]:
    """Take it away and read back; returns the evidence. Raises ``IntegrationError``.

    Protection was judged before the row was begun.
    """
    connection = _connection_of(application)
    if application.provision_by == Provision.HTTP:
        return _signed(application, person, "revoke", idempotency_key=idempotency_key)
    evidence: dict[str, Any] = {"connection": connection.key}
    if application.provision_by == Provision.ACCOUNT:
        ended = account_suspend(
            connection,
            person,
            idempotency_key=idempotency_key,
            now=now,
            protection_released=True,
        )
        if ended is not None and ended.active:
            raise TransientError(f"{connection.name} still shows the account as active.")
        seen = "the account is suspended" if ended else "there is no account"
        evidence |= {"account": ended.external_id if ended else None}
        return _with_calls(evidence | _read_back(seen, now), idempotency_key)
    client = account_admin(connection)
    group = group_of(application, client)
    account = account_find(connection, person, now=now, client=client)
    if account is not None:
        with stopping_when_refused(connection):
            client.remove_from_group(account.external_id, group, idempotency_key=idempotency_key)
    seen = _GONE[application.provision_by] if account else "there is no account"
    evidence |= {"account": account.external_id if account else None, **_placed(application)}
    return _with_calls(evidence | _read_back(seen, now), idempotency_key)


def _placed(application: Application) -> dict[str, str]:
    return {PLACES[application.provision_by]: place_of(application)}


_GONE: Mapping[str, str] = {
    Provision.GROUP: "not a member of the group",
    Provision.APP: "the application is not assigned",
}


def _read_back(seen: str, now: datetime) -> dict[str, str]:
    return {"read_back": seen, "read_at": now.isoformat()}


def _with_calls(evidence: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
    calls = calls_of(idempotency_key)
    return evidence | ({"calls": calls} if calls else {})


def reported(
    connection: Connection, person: Person, *, now: datetime, only: Application | None = None
) -> list[Application]:
    """Applications of ``connection`` that it reports the person to have, now.

    Raises ``IntegrationError`` when it cannot be asked.
    """
    offered = list(
        connection.applications.filter(provision_by__in=READABLE).select_related(
            "connection", "owner"
        )
    )
    if only is not None:
        offered = [application for application in offered if application.pk == only.pk]
    if not offered:
        return []
    client = account_admin(connection)
    account = account_find(connection, person, now=now, client=client)
    if account is None:
        return []
    groups: set[str] = set()
    if any(application.provision_by in PLACES for application in offered):
        with stopping_when_refused(connection):
            groups = {name.casefold() for name in client.groups_of(account.external_id)}
    return [
        application
        for application in offered
        if (application.provision_by == Provision.ACCOUNT and account.active)
        or (
            application.provision_by in PLACES
            and _group_or_none(application, client).casefold() in groups
        )
    ]


def _group_or_none(application: Application, client: AccountAdmin) -> str:
    """Without a name that fits there is nothing to report; giving or taking it says so."""
    try:
        return group_of(application, client)
    except ConfigError:
        return ""


def _signed(
    application: Application, person: Person, action: str, *, idempotency_key: str
) -> dict[str, Any]:
    connection = _connection_of(application)
    if connection.status == Connection.Status.NEEDS_ATTENTION:
        raise NeedsAttentionError(
            f"{connection.name} needs attention: {connection.last_error}",
            connection=connection.key,
        )
    client = client_for(connection)
    if not isinstance(client, SignedCaller):
        raise ConfigError(f"{connection.name} does not make signed calls.")
    payload = {
        "action": action,
        "application": application.key,
        "person": {
            "work_email": person.work_email,
            "full_name": person.full_name,
            "remote_id": person.remote_id,
        },
        "idempotency_key": idempotency_key,
    }
    with stopping_when_refused(connection):
        # Receivers refuse old signatures: the machine's clock, never a set one.
        answer = client.call(payload, idempotency_key=idempotency_key, sent_at=clock.system_now())
    evidence = {
        "connection": connection.key,
        "status": answer.status,
        "request_id": answer.request_id[:120],
    }
    return _with_calls(evidence, idempotency_key)
