"""The same thing for many people at once: one transaction, one reason, one entry per person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from people.applying import chunks
from people.loading import directory_lock
from people.models import FieldOverride, Person
from people.overriding import OverrideError, override_clean
from people.services import people_resolve, person_audit

if TYPE_CHECKING:
    from people.services import Actor

_REASON = 300


def _reason(text: str) -> str:
    reason = text.strip()[:_REASON]
    if not reason:
        raise OverrideError("Say why: the reason stands in the activity log.")
    return reason


def people_protect(
    people: Iterable[Person], *, protected: bool, reason: str, now: datetime, actor: Actor = None
) -> int:
    """Forbid (or allow again) that automation takes anything from them.

    Returns how many it changed; who was so already is left alone. Raises :class:`OverrideError`
    without a reason.
    """
    why = _reason(reason)
    correlation = f"protect:{now.isoformat()}"[:64]
    changed = 0
    with transaction.atomic():
        for person in people:
            if Person.objects.filter(pk=person.pk, protected=not protected).update(
                protected=protected, updated_at=now
            ):
                changed += 1
                person_audit(
                    "person.protected",
                    person,
                    actor=actor,
                    correlation=correlation,
                    detail={"protected": protected, "reason": why},
                )
    return changed


def people_override(
    people: Sequence[Person],
    *,
    field: str,
    value: Any,
    reason: str,
    now: datetime,
    actor: Actor = None,
) -> int:
    """Set one value by hand for all of ``people``; they are resolved once, at the end.

    Raises :class:`OverrideError` for a value that cannot be, before anything is written.
    """
    why = _reason(reason)
    clean = {person.pk: override_clean(person, field, value) for person in people}
    correlation = f"override:{now.isoformat()}"[:64]
    user = actor.pk if actor is not None and actor.is_authenticated else None
    with transaction.atomic():
        directory_lock()
        _overrides_write(clean, field=field, reason=why, at=now, by=user)
        for person in people:
            person_audit(
                "person.overridden",
                person,
                actor=actor,
                correlation=correlation,
                detail={"field": field, "reason": why},
            )
        people_resolve(
            people,
            now=now,
            correlation=correlation,
            managers=[email for email in set(clean.values()) if email]
            if field == "manager"
            else [],
        )
    return len(clean)


def _overrides_write(
    values: Mapping[int, Any], *, field: str, reason: str, at: datetime, by: Any
) -> None:
    """One override per person; an earlier one of the same field is replaced."""
    rows = [
        FieldOverride(
            person_id=person, field=field, value=value, reason=reason, set_by_id=by, set_at=at
        )
        for person, value in values.items()
    ]
    for part in chunks(rows):
        FieldOverride.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["person", "field"],
            update_fields=["value", "reason", "set_by", "set_at"],
        )
