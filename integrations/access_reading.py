"""Read from connections who has an application; find whose accounts these are."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from integrations.access_calls import READABLE, group_of, is_readable, place_of
from integrations.accounts import account_admin, stopping_when_refused
from integrations.connectors.base import RemoteAccount
from integrations.connectors.identity import AccessReporter
from integrations.errors import ConfigError, IntegrationError
from integrations.models import (
    AccessReading,
    Account,
    Application,
    Connection,
    ReportedAccess,
)
from people.defaults import workspace_get
from people.folding import email_key
from people.models import Person, PersonAlias
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

log = logging.getLogger(__name__)
TASK = "integrations.tasks.read_access"
_CHUNK = 500


class MatchRefusedError(Exception):
    """The account cannot be given to this person; the message says why."""


def reading_ask(
    application: Application, *, now: datetime, actor: AbstractBaseUser | AnonymousUser | None
) -> None:
    """Ask the worker to read one application soon."""
    with transaction.atomic():
        AccessReading.objects.update_or_create(application=application, defaults={"asked_at": now})
        record(
            "access.read_asked",
            actor=actor,
            object_type="application",
            object_key=application.key,
            object_label=application.name,
        )
        ring(TASK)


def access_read_due(*, now: datetime) -> int:
    """Read the applications that were asked for, or whose last reading is old; how many."""
    every = timedelta(hours=workspace_get().sync_every_hours)
    rows = Application.objects.filter(
        active=True, provision_by__in=READABLE, connection__status=Connection.Status.READY
    ).select_related("connection", "reading")
    due: dict[int, list[Application]] = {}
    for application in rows.order_by("pk"):
        if _is_due(application, now=now, every=every) and application.connection_id is not None:
            due.setdefault(application.connection_id, []).append(application)
    for applications in due.values():
        access_read(applications, now=now)
    return sum(map(len, due.values()))


def _is_due(application: Application, *, now: datetime, every: timedelta) -> bool:
    reading = getattr(application, "reading", None)
    if reading is None or reading.tried_at is None:
        return True
    asked = reading.asked_at is not None and reading.asked_at >= reading.tried_at
    return bool(asked or now >= reading.tried_at + every)


def access_read(applications: list[Application], *, now: datetime) -> None:
    """Read who has these applications, all of one connection, each whole or not at all."""
    connection = applications[0].connection
    if connection is None:
        return
    try:
        client = account_admin(connection)
        if not isinstance(client, AccessReporter):
            raise ConfigError(f"{connection.name} cannot be asked who has an application.")
        with stopping_when_refused(connection):
            accounts = {one.external_id: one for one in client.all_accounts()}
    except IntegrationError as error:
        for application in applications:
            _read_failed(application, error, now=now)
        return
    for application in applications:
        try:
            with stopping_when_refused(connection):
                having = _having(application, client, accounts)
        except IntegrationError as error:
            _read_failed(application, error, now=now)
        else:
            reported_take_over(application, having, now=now)


def _read_failed(application: Application, error: IntegrationError, *, now: datetime) -> None:
    """What was read before stays, and is shown as old."""
    log.warning("application %s could not be read: %s", application.pk, error.code)
    AccessReading.objects.update_or_create(
        application=application, defaults={"tried_at": now, "error": error.message}
    )


def _having(
    application: Application, client: AccessReporter, accounts: Mapping[str, RemoteAccount]
) -> list[RemoteAccount]:
    if application.provision_by == Application.Provision.ACCOUNT:
        return list(accounts.values())
    group = group_of(application, client)
    members = client.members_of(group)
    if members is None:
        raise ConfigError(_nothing_there(application))
    folded = group.casefold()
    ids = dict.fromkeys(members)
    # Some servers never list members on the group; the account's own list then tells.
    for account in accounts.values():
        if any(name.casefold() == folded for name in account.groups):
            ids.setdefault(account.external_id)
    strangers = (RemoteAccount(external_id=one, username="", active=True) for one in ids)
    return [accounts.get(one.external_id, one) for one in strangers]


def _nothing_there(application: Application) -> str:
    name = place_of(application)
    if application.provision_by == Application.Provision.APP:
        return f"There is no application “{name}” at the connection. Check its name there."
    return (
        f"There is no group “{name}” at the connection yet. Check its name; it is made when the "
        "first person is given the application."
    )


def reported_take_over(
    application: Application, having: Iterable[RemoteAccount], *, now: datetime
) -> None:
    """Make the rows of one application what was read; what is not there any more is marked."""
    rows = {one.external_id[:200]: one for one in having if one.external_id}
    owners = _owners(application, rows)
    with transaction.atomic():
        known = {row.external_id: row for row in application.reported.all()}
        fresh = [
            _row(application, account, person_id=owners.get(key), now=now)
            for key, account in rows.items()
            if key not in known
        ]
        ReportedAccess.objects.bulk_create(fresh, batch_size=_CHUNK)
        changed = list(_changes(known, rows, owners, now=now))
        ReportedAccess.objects.bulk_update(
            changed,
            ["username", "email", "active", "person", "gone_at"],
            batch_size=_CHUNK,
        )
        application.reported.filter(gone_at__isnull=True).update(seen_at=now)
        AccessReading.objects.update_or_create(
            application=application,
            defaults={
                "read_at": now,
                "tried_at": now,
                "accounts": len(rows),
                "error": "",
                "changed": True,
            },
        )


def _row(
    application: Application, account: RemoteAccount, *, person_id: int | None, now: datetime
) -> ReportedAccess:
    return ReportedAccess(
        application=application,
        external_id=account.external_id[:200],
        username=account.username[:300],
        email=_email_of(account)[:254],
        active=account.active,
        person_id=person_id,
        first_seen_at=now,
        seen_at=now,
    )


def _changes(
    known: Mapping[str, ReportedAccess],
    rows: Mapping[str, RemoteAccount],
    owners: Mapping[str, int],
    *,
    now: datetime,
) -> Iterator[ReportedAccess]:
    for key, row in known.items():
        account = rows.get(key)
        if account is None:
            if row.gone_at is None:
                row.gone_at = now
                yield row
            continue
        before = (row.username, row.email, row.active, row.gone_at, row.person_id)
        row.username, row.email = account.username[:300], _email_of(account)[:254]
        row.active, row.gone_at = account.active, None
        if not row.matched_by:
            row.person_id = owners.get(key)
        if before != (row.username, row.email, row.active, row.gone_at, row.person_id):
            yield row


def _email_of(account: RemoteAccount) -> str:
    candidates = (account.username, *account.emails)
    return next((email_key(text) for text in candidates if "@" in text), "")


def _owners(application: Application, rows: Mapping[str, RemoteAccount]) -> dict[str, int]:
    """Account id → person: as recorded by id, else by work email, else by a former one."""
    found: dict[str, int] = {}
    emails = {key: _email_of(account) for key, account in rows.items()}
    wanted = sorted({email for email in emails.values() if email})
    present: dict[str, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        aliases = PersonAlias.objects.filter(email__in=part)
        present |= dict(aliases.values_list("email", "person_id"))
        people = Person.objects.filter(work_email__in=part)
        present |= dict(people.values_list("work_email", "pk"))
    for key, email in emails.items():
        if email in present:
            found[key] = present[email]
    recorded = Account.objects.filter(connection__applications=application)
    for external_id, person_id in recorded.values_list("external_id", "person_id"):
        if external_id in rows:
            found[external_id] = person_id
    return found


def reported_match(
    row: ReportedAccess,
    person: Person,
    *,
    now: datetime,
    actor: AbstractBaseUser | AnonymousUser | None,
) -> None:
    """Say whose an unknown account is. From then on it is found by its id.

    Raises :class:`MatchRefusedError` where the account or the person is taken already.
    """
    connection = row.application.connection
    if connection is None or not is_readable(row.application):
        raise MatchRefusedError("The application has no connection any more.")
    label = actor.get_username() if actor is not None and actor.is_authenticated else "system"
    try:
        with transaction.atomic():
            account, made = Account.objects.get_or_create(
                connection=connection,
                person=person,
                defaults={
                    "external_id": row.external_id,
                    "username": row.username,
                    "active": row.active,
                    "adopted": True,
                    "changed_at": now,
                },
            )
            if not made and account.external_id != row.external_id:
                raise MatchRefusedError(
                    f"{person} has another account at {connection.name} already: {account}."
                )
            # The same account may have several applications of this connection.
            ReportedAccess.objects.filter(
                application__connection=connection, external_id=row.external_id
            ).update(person=person, matched_by=label[:200])
            AccessReading.objects.filter(application__connection=connection).update(changed=True)
            record(
                "access.matched",
                actor=actor,
                object_type="application",
                object_key=row.application.key,
                object_label=row.application.name,
                detail={"account": row.external_id, "person": person.pk},
            )
    except IntegrityError as error:
        raise MatchRefusedError(
            "This account is recorded as somebody else's. See whose it is on their page."
        ) from error
