"""A file outside the database that remembers how far the database had come.

One file for each installation, so that another database worked with from here (a demo, a copy)
neither disturbs nor is mistaken for this one. Losing the file loses a safeguard, never any work:
whatever is wrong with it is said, by :func:`witness_trouble` to ``doctor`` and once in the log.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from uuid import UUID

logger = logging.getLogger(__name__)
_ASIDE: Final = ".unreadable"
_LONGEST: Final = 4096
_FARTHEST: Final = 1 << 62
_BROKEN: Final = (ValueError, KeyError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The highest position seen, and when (the machine's clock, UTC)."""

    position: int
    seen_at: datetime


def witness_folder() -> Path | None:
    """Where witnesses lie (``WITNESS_FOLDER``); ``None`` where there shall be none."""
    return Path(settings.WITNESS_FOLDER) if settings.WITNESS_FOLDER else None


def witness_path(identity: UUID) -> Path | None:
    """The file of this installation."""
    folder = witness_folder()
    return folder / f"witness-{identity}.json" if folder is not None else None


def witness_read(identity: UUID) -> Witness | None:
    """What was seen of this installation; ``None`` without a file that can be read.

    A file that makes no sense is set aside, so that the next one begins anew and ``doctor`` tells.
    """
    path = witness_path(identity)
    if path is None:
        return None
    try:
        return _parse(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        _say(str(path), f"cannot be read ({error.strerror})")
    except _BROKEN:
        _say(str(path), "makes no sense and was set aside")
        with suppress(OSError):
            path.replace(path.with_name(path.name + _ASIDE))
    return None


def witness_write(identity: UUID, witness: Witness) -> bool:
    """Put ``witness`` down, readable by this user alone; never one behind what stands there.

    False when it could not be written.
    """
    path = witness_path(identity)
    if path is None:
        return False
    earlier = witness_read(identity)
    if earlier is not None and earlier.position > witness.position:
        return True
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, witness)
    except OSError as error:
        _say(str(path), f"cannot be written ({error.strerror})")
        return False
    return True


def witness_forget(identity: UUID) -> None:
    """Delete the file of an installation that is no more."""
    path = witness_path(identity)
    if path is not None:
        path.unlink(missing_ok=True)
        path.with_name(path.name + _ASIDE).unlink(missing_ok=True)


def witness_trouble(identity: UUID) -> str:
    """What is wrong with the file of this installation on this machine; ``""`` when nothing is."""
    path = witness_path(identity)
    if path is None:
        return ""
    aside = path.with_name(path.name + _ASIDE)
    try:
        if aside.exists():
            return f"{aside} made no sense and was set aside; a new witness began then"
        if path.exists():
            _parse(path)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    except _BROKEN:
        return f"{path} makes no sense"
    place = next((folder for folder in path.parents if folder.exists()), path.parent)
    return "" if os.access(place, os.W_OK | os.X_OK) else f"{place} cannot be written to"


def _parse(path: Path) -> Witness:
    with path.open(encoding="utf-8") as file:
        data = json.loads(file.read(_LONGEST))
    seen_at = datetime.fromisoformat(data["seen_at"])
    position = data["position"]
    if type(position) is not int or not 0 <= position < _FARTHEST or seen_at.tzinfo is None:
        raise ValueError(position)
    return Witness(position=position, seen_at=seen_at.astimezone(UTC))


def _replace(path: Path, witness: Witness) -> None:
    """Whole or not at all; temporary files are made for this user alone (0600)."""
    data = {"position": witness.position, "seen_at": witness.seen_at.isoformat()}
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".witness-")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


@lru_cache(maxsize=64)
def _say(path: str, words: str) -> None:
    """Once a process: it is looked at each minute, and ``doctor`` says it as often as asked."""
    logger.warning("The witness %s %s: a restored backup may go unnoticed here", path, words)
