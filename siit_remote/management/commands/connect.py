"""Create or change a connection, test it, and finish the set-up of a source of people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from integrations.connectors.base import CONNECTORS, PeopleSource
from integrations.errors import ConfigError, IntegrationError
from integrations.models import Connection
from integrations.services import client_for, connection_save, connection_test
from integrations.sync import SyncRefusedError, setup_finish
from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser

_MAX_SECRET_BYTES = 64_000


def _pairs(given: list[str], *, option: str) -> dict[str, str]:
    """``name=value`` options as a dict. Raises ``CommandError`` (usage)."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"{option} takes name=value, not “{name[:60]}”.", returncode=2)
        if name in found:
            raise CommandError(f"{option} {name} is given twice.", returncode=2)
        found[name] = value
    return found


def _read_secret(name: str, path: str) -> str:
    """The text of a secret's file without its closing line break."""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MAX_SECRET_BYTES + 1)
        text = raw.decode().rstrip("\r\n")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CommandError(f"The file of {name} ({path}) cannot be read: {reason}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"The file of {name} ({path}) is not text in UTF-8.") from error
    if not text or len(raw) > _MAX_SECRET_BYTES:
        raise CommandError(f"The file of {name} ({path}) is {'too large' if text else 'empty'}.")
    return text


class Command(SiitCommand):
    """Secrets come from files only: arguments show in the list of processes."""

    help = "Create or update the connection of a connector, and test it."
    _asked_to_finish = False
    example = (
        "manage.py connect remote --set base_url=https://gateway.remote.com "
        "--secret-file api_token=/run/secrets/remote_token --finish"
    )

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which connector, its settings and secrets."""
        parser.add_argument("connector", metavar="KEY", help="remote, scim, slack, smtp, http …")
        parser.add_argument("--set", action="append", default=[], metavar="name=value")
        parser.add_argument("--secret-file", action="append", default=[], metavar="name=PATH")
        parser.add_argument(
            "--name", default="", metavar="N", help="The connection's key in documents (KEY)."
        )
        parser.add_argument(
            "--finish",
            action="store_true",
            help="For a source of people: accept the proposed mapping and finish the set-up.",
        )

    def perform(self, **options: Any) -> dict[str, Any]:
        """Save, test, and finish where asked."""
        self._asked_to_finish = options["finish"]
        kind = CONNECTORS.get(options["connector"])
        if kind is None:
            self.refuse(
                f"There is no connector “{options['connector']}”. Known: "
                f"{', '.join(CONNECTORS.keys())}."
            )
        config = _pairs(options["set"], option="--set")
        paths = _pairs(options["secret_file"], option="--secret-file")
        known = {setting.name for setting in kind.settings if setting.secret}
        if unknown := sorted(set(paths) - known):
            self.refuse(
                f"“{unknown[0]}” is not a secret of {kind.key}. Its secrets: "
                f"{', '.join(sorted(known)) or 'none'}."
            )
        secrets = {name: _read_secret(name, path) for name, path in paths.items()}
        key = options["name"] or kind.key
        try:
            connection = connection_save(
                key=key,
                connector=kind.key,
                config=config,
                secrets=secrets,
                name=f"{kind.label} ({key})" if key != kind.key else "",
            )
        except ConfigError as error:
            self.refuse(error.message)
        problems = list(connection_test(connection).problems)
        if options["finish"] and connection.status != Connection.Status.NEEDS_ATTENTION:
            problems += self._finish_set_up(connection)
        return {
            "connection": connection.key,
            "connector": connection.connector,
            "status": connection.status,
            "account": connection.account,
            "problems": problems,
        }

    def _finish_set_up(self, connection: Connection) -> list[str]:
        """Import people for the first time; what went wrong, in words."""
        try:
            if not isinstance(client_for(connection), PeopleSource):
                return []
            if self.stderr.isatty():
                self.stderr.write("Importing people for the first time …")
            report = setup_finish(connection, actor=None, now=clock.now())
        except (SyncRefusedError, IntegrationError) as error:
            return [str(error)]
        finally:
            connection.refresh_from_db()
        return [text for text in (report.error, report.held_reason) if text]

    def present(self, document: dict[str, Any]) -> None:
        """The connection and how it stands."""
        status = Connection.Status(document["status"]).label
        self.stdout.write(f"{document['connection']} ({document['connector']}): {status}")
        for name, value in document["account"].items():
            self.stdout.write(f"  {name}: {value}")
        for problem in document["problems"]:
            self.stdout.write(f"  Problem: {problem}")

    def failed(self, document: dict[str, Any]) -> bool:
        """A connection that does not work, or a set-up that could not be finished."""
        if self._asked_to_finish:
            return bool(document["status"] != Connection.Status.READY)
        return bool(document["status"] == Connection.Status.NEEDS_ATTENTION)
