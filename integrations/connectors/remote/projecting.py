"""Turn pages into records beside the reading: while page k is projected, page k+1 is on its way.

Only the projection leaves the calling thread, and it is pure: every request, every wait for the
rate limit and everything that touches the database stays where it was.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def project_beside(pages: Iterable[list[Any]], project: Callable[[list[Any]], None]) -> None:
    """Call ``project`` with each page in order, in one other thread, at most one page behind.

    An error of either side ends both; one of ``project`` is raised here as it was raised there,
    before a further page is asked for.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="projecting") as pool:
        behind: Future[None] | None = None
        for page in pages:
            if behind is not None:
                behind.result()
            behind = pool.submit(project, page)
        if behind is not None:
            behind.result()
