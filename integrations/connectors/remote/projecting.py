"""Work beside the reading of pages: while page k is projected, page k+1 is on its way.

What leaves the calling thread touches no database: the projection is pure, and what is read beside
the pages (see :mod:`integrations.connectors.remote.refresh`) goes through a door of its own.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BACKLOG = 20
"""Pages that may wait to be projected: enough to read the small lists of a large company meanwhile,
few enough that memory stays flat."""
_HEAD_START = 0.003
"""Seconds in which the next request leaves undisturbed: a thread that computes holds the
interpreter for 5 ms at a time, and the reader needs it several times to send."""


def project_beside(
    pages: Iterable[list[Any]],
    project: Callable[[list[Any]], None],
    *,
    first: Callable[[], None] | None = None,
) -> None:
    """Call ``first`` and then ``project`` with each page in order, in one other thread.

    Reading is at most :data:`BACKLOG` pages ahead. An error of either side ends both, and is raised
    here as it was raised there; pages that were read by then may stay unprojected.
    """

    def later(page: list[Any]) -> None:
        time.sleep(_HEAD_START)
        project(page)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="projecting") as pool:
        behind = deque([pool.submit(first)] if first else ())
        try:
            for page in pages:
                while behind and (behind[0].done() or len(behind) > BACKLOG):
                    behind.popleft().result()
                behind.append(pool.submit(later, page))
            for future in behind:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
