"""One line of time for a person: what changed, and what was done, the newest first.

Rooms above add their own rows (runs, say) by :func:`timeline_extend`; this one knows changes and
the activity log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from people.fields_registry import DirectoryField, directory_fields
from people.models import PersonChange
from people.sources import source_names, source_words
from siit_remote.audit.actions import ACTIONS
from siit_remote.audit.models import AuditEntry

if TYPE_CHECKING:
    from people.models import Person

SIZE = 25
"""Rows on a page."""
MOST_PAGES = 200
"""Older rows than that are found in the site admin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One row. ``kind`` is what the page can be narrowed down to."""

    at: datetime
    kind: str
    title: str
    who: str = ""
    before: str = ""
    after: str = ""
    note: str = ""
    url: str = ""
    icon: str = "history"
    chip: tuple[str, str] | None = None
    """A state and its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of row and where its newest rows come from.

    ``rows`` gets the person, the account that looks, and how many rows are needed; it answers
    nothing where the account may not see them.
    """

    key: str
    label: str
    rows: Callable[[Person, Any, int], Sequence[Moment]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows of the line and whether there are newer and older ones."""

    rows: tuple[Moment, ...]
    number: int
    has_next: bool
    kinds: tuple[Kind, ...]
    kind: str

    @property
    def has_previous(self) -> bool:
        """Whether newer rows stand on a page before."""
        return self.number > 1


_KINDS: list[Kind] = []


def timeline_extend(kind: Kind) -> None:
    """Add a kind of row; called once, at start-up."""
    if all(known.key != kind.key for known in _KINDS):
        _KINDS.append(kind)


def timeline_page(
    person: Person, *, user: Any, hidden: Collection[str], kind: str = "", number: int = 1
) -> Page:
    """Page ``number`` (from 1) of the person's line, of one ``kind`` or of all.

    Rows about ``hidden`` fields do not exist for the account.
    """
    kinds = (
        Kind(
            key="changes",
            label="Changes",
            rows=lambda person, user, most: _changes(person, hidden, most),
        ),
        Kind(key="activity", label="Activity", rows=_activity),
        *_KINDS,
    )
    chosen = next((one.key for one in kinds if one.key == kind), "")
    number = min(max(number, 1), MOST_PAGES)
    needed = number * SIZE + 1
    found: list[Moment] = []
    for one in kinds:
        if not chosen or one.key == chosen:
            found += one.rows(person, user, needed)
    found.sort(key=lambda row: row.at, reverse=True)
    start = (number - 1) * SIZE
    return Page(
        rows=tuple(found[start : start + SIZE]),
        number=number,
        has_next=len(found) > start + SIZE and number < MOST_PAGES,
        kinds=kinds,
        kind=chosen,
    )


def _changes(person: Person, hidden: Collection[str], most: int) -> list[Moment]:
    rows = list(person.changes.exclude(field__in=hidden)[:most])
    fields = {field.key: field for field in directory_fields()}
    names = source_names()
    actors = _actors({row.correlation for row in rows})
    return [
        Moment(
            at=row.at,
            kind="changes",
            title=fields[row.field].label if row.field in fields else _plain(row.field),
            who=_who(row, names, actors),
            before=_words(fields.get(row.field), row.before),
            after=_words(fields.get(row.field), row.after),
            icon="pencil",
        )
        for row in rows
    ]


def _who(row: PersonChange, names: dict[str, str], actors: dict[str, str]) -> str:
    source = source_words(row.source, names)
    actor = actors.get(row.correlation, "")
    return f"{source} · {actor}" if actor else source


def _actors(correlations: set[str]) -> dict[str, str]:
    """Who asked for what happened under each word; schedules ask for most."""
    rows = AuditEntry.objects.filter(correlation__in=correlations - {""}).exclude(actor=None)
    return dict(rows.order_by("pk").values_list("correlation", "actor_label"))


def _activity(person: Person, user: Any, most: int) -> list[Moment]:
    if not user.has_perm("audit.view_auditentry"):
        return []
    keys = [person.work_email, *person.aliases.values_list("email", flat=True)]
    rows = AuditEntry.objects.filter(object_type="person", object_key__in=keys)[:most]
    labels = {field.key: field.label for field in directory_fields()}
    return [
        Moment(
            at=row.at,
            kind="activity",
            title=_action_words(row, labels),
            who=row.actor_label,
            note=str(row.detail.get("reason", "")),
            icon="user-cog",
        )
        for row in rows
    ]


def _action_words(row: AuditEntry, labels: dict[str, str]) -> str:
    words = ACTIONS.get(row.action, row.action)
    if row.action == "person.protected" and not row.detail.get("protected"):
        words = "Ended the protection from automation"
    field = row.detail.get("field")
    return f"{words}: {labels.get(field, _plain(field))}" if field else words


def _words(field: DirectoryField | None, value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    return field.words(value) if field is not None else str(value)


def _plain(name: str) -> str:
    return name.replace("_", " ").removeprefix("custom.").capitalize()
