"""Remote's custom fields: what is defined, and the values of one employment after another.

Values cost a request for each person, so they are never part of a refresh. Read in the background
they leave half of the company's shared limit to everything else.
https://developer.remote.com/reference/get_index_custom_field
https://developer.remote.com/reference/get_index_employment_custom_field_value
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from integrations.connectors.remote.answers import NotFoundError
from integrations.connectors.remote.paging import NumberedPage, by_id, numbered_rows, read_numbered
from integrations.connectors.remote.payloads import Fields, Findings
from people.records import CustomDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from integrations.connectors.remote.session import RemoteSession

RESERVE = 0.5
"""Share of the window that is left to others."""
_TYPES = {
    "integer": "number",
    "decimal": "number",
    "percentage": "number",
    "currency": "number",
    "date": "date",
    "boolean": "boolean",
    "single_select": "choice",
}


def read_definitions(session: RemoteSession) -> tuple[CustomDefinition, ...]:
    """Every field that the company defined; one without id or name is left out."""
    rows = numbered_rows(
        session,
        "/v1/custom-fields",
        collection="custom_fields",
        what="custom fields",
        scope="custom_field:read",
        read=_bare(read_numbered("custom_fields")),
    )
    found = (_definition(row) for row in rows)
    return tuple(one for one in found if one.external_id and one.label)


def _bare(read: Callable[[Any], NumberedPage]) -> Callable[[Any], NumberedPage]:
    """The list has been seen without the documented ``data`` around it."""

    def either(body: Any) -> NumberedPage:
        wrapped = not isinstance(body, dict) or "data" in body
        return read(body if wrapped else {"data": body})

    return either


def _definition(row: Any) -> CustomDefinition:
    fields = Fields(row, Findings())
    kind = _TYPES.get(fields.word("type"), "text")
    options = _options(fields.nested("metadata").raw("options")) if kind == "choice" else ()
    return CustomDefinition(
        external_id=fields.identifier("id"),
        label=fields.text("name")[:200],
        # A choice without options is a text that nobody can check.
        type="text" if kind == "choice" and not options else kind,
        options=options,
    )


def _options(raw: Any) -> tuple[str, ...]:
    rows = raw if isinstance(raw, list) else []
    labels = (
        str(row.get("label") or row.get("value") or "").strip()
        if isinstance(row, dict)
        else str(row).strip()
        for row in rows
    )
    return tuple(dict.fromkeys(label for label in labels if label))


def read_values(
    session: RemoteSession, external_ids: Iterable[str], *, seconds_left: Callable[[], float]
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """(employment, field id → plain value) until all are read or no time is left."""
    for external_id in external_ids:
        if seconds_left() <= 0:
            return
        try:
            rows = numbered_rows(
                session,
                f"/v1/employments/{quote(external_id, safe='')}/custom-fields",
                collection="custom_field_values",
                what="custom values of one employment",
                scope="custom_field_value:read",
                identity=_by_field,
            )
        except NotFoundError:
            yield external_id, None
            continue
        yield (
            external_id,
            {
                str(row["custom_field_id"]): plain_value(row.get("value"))
                for row in rows
                if isinstance(row, dict) and isinstance(row.get("custom_field_id"), str)
            },
        )


def _by_field(row: Any) -> Hashable:
    found = row.get("custom_field_id") if isinstance(row, dict) else None
    return found if isinstance(found, str) and found else by_id(row)


def plain_value(value: Any) -> Any:
    """A text, number or boolean; a chosen option as its label; ``None`` for anything else."""
    if isinstance(value, dict):
        value = value.get("selected_option_label") or value.get("selected_option")
    return value if isinstance(value, str | int | float | bool) else None
