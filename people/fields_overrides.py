"""Values set by hand: who set them, when and why, and what the sources say beneath."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from people.fields_registry import DirectoryField, directory_fields
from people.fields_stats import said_of
from people.models import EmploymentType, FieldOverride, Person
from people.sources import source_names, source_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One value set by hand, in words."""

    field: DirectoryField
    words: str
    reason: str
    set_by: str
    set_at: datetime
    beneath: tuple[tuple[str, str], ...]
    """What each source says: (source, value)."""


def overrides_of(person: Person, *, hidden: Collection[str]) -> list[Override]:
    """What was set by hand of this person, without ``hidden`` fields, in the fields' order."""
    rows = {row.field: row for row in person.overrides.select_related("set_by")}
    if not rows:
        return []
    names = source_names()
    found = []
    for known in directory_fields():
        row = rows.get(known.key)
        if row is not None and known.key not in hidden:
            found.append(_override(person, known, row, names))
    return found


def _override(
    person: Person, known: DirectoryField, row: FieldOverride, names: Mapping[str, str]
) -> Override:
    author: Any = row.set_by
    return Override(
        field=known,
        words=value_words(known, row.value),
        reason=row.reason,
        set_by=(author.get_full_name() or author.get_username()) if author else "A command",
        set_at=row.set_at,
        beneath=sources_say(person, known, names=names),
    )


def sources_say(
    person: Person, known: DirectoryField, *, names: Mapping[str, str] | None = None
) -> tuple[tuple[str, str], ...]:
    """What each source says of the field, in words: (source, value)."""
    names = source_names() if names is None else names
    return tuple(
        (source_words(source, names), value_words(known, value))
        for source, value in said_of(person, known)
    )


def value_words(known: DirectoryField, value: Any) -> str:
    """The value in words; an employment type by its name, a manager by name where known."""
    if value in (None, ""):
        return "Explicitly nothing"
    if known.kind == "employment_type":
        kind = EmploymentType.objects.filter(key=value).first()
        return kind.name if kind is not None else str(value)
    if known.kind == "person":
        named = Person.objects.filter(work_email=str(value).lower()).first()
        return str(named) if named is not None else str(value)
    return known.words(value)
