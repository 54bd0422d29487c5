"""An answer before it is written to the wire, and the three ways the service pages."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from integrations.simulator.vocabulary import Record

Query = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows_at` is the path of keys to the list of rows, so that faults can reshape a page."""

    status: int
    payload: Record
    rows_at: tuple[str, ...] = ()
    first_row: Record | None = None
    page: int = 1
    headers: dict[str, str] = field(default_factory=dict)

    def with_payload(self, payload: Record) -> "Answer":
        return replace(self, payload=payload)


def message(status: int, text: str) -> Answer:
    return Answer(status, {"message": text})


def errors(fields: dict[str, list[str]]) -> Answer:
    return Answer(422, {"errors": fields})


def not_found(thing: str) -> Answer:
    return message(404, f"{thing} not found")


def one(data: Record, *, status: int = 200) -> Answer:
    return Answer(status, {"data": data})


@dataclass(frozen=True, slots=True)
class Window:
    """The asked page: 1-based number and size."""

    page: int
    size: int

    def cut(self, rows: Sequence[Record]) -> list[Record]:
        return list(rows[(self.page - 1) * self.size : self.page * self.size])

    def counters(self, total: int) -> Record:
        return {
            "current_page": self.page,
            "total_pages": -(-total // self.size),
            "total_count": total,
        }


def window_of(query: Query) -> Window | Answer:
    """The page asked for, or the 422 that says what is wrong with it."""
    wrong: dict[str, list[str]] = {}
    page = _number(query.get("page", "1"))
    size = _number(query.get("page_size", "20"))
    if page is None or page < 1:
        wrong["page"] = ["must be an integer greater than or equal to 1"]
    if size is None or not 1 <= size <= 100:
        wrong["page_size"] = ["must be an integer between 1 and 100"]
    if page is None or size is None or wrong:
        return errors(wrong)
    return Window(page, size)


def listing(query: Query, name: str, rows: Sequence[Record]) -> Answer:
    """`data.{name, current_page, total_pages, total_count}`."""
    window = window_of(query)
    if isinstance(window, Answer):
        return window
    payload = {"data": {name: window.cut(rows)} | window.counters(len(rows))}
    return Answer(200, payload, ("data", name), _first(rows), window.page)


def cursor_page(query: Query, rows: Sequence[Record], *, default: int, maximum: int) -> Answer:
    """Top level `{data, next_cursor}`; the cursor is opaque to clients and holds an offset."""
    limit = _number(query.get("limit", str(default)))
    if limit is None or not 1 <= limit <= maximum:
        return message(400, f"limit must be an integer between 1 and {maximum}")
    offset = _decode_cursor(query["cursor"]) if "cursor" in query else 0
    if offset is None:
        return message(400, "cursor is invalid")
    following = offset + limit
    payload = {
        "data": list(rows[offset:following]),
        "next_cursor": encode_cursor(following) if following < len(rows) else None,
    }
    return Answer(200, payload, ("data",), _first(rows), offset // limit + 1)


def encode_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"after": offset}).encode()).decode()


def _decode_cursor(cursor: str) -> int | None:
    try:
        offset = json.loads(base64.urlsafe_b64decode(cursor))["after"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return offset if isinstance(offset, int) and offset >= 0 else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _first(rows: Sequence[Record]) -> Record | None:
    return rows[0] if rows else None
