"""Things put down outside memory and taken up again by number: what is read once, in pieces.

A small amount stays in memory; beyond that it goes to a temporary file that has no name, so that
nobody else can open it and nothing of it outlives the process.
"""

from __future__ import annotations

import pickle
import tempfile
from array import array
from typing import Generic, TypeVar

IN_MEMORY = 1 << 20
T = TypeVar("T")


class Spool:
    """Byte strings, appended and read back by number. Not for use by two threads at once."""

    def __init__(self, *, in_memory: int = IN_MEMORY) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115 - lives as long as this
        self._ends = array("Q", [0])
        self._at_end = True

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, data: bytes) -> int:
        """Put ``data`` down; returns its number, counted from 0."""
        if not self._at_end:
            self._file.seek(self._ends[-1])
            self._at_end = True
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))
        return len(self) - 1

    def read(self, number: int) -> bytes:
        """What was put down under ``number``. Raises ``IndexError`` for one that is not there."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        self._at_end = False
        return self._file.read(end - start)


class Shelf(Generic[T]):
    """A :class:`Spool` of plain values. Each reading gives a new copy."""

    def __init__(self) -> None:
        self._spool = Spool()

    def __len__(self) -> int:
        return len(self._spool)

    def put(self, value: T) -> int:
        """Put ``value`` down; returns its number."""
        return self._spool.append(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))

    def get(self, number: int) -> T:
        """A copy of what was put down under ``number``."""
        found: T = pickle.loads(self._spool.read(number))  # noqa: S301 - our own bytes, in a file that only we can open
        return found
