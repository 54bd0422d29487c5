"""Whole lists or none: pages by number, and pages by cursor, each checked for contradictions.

A list that moved while it was read is read again; one that keeps contradicting itself raises
``IncompleteError``, so that nobody is taken for gone because a page was short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from integrations.connectors.remote.answers import (
    MalformedAnswer,
    NotFoundError,
    RefusedError,
)
from integrations.errors import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from integrations.connectors.remote.session import RemoteSession

PAGE_SIZE = 100
"""Remote's maximum for every list."""
PAGE_CAP = 10_000
_ROUNDS = 3


class NumberedPage(NamedTuple):
    """One page of the page/page_size style."""

    rows: list[Any]
    current: int
    total_pages: int
    total_count: int


class CursorPage(NamedTuple):
    """One page of the cursor/limit style; ``cursor`` is ``""`` on the last one."""

    rows: list[Any]
    cursor: str


class _Contradiction(Exception):
    """The list changed while it was read, or a page does not fit the others."""


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise MalformedAnswer("the body lacks the list's counts")


def read_numbered(collection: str) -> Callable[[Any], NumberedPage]:
    """A reader of ``data.{collection, current_page, total_pages, total_count}``."""

    def read(body: Any) -> NumberedPage:
        data = body.get("data") if isinstance(body, dict) else None
        rows = data.get(collection) if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(rows, list):
            raise MalformedAnswer(f"the body lacks {collection}")
        return NumberedPage(
            rows=rows,
            current=_count(data.get("current_page")),
            total_pages=_count(data.get("total_pages")),
            total_count=_count(data.get("total_count")),
        )

    return read


def read_cursor(body: Any) -> CursorPage:
    """A reader of top level ``{"data": […], "next_cursor": …}``."""
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or "next_cursor" not in body:
        raise MalformedAnswer("the body lacks data or next_cursor")
    cursor = body["next_cursor"]
    if cursor is not None and not isinstance(cursor, str):
        raise MalformedAnswer("next_cursor is no text")
    return CursorPage(rows=rows, cursor=cursor or "")


def by_id(row: Any) -> Hashable:
    """The row's own id, else its content."""
    found = row.get("id") if isinstance(row, dict) else None
    return found if isinstance(found, str) and found else by_content(row)


def by_content(row: Any) -> Hashable:
    """The row's plain values: two rows are one only if they say the same."""
    if not isinstance(row, dict):
        return id(row)
    return tuple(sorted((key, str(row[key])) for key in row if isinstance(row[key], str | int)))


def numbered_rows(
    session: RemoteSession,
    path: str,
    *,
    collection: str,
    what: str,
    scope: str,
    params: dict[str, str] | None = None,
    identity: Callable[[Any], Hashable] = by_id,
    read: Callable[[Any], NumberedPage] | None = None,
) -> list[Any]:
    """All rows of a page/page_size list, each once. Raises ``IncompleteError``."""
    reason = ""
    for _ in range(_ROUNDS):
        try:
            reader = read or read_numbered(collection)
            return _read_round(session, path, reader, what, scope, params or {}, identity)
        except _Contradiction as error:
            reason = str(error)
    raise IncompleteError(
        f"Remote's list of {what} contradicts itself ({reason}), {_ROUNDS} times in a row; "
        "nothing was applied."
    )


def _read_round(
    session: RemoteSession,
    path: str,
    read: Callable[[Any], NumberedPage],
    what: str,
    scope: str,
    params: dict[str, str],
    identity: Callable[[Any], Hashable],
) -> list[Any]:
    found: dict[Hashable, Any] = {}
    first: NumberedPage | None = None
    number = 1
    while True:
        page = session.get(
            path,
            params={**params, "page": str(number), "page_size": str(PAGE_SIZE)},
            what=f"{what}, page {number}",
            scope=scope,
            read=read,
        )
        first = first or page
        if (page.total_count, page.total_pages) != (first.total_count, first.total_pages):
            raise _Contradiction("its length changed while it was read")
        if page.current not in {0, number}:
            raise _Contradiction(f"page {page.current} came for page {number}")
        if page.total_pages > PAGE_CAP:
            raise _Contradiction(f"it claims {page.total_pages} pages")
        found.update((identity(row), row) for row in page.rows)
        if number >= page.total_pages:
            break
        number += 1
    if len(found) != first.total_count:
        raise _Contradiction(f"{len(found)} different rows of {first.total_count} announced")
    return list(found.values())


def cursor_pages(
    session: RemoteSession, path: str, *, what: str, scope: str
) -> Iterator[list[Any]]:
    """Page after page of a cursor/limit list. Raises ``IncompleteError``, possibly late.

    Nothing of it may be applied before the iterator has ended. The first page lets refusals of
    the endpoint itself through.
    """
    seen: set[str] = set()
    cursor, usual = "", 0
    for number in range(1, PAGE_CAP + 1):
        try:
            page = _cursor_page(session, path, cursor, number, what, scope)
            if page.cursor and len(page.rows) < (usual or PAGE_SIZE):
                # A short page in the middle: believed only if Remote says the same twice.
                page = _confirmed(
                    page, _cursor_page(session, path, cursor, number, what, scope), what, number
                )
        except (RefusedError, NotFoundError) as error:
            if number == 1:
                raise
            raise IncompleteError(
                f"Remote did not accept its own cursor at {what}, page {number}; "
                "nothing was applied.",
                request_id=error.request_id,
                status=error.status,
            ) from error
        usual = usual or len(page.rows)
        yield page.rows
        if not page.cursor:
            return
        if page.cursor in seen:
            raise IncompleteError(
                f"Remote repeated the cursor {page.cursor[:40]!r} at {what}, page {number}; "
                "nothing was applied."
            )
        seen.add(page.cursor)
        cursor = page.cursor
    raise IncompleteError(
        f"Remote's list of {what} did not end after {PAGE_CAP} pages; nothing was applied."
    )


def _cursor_page(
    session: RemoteSession, path: str, cursor: str, number: int, what: str, scope: str
) -> CursorPage:
    params = {"limit": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return session.get(
        path, params=params, what=f"{what}, page {number}", scope=scope, read=read_cursor
    )


def _confirmed(page: CursorPage, again: CursorPage, what: str, number: int) -> CursorPage:
    if len(again.rows) > len(page.rows) or not again.cursor:
        return again
    if not again.rows:
        raise IncompleteError(
            f"Remote sent an empty page of {what} (page {number}) and a cursor to more; "
            "nothing was applied."
        )
    if [by_id(row) for row in page.rows] != [by_id(row) for row in again.rows]:
        raise IncompleteError(
            f"Remote's list of {what} changed on page {number} while it was read; "
            "nothing was applied."
        )
    return again
