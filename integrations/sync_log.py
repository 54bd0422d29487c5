"""One sync in words: whom it brought, changed, ended and left out, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.models import SyncRun
from people.models import Person, PersonChange
from people.profile import GROUPS

_LABELS = {name: label for _, fields in GROUPS for name, label in fields}
_QUIET = frozenset({"search_text"})
CHANGED_SHOWN = 100
"""People whose changes are listed on the page of one sync."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One field before and after."""

    label: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPerson:
    """Somebody whom a sync changed, with what."""

    person: Person
    changes: tuple[Changed, ...]


def changed_people(run: SyncRun, *, hidden: Collection[str]) -> list[ChangedPerson]:
    """People changed by ``run`` with every change but those of ``hidden`` fields."""
    rows = (
        PersonChange.objects.filter(correlation=f"sync:{run.pk}")
        .exclude(field__in=[*hidden, *_QUIET])
        .select_related("person")
        .order_by("person__full_name", "person_id", "pk")
    )
    found: dict[int, tuple[Person, list[Changed]]] = {}
    for row in rows.iterator(chunk_size=500):
        if row.person_id not in found and len(found) == CHANGED_SHOWN:
            break
        _, changes = found.setdefault(row.person_id, (row.person, []))
        changes.append(
            Changed(label=_label(row.field), before=_words(row.before), after=_words(row.after))
        )
    return [
        ChangedPerson(person=person, changes=tuple(changes)) for person, changes in found.values()
    ]


def _label(field: str) -> str:
    return _LABELS.get(field, field.removeprefix("custom.").replace("_", " ").capitalize())


def _words(value: Any) -> Any:
    return "" if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody a sync names, and the person behind it where there is one."""

    name: str
    work_email: str
    person_id: int | None


def named_people(rows: Iterable[Mapping[str, Any]]) -> list[Named]:
    """Names as a sync keeps them, each with its person."""
    listed = list(rows)
    emails = [row["work_email"] for row in listed if row.get("work_email")]
    known = dict(Person.objects.filter(work_email__in=emails).values_list("work_email", "pk"))
    return [
        Named(
            name=row.get("name") or row.get("work_email", ""),
            work_email=row.get("work_email", ""),
            person_id=known.get(row.get("work_email", "")),
        )
        for row in listed
    ]
