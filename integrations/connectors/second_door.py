"""The one door for two threads: for feeds whose small lists are read on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from integrations.connectors.base import Transport


@runtime_checkable
class SecondDoor(Protocol):
    """A transport that can serve one other thread beside its own."""

    def aside(self) -> AbstractContextManager[Transport]:
        """A transport for that thread; what it did is written down when the context ends."""
        ...
