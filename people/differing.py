"""What differs between a person as stored and as resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from people.packing import opened
from people.plan import CUSTOM, FIELDS, FieldChange, KnownPerson, Ref
from people.resolved import Resolved

EmailOf = Callable[[Ref], str | None]


def changes_between(
    before: KnownPerson, found: Resolved, *, email_of: EmailOf
) -> tuple[FieldChange, ...]:
    """Every field whose value moves, in plain values; ``email_of`` names a manager."""
    changes = []
    values = opened(before.values)
    for name in FIELDS:
        old, new = values.get(name), found.values[name]
        if old == new:
            continue
        if name == "custom":
            changes += _custom_changes(old or {}, new, found)
            continue
        changes.append(
            FieldChange(
                field=name,
                before=_plain(name, old, email_of),
                after=_plain(name, new, email_of),
                source=found.sources.get(name, before.value_sources.get(name, "")),
                quiet=name in found.quiet,
            )
        )
    return tuple(changes)


def same_notes(before: KnownPerson, found: Resolved) -> bool:
    """Whether data problems, their sentences and the sources of values are as stored."""
    return (
        before.problems == found.problems
        and before.notes == found.notes
        and dict(before.value_sources) == found.sources
    )


def _plain(name: str, value: Any, email_of: EmailOf) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if name == "manager" and value is not None:
        return email_of(value)
    return value


def _custom_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], found: Resolved
) -> list[FieldChange]:
    return [
        FieldChange(
            field=CUSTOM + name,
            before=old.get(name),
            after=new.get(name),
            source=found.sources.get(CUSTOM + name, ""),
        )
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
