"""What every command of ours has in common.

A command prints for people by default and one JSON document with ``--json``; it exits 0 on success,
1 with one clear line on stderr on a refusal or failure it can explain, 2 on wrong usage.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from siit_remote.lib import clock
from siit_remote.management.database import database_trouble

if TYPE_CHECKING:
    from argparse import ArgumentParser


_YEARS = (1990, 2200)


def parse_moment(text: str) -> datetime:
    """Read an ISO moment; without an offset it is UTC. Raises ``CommandError``."""
    try:
        moment = parse_datetime(text) or datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"“{text}” is not a moment. Write it as 2026-11-24T18:00:00+01:00.", returncode=2
        ) from error
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        # Far from it there are days before and after that no calendar has.
        words = f"“{text}” lies outside the years {_YEARS[0]} to {_YEARS[1]}."
        raise CommandError(words, returncode=2)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment, UTC)


def _refuse_broken_text(options: dict[str, Any]) -> None:
    """Bytes that are no UTF-8 reach Python as lone surrogates, which nothing can store or print."""
    for name, value in options.items():
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str) and any("\ud800" <= letter <= "\udfff" for letter in text):
                words = name.replace("_", "-")
                raise CommandError(f"{words}: what was given is not UTF-8 text.", returncode=2)


class SiitCommand(BaseCommand):
    """Base of our commands: ``--json``, ``--at`` where ``time_travel`` is set, an example in help.

    Subclasses implement :meth:`perform`, which returns the JSON document, and :meth:`present`,
    which prints it for people. Raise ``CommandError`` for what can be explained.
    """

    example = ""
    time_travel = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Add the example to the help text."""
        if self.example:
            kwargs.setdefault("epilog", f"Example: {self.example}")
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Common options, then the command's own."""
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")
        if self.time_travel:
            parser.add_argument(
                "--at", metavar="ISO", help="Set the clock (needs ALLOW_TIME_TRAVEL=true)."
            )
        self.add_own_arguments(parser)

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Options of this command."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Run with the clock set, then print."""
        try:
            self._run(options)
        except (OperationalError, ProgrammingError) as error:
            trouble = database_trouble()
            if not trouble:
                raise
            raise CommandError(trouble) from error
        except BrokenPipeError:
            # The reader (head, a pager) has seen enough; nothing may be flushed to it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _run(self, options: dict[str, Any]) -> None:
        _refuse_broken_text(options)
        at = options.get("at")
        if at is None:
            self._finish(self.perform(**options), as_json=options["json"])
            return
        if not settings.ALLOW_TIME_TRAVEL:
            raise CommandError("--at is refused: ALLOW_TIME_TRAVEL is not true on this machine.")
        with clock.fixed(parse_moment(at)):
            self._finish(self.perform(**options), as_json=options["json"])

    def _finish(self, document: Any, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(document, ensure_ascii=False, default=str))
        else:
            self.present(document)
        if self.failed(document):
            self.stdout.flush()
            sys.exit(1)

    def perform(self, **options: Any) -> Any:
        """Do the work through the services; return what ``--json`` prints."""
        raise NotImplementedError

    def present(self, document: Any) -> None:
        """Print ``document`` for people."""
        raise NotImplementedError

    def failed(self, document: Any) -> bool:
        """Whether the exit code must be 1 although a document was printed."""
        return False

    def refuse(self, message: str) -> NoReturn:
        """Stop with one clear line and exit code 1."""
        raise CommandError(message)
