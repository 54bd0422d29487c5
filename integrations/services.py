"""Connections: save, test, disconnect, and bind a client to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from integrations.circuits import CircuitGate
from integrations.connection_form import clean_settings, host_of
from integrations.connectors.base import (
    CONNECTORS,
    AccountAdmin,
    Client,
    ConnectionSettings,
    Connector,
    PeopleSource,
    TestResult,
)
from integrations.delivery import Purpose, calling_for, delivery_recorder
from integrations.errors import ConfigError, IntegrationError
from integrations.models import Connection, SyncRun
from integrations.transport import ConnectionRef, HttpTransport
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.crypto import DecryptionError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

Status = Connection.Status
OTHER_COMPANY = "other_company"
"""Code of a credential that works, but for somebody else's account."""


def connection_by_key(key: str) -> Connection | None:
    """The connection with this key, in whatever state."""
    return Connection.objects.filter(key=key).first()


def connector_of(connection: Connection) -> Connector:
    """Its connector. Raises ``ConfigError`` for a key that this version does not know."""
    connector = CONNECTORS.get(connection.connector)
    if connector is None:
        raise ConfigError(
            f"“{connection.connector}” is not a connector of this version. Known: "
            f"{', '.join(CONNECTORS.keys())}."
        )
    return connector


def client_for(connection: Connection, *, feeding: bool = False, testing: bool = False) -> Client:
    """Bind the connector to this connection, secrets decrypted. Raises ``ConfigError``.

    ``feeding``: for a whole refresh of people, whose pages are not written down one by one, and
    which keeps a pace of its own. ``testing``: a person asked, so a target that is left alone is
    tried all the same.
    """
    connector = connector_of(connection)
    if connection.status == Status.DISCONNECTED:
        raise ConfigError(f"{connection.name} is disconnected. Connect it again to use it.")
    try:
        secrets = connection.get_secrets()
    except DecryptionError as error:
        raise ConfigError(str(error)) from error
    config = {
        setting.name: connection.config.get(setting.name) or setting.default
        for setting in connector.settings
        if not setting.secret
    }
    if connector.key == "remote" and not connection.config.get("base_url"):
        config["base_url"] = settings.REMOTE_BASE_URL or config.get("base_url", "")
    paced = connector.category == "HRIS" or feeding
    transport = HttpTransport(
        ConnectionRef(id=connection.pk, key=connection.key),
        recorder=delivery_recorder(connection.pk),
        allow_private=settings.OUTBOUND_ALLOW_PRIVATE,
        # A feed reads hundreds of pages: its sync run tells the story, the log keeps failures.
        record_reads=not paced,
        gate=None
        if paced
        else CircuitGate(connection_id=connection.pk, key=connection.key, forced=testing),
    )
    return connector.client(
        ConnectionSettings(
            key=connection.key,
            config=config,
            secrets=secrets,
            account=connection.account,
            capabilities=connection.capabilities,
        ),
        transport,
    )


def client_with(capability: type[Any], *, key: str = "") -> tuple[Connection, Any] | None:
    """A ready connection that offers ``capability``, and its client.

    The one named ``key``, else the first by name; ``None`` when there is none. Connections whose
    settings cannot be read are passed over unless named: then ``ConfigError`` is raised.
    """
    rows = Connection.objects.filter(status=Status.READY).order_by("name", "pk")
    for connection in rows.filter(key=key) if key else rows:
        try:
            client = client_for(connection)
        except ConfigError:
            if key:
                raise
            continue
        if isinstance(client, capability):
            return connection, client
    return None


def connection_save(
    *,
    key: str,
    connector: str,
    config: Mapping[str, str],
    secrets: Mapping[str, str],
    name: str = "",
    actor: Actor = None,
) -> Connection:
    """Create the connection ``key`` or change what is given; the rest of it stays.

    A setting given as ``""`` is cleared, a secret given as ``""`` is kept. Raises ``ConfigError``
    naming every problem. Does not test: see :func:`connection_test`.
    """
    kind = CONNECTORS.get(connector)
    if kind is None:
        raise ConfigError(
            f"There is no connector “{connector}”. Known: {', '.join(CONNECTORS.keys())}."
        )
    with transaction.atomic():
        found = Connection.objects.select_for_update().filter(key=key).first()
        if found is not None and found.connector != connector:
            raise ConfigError(f"The connection “{key}” is of the kind {found.connector}.")
        row = found or Connection(
            key=key, connector=connector, name=name or kind.label, created_at=clock.now()
        )
        cleaned, all_secrets = settings_checked(row, config=config, secrets=secrets)
        changed = sorted(
            field
            for field in {*row.config, *cleaned}
            if row.config.get(field, "") != cleaned.get(field, "")
        )
        row.config = cleaned
        row.name = name or row.name
        if row.status == Status.DISCONNECTED:
            row.status = Status.DRAFT
        row.save()
        given = sorted(field for field, value in secrets.items() if value)
        if given:
            row.set_secrets(all_secrets)
            row.save(update_fields=["secrets_token"])
        record(
            "connection.updated" if found else "connection.created",
            actor=actor,
            object_type="connection",
            object_key=key,
            object_label=row.name,
            detail={"connector": connector, "settings": changed, "secrets": given},
        )
    return row


def settings_checked(
    row: Connection, *, config: Mapping[str, str], secrets: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Settings and secrets of ``row`` after this change, without saving anything.

    Raises ``ConfigError`` naming every problem.
    """
    kind = connector_of(row)
    stored = _readable_secrets(row)
    given = {field: value for field, value in secrets.items() if value}
    cleaned = clean_settings(kind, key=row.key, config={**row.config, **config}, secrets=given)
    _require(kind, cleaned, {**stored, **given})
    _refuse_moved_secret(kind, before=row.config, after=cleaned, stored=stored, given=given)
    return cleaned, {**stored, **given}


def _readable_secrets(row: Connection) -> dict[str, str]:
    """What is stored; nothing where it cannot be decrypted any more and must be entered again."""
    try:
        return row.get_secrets()
    except DecryptionError:
        return {}


def _require(kind: Connector, config: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    missing = [
        setting.name
        for setting in kind.settings
        if setting.required
        and not setting.default
        and not (secrets if setting.secret else config).get(setting.name)
    ]
    if missing:
        raise ConfigError(f"{kind.label} also needs: {', '.join(missing)}.")


def _refuse_moved_secret(
    kind: Connector,
    *,
    before: Mapping[str, str],
    after: Mapping[str, str],
    stored: Mapping[str, str],
    given: Mapping[str, str],
) -> None:
    """A stored credential is never sent to a host it was not entered for."""
    if not stored or given:
        return
    for setting in kind.settings:
        known = before.get(setting.name) or setting.default
        wanted = after.get(setting.name) or setting.default
        is_address = setting.name.endswith(("base_url", "host"))
        if is_address and known and host_of(known) != host_of(wanted):
            raise ConfigError(
                f"{setting.label} names another host: enter the secret again as well, so that "
                "the stored one is not sent there by mistake."
            )


def connection_test(connection: Connection, *, actor: Actor = None) -> TestResult:
    """Test now and store what was found; ``connection.status`` then says how it went.

    Success makes it ready, except that a source of people stays a draft until its set-up is
    finished. Failure makes it *needs attention*, with the reason as the result's only problem;
    nothing is raised for it.
    """
    failure, code = "", ""
    source = admin = False
    result = TestResult()
    try:
        client = client_for(connection, testing=True)
        source = isinstance(client, PeopleSource)
        admin = isinstance(client, AccountAdmin)
        with calling_for(Purpose(words="Connection test")):
            result = client.test()
        failure = other_company(connection, result)
        code = OTHER_COMPANY if failure else ""
    except IntegrationError as error:
        failure, code = error.message, error.code
    if failure:
        result = TestResult(problems=(failure,))
        changes: dict[str, Any] = {
            "status": Status.NEEDS_ATTENTION,
            "last_error": failure,
            "last_error_code": code,
        }
    else:
        # An identity provider works for accounts before its people were ever imported.
        unfinished = source and not admin and connection.finished_at is None
        changes = {
            "status": Status.DRAFT if unfinished else Status.READY,
            "last_error": "",
            "last_error_code": "",
            "last_ok_at": clock.now(),
            "account": result.account,
            "capabilities": result.capabilities,
        }
    with transaction.atomic():
        # Disconnected while the test ran: stays so.
        Connection.objects.filter(pk=connection.pk).exclude(status=Status.DISCONNECTED).update(
            **changes
        )
        record(
            "connection.tested",
            actor=actor,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
            detail={"ok": not failure},
        )
    connection.refresh_from_db()
    return result


def other_company(connection: Connection, result: TestResult) -> str:
    """Why a credential of somebody else's account is refused; empty when it is the same one."""
    known, found = connection.account.get("company_id"), result.account.get("company_id")
    if connection.finished_at is None or not known or known == found:
        return ""
    return (
        f"This credential belongs to another company ({result.account.get('name') or found}) than "
        f"the one this connection was set up for ({connection.account.get('name') or known}). "
        "Enter one of the same company, or make a new connection."
    )


def connection_mark_unauthorized(connection: Connection, message: str) -> bool:
    """Stop using the connection until somebody acts. False when it was stopped already."""
    return bool(
        Connection.objects.filter(
            pk=connection.pk,
            status__in=[Status.READY, Status.DRAFT],
            # A new credential was entered meanwhile: the old one's refusal says nothing about it.
            secrets_token=connection.secrets_token,
        ).update(status=Status.NEEDS_ATTENTION, last_error=message, last_error_code="unauthorized")
    )


def connection_refused(key: str, message: str, *, since: datetime) -> bool:
    """Stop using the connection ``key``, whose credential was refused after ``since`` (UTC).

    False when it was stopped already, or has been tested with success since then.
    """
    found = connection_by_key(key)
    if found is None or (found.last_ok_at is not None and found.last_ok_at >= since):
        return False
    return connection_mark_unauthorized(found, message)


def connection_disconnect(connection: Connection, *, actor: Actor = None) -> bool:
    """Forget the secrets and stop. What was learnt stays. False when it was disconnected."""
    with transaction.atomic():
        done = bool(
            Connection.objects.filter(pk=connection.pk)
            .exclude(status=Status.DISCONNECTED)
            .update(status=Status.DISCONNECTED, secrets_token="", last_error="", last_error_code="")
        )
        if done:
            # A review that nobody finished holds people's data and has no further use.
            SyncRun.objects.filter(connection=connection, status=SyncRun.Status.REVIEWED).update(
                status=SyncRun.Status.DISCARDED, held_records=[], review={}
            )
            record(
                "connection.disconnected",
                actor=actor,
                object_type="connection",
                object_key=connection.key,
                object_label=connection.name,
            )
    connection.refresh_from_db()
    return done
