"""The directory as rows for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from people.models import CustomField, Person
from people.plan import CUSTOM

if TYPE_CHECKING:
    from django.db.models import QuerySet

COLUMNS = (
    "work_email",
    "full_name",
    "preferred_name",
    "remote_id",
    "job_title",
    "seniority",
    "manager",
    "team",
    "country",
    "legal_entity",
    "worker_type",
    "employment_type",
    "contract_status",
    "status",
    "start_date",
    "end_date",
    "date_of_birth",
    "personal_email",
    "timezone",
    "sources",
)
_ORM = {
    "manager": "manager__work_email",
    "team": "team__name",
    "legal_entity": "legal_entity__name",
    "sources": "value_sources",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\x00")


def export_rows(
    people: QuerySet[Person], *, hidden: frozenset[str] = frozenset()
) -> Iterator[dict[str, Any]]:
    """One row a person, in the queryset's order. Dates are ISO text; nothing is ``""`` or null.

    Fields named in ``hidden`` are left out altogether.
    """
    names = [name for name in COLUMNS if name not in hidden]
    custom = custom_columns(hidden)
    columns = [_ORM.get(name, name) for name in names]
    for *values, made in people.values_list(*columns, "custom").iterator(chunk_size=2000):
        row = dict(zip(names, values, strict=True))
        for name in ("start_date", "end_date", "date_of_birth"):
            if row.get(name) is not None:
                row[name] = row[name].isoformat()
        for name in ("manager", "team", "legal_entity"):
            if name in row:
                row[name] = row[name] or ""
        row["sources"] = {
            name: source for name, source in row["sources"].items() if name not in hidden
        }
        row.update({name: made.get(name.removeprefix(CUSTOM)) for name in custom})
        yield row


def custom_columns(hidden: frozenset[str] = frozenset()) -> list[str]:
    """A column ``custom.KEY`` for each custom field in use."""
    keys = CustomField.objects.filter(enabled=True).order_by("key").values_list("key", flat=True)
    return [CUSTOM + key for key in keys if CUSTOM + key not in hidden]


def jsonl_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Each row as one line of JSON."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, sort_keys=False) + "\n"


def csv_lines(
    rows: Iterable[dict[str, Any]], *, hidden: frozenset[str] = frozenset()
) -> Iterator[str]:
    """The columns of a person that may be seen, own fields last; see :func:`table_lines`."""
    names = [name for name in COLUMNS if name not in hidden] + custom_columns(hidden)
    yield from table_lines(names, rows)


def table_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A head line, then each row; cells that a spreadsheet would run as a formula are disarmed."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([csv_cell(row[name]) for name in columns])


def csv_cell(value: Any) -> str:
    """One cell. https://owasp.org/www-community/attacks/CSV_Injection"""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
