"""Sources of people that let others look at each person on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from integrations.connectors.base import Feed
    from people.staging import StagedRecords


@runtime_checkable
class StagingSource(Protocol):
    """A source of people that puts each down as it arrives."""

    def fetch_people_into(
        self, staged: StagedRecords, *, today: date, progress: Callable[[str], None]
    ) -> Feed:
        """As ``fetch_people``; ``staged`` is filled by another thread and is the feed's records."""
        ...
