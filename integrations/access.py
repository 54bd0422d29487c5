"""Who has which application: give, take away, and see what remains.

Each change is written down before the call (requested, revoking) and settled after it, by
conditional updates: a crash in between leaves a row that says what was under way, and repeating the
same call is safe.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from integrations.accounts import (
    account_admin,
    account_ensure,
    account_find,
    account_suspend,
    group_join,
    profile_of,
    refuse_protected,
    stopping_when_refused,
)
from integrations.connectors.base import SignedCaller
from integrations.errors import (
    ConfigError,
    PermanentError,
    TransientError,
    UnauthorizedError,
)
from integrations.models import AppAccess, Application, Connection
from integrations.services import client_for
from siit_remote.audit.services import record
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from people.models import Person

__all__ = [
    "AccessResult",
    "access_grant",
    "access_recorded",
    "access_remaining",
    "access_revoke",
    "account_ensure",
    "account_suspend",
]

State = AppAccess.State
Provision = Application.Provision


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessResult:
    """How it stands. ``needs_task``: a person has to do it; settle row ``access_id`` when done."""

    state: str
    summary: str
    access_id: int
    needs_task: bool = False


def access_grant(
    application: Application,
    person: Person,
    *,
    run_id: int | None,
    idempotency_key: str,
    now: datetime,
) -> AccessResult:
    """Give the application. Having it already is success, and is made sure of.

    Raises ``IntegrationError``; the row then says requested (tried again) or failed.
    """
    row = _open_row(application, person, state=State.REQUESTED, run_id=run_id, now=now)
    had_it = row.state == State.GRANTED
    if not had_it:
        _begin(row, State.REQUESTED, run_id=run_id)
    if _by_hand(application) or (had_it and application.provision_by == Provision.HTTP):
        return _waiting(row, application, done=had_it, word="given")
    with _settled_by(row, during=State.REQUESTED):
        evidence = _give(application, person, idempotency_key=idempotency_key, now=now)
    if not had_it:
        _finish(row, during=State.REQUESTED, state=State.GRANTED, evidence=evidence, now=now)
    word = "already has" if had_it else "now has"
    return AccessResult(
        state=State.GRANTED, summary=f"The person {word} {application.name}.", access_id=row.pk
    )


def access_revoke(
    application: Application,
    person: Person,
    *,
    run_id: int | None,
    idempotency_key: str,
    now: datetime,
    protection_released: bool = False,
) -> AccessResult:
    """Take the application away. Not having it is success, and is made sure of.

    Raises ``IntegrationError`` (``PermanentError`` for a protected person whom nobody has released
    by name); the row then says revoking (tried again) or failed.
    """
    if not protection_released:
        refuse_protected(person)
    row = _open_row(application, person, state=State.REVOKING, run_id=run_id, now=now)
    _begin(row, State.REVOKING, run_id=run_id)
    if _by_hand(application):
        return _waiting(row, application, done=False, word="taken away")
    with _settled_by(row, during=State.REVOKING):
        evidence = _take(application, person, idempotency_key=idempotency_key, now=now)
    _finish(row, during=State.REVOKING, state=State.REVOKED, evidence=evidence, now=now)
    return AccessResult(
        state=State.REVOKED,
        summary=f"The person no longer has {application.name}.",
        access_id=row.pk,
    )


def access_recorded(person: Person) -> list[Application]:
    """Applications with an open row, by key. Asks nobody outside."""
    return list(
        Application.objects.filter(
            accesses__person=person, accesses__state__in=AppAccess.OPEN_STATES
        )
        .select_related("connection")
        .order_by("key")
        .distinct()
    )


def access_remaining(person: Person, *, now: datetime | None = None) -> list[Application]:
    """What the person still has: what is recorded, and what the connections report, by key.

    Raises ``IntegrationError`` when a connection cannot be asked: then nobody can say that
    nothing remains.
    """
    now = now or clock.now()
    remaining = {application.key: application for application in access_recorded(person)}
    for connection in Connection.objects.filter(
        status__in=[Connection.Status.READY, Connection.Status.NEEDS_ATTENTION]
    ).order_by("key"):
        for application in _reported(connection, person, now=now):
            remaining.setdefault(application.key, application)
    return [remaining[key] for key in sorted(remaining)]


def _reported(connection: Connection, person: Person, *, now: datetime) -> list[Application]:
    offered = list(
        connection.applications.filter(
            provision_by__in=[Provision.GROUP, Provision.ACCOUNT]
        ).select_related("connection")
    )
    if not offered:
        return []
    client = account_admin(connection)
    account = account_find(connection, person, now=now, client=client)
    if account is None:
        return []
    with stopping_when_refused(connection):
        groups = {name.casefold() for name in client.groups_of(account.external_id)}
    return [
        application
        for application in offered
        if (application.provision_by == Provision.ACCOUNT and account.active)
        or (
            application.provision_by == Provision.GROUP
            # Without a group set there is nothing to report; giving or taking it says so.
            and str(application.provision.get("group") or "").strip().casefold() in groups
        )
    ]


def _group_of(application: Application) -> str:
    group = application.provision.get("group")
    if not isinstance(group, str) or not group.strip():
        raise ConfigError(
            f"{application.name} is given by group, but no group is set. Set provision.group."
        )
    return group.strip()


def _by_hand(application: Application) -> bool:
    """Whether no connection does it: by choice, or because none is connected (any more)."""
    connection = application.connection
    return (
        application.provision_by == Provision.TASK
        or connection is None
        or connection.status in {Connection.Status.DRAFT, Connection.Status.DISCONNECTED}
    )


def _connection_of(application: Application) -> Connection:
    if application.connection is None:
        raise ConfigError(f"{application.name} has no connection.")
    return application.connection


def _give(
    application: Application, person: Person, *, idempotency_key: str, now: datetime
) -> dict[str, Any]:
    connection = _connection_of(application)
    if application.provision_by == Provision.HTTP:
        return _signed(application, person, "grant", idempotency_key=idempotency_key)
    if application.provision_by == Provision.ACCOUNT:
        made = account_ensure(
            connection, person, profile_of(person), idempotency_key=idempotency_key, now=now
        )
        return {"connection": connection.key, "account": made.account.external_id}
    group = _group_of(application)
    client = account_admin(connection)
    account = account_find(connection, person, now=now, client=client)
    if account is None:
        raise PermanentError(
            f"The person has no account at {connection.name}, so cannot join the group “{group}”. "
            "Create the account first."
        )
    group_join(connection, client, account.external_id, group, idempotency_key=idempotency_key)
    return {"connection": connection.key, "account": account.external_id, "group": group}


def _take(
    application: Application, person: Person, *, idempotency_key: str, now: datetime
) -> dict[str, Any]:
    connection = _connection_of(application)
    if application.provision_by == Provision.HTTP:
        return _signed(application, person, "revoke", idempotency_key=idempotency_key)
    evidence: dict[str, Any] = {"connection": connection.key}
    if application.provision_by == Provision.ACCOUNT:
        # Protection was judged before the row was begun.
        ended = account_suspend(
            connection,
            person,
            idempotency_key=idempotency_key,
            now=now,
            protection_released=True,
        )
        if ended is not None and ended.active:
            raise TransientError(f"{connection.name} still shows the account as active.")
        return {**evidence, "account": ended.external_id if ended else None}
    group = _group_of(application)
    client = account_admin(connection)
    account = account_find(connection, person, now=now, client=client)
    if account is not None:
        with stopping_when_refused(connection):
            client.remove_from_group(account.external_id, group, idempotency_key=idempotency_key)
    return {**evidence, "account": account.external_id if account else None, "group": group}


def _signed(
    application: Application, person: Person, action: str, *, idempotency_key: str
) -> dict[str, Any]:
    connection = _connection_of(application)
    if connection.status == Connection.Status.NEEDS_ATTENTION:
        raise UnauthorizedError(f"{connection.name} needs attention: {connection.last_error}")
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
    return {
        "connection": connection.key,
        "status": answer.status,
        "request_id": answer.request_id[:120],
    }


def _open_row(
    application: Application, person: Person, *, state: str, run_id: int | None, now: datetime
) -> AppAccess:
    """The one row that is not revoked, made where there is none."""
    rows = AppAccess.objects.filter(application=application, person=person).exclude(
        state=State.REVOKED
    )
    found = rows.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return AppAccess.objects.create(
                application=application, person=person, state=state, since=now, run_id=run_id
            )
    except IntegrityError:
        # Another run was faster; its row is the one.
        return rows.get()


def _begin(row: AppAccess, state: str, *, run_id: int | None) -> None:
    """Write down what is about to happen, before it can happen."""
    changed = (
        AppAccess.objects.filter(pk=row.pk)
        .exclude(state=State.REVOKED)
        .update(state=state, run_id=run_id)
    )
    if not changed:
        raise TransientError("The access was changed by somebody else just now; it is tried again.")
    row.state = state


def _waiting(row: AppAccess, application: Application, *, done: bool, word: str) -> AccessResult:
    if done:
        return AccessResult(
            state=State.GRANTED,
            summary=f"The person already has {application.name}.",
            access_id=row.pk,
        )
    return AccessResult(
        state=row.state,
        summary=f"{application.name} has to be {word} by hand.",
        access_id=row.pk,
        needs_task=True,
    )


@contextlib.contextmanager
def _settled_by(row: AppAccess, *, during: str) -> Iterator[None]:
    """Mark the row as failed when the call inside will not get better by trying again."""
    try:
        yield
    except (PermanentError, ConfigError) as error:
        AppAccess.objects.filter(pk=row.pk, state=during).update(
            state=State.FAILED, evidence={"error": error.code}
        )
        raise


def _finish(
    row: AppAccess, *, during: str, state: str, evidence: dict[str, Any], now: datetime
) -> None:
    with transaction.atomic():
        changed = AppAccess.objects.filter(pk=row.pk, state=during).update(
            state=state,
            since=now if state == State.GRANTED else row.since,
            ended_at=now if state == State.REVOKED else None,
            evidence=evidence,
        )
        if changed:
            record(
                "access.granted" if state == State.GRANTED else "access.revoked",
                object_type="application",
                object_key=row.application.key,
                object_label=row.application.name,
                detail={"person": row.person_id, "run": row.run_id},
            )
    if not changed:
        raise TransientError(
            "The access was changed by somebody else meanwhile; it is looked at again."
        )
