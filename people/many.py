"""The same thing for many people at once: one transaction, one reason, one entry per person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from people.applying import chunks
from people.loading import directory_lock
from people.models import FieldOverride, Person
from people.overriding import OverrideError, override_clean
from people.services import people_resolve
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from people.services import Actor

_REASON = 300


def _reason(text: str) -> str:
    reason = text.strip()[:_REASON]
    if not reason:
        raise OverrideError("Say why: the reason stands in the activity log.")
    return reason


def _note(
    action: str, person: Person, *, actor: Actor, correlation: str, detail: dict[str, Any]
) -> None:
    record(
        action,
        actor=actor,
        object_type="person",
        object_key=person.work_email,
        object_label=str(person),
        detail=detail,
        correlation=correlation,
    )


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
                _note(
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
        rows = [
            FieldOverride(
                person=person,
                field=field,
                value=clean[person.pk],
                reason=why,
                set_by_id=user,
                set_at=now,
            )
            for person in people
        ]
        for part in chunks(rows):
            FieldOverride.objects.bulk_create(
                part,
                update_conflicts=True,
                unique_fields=["person", "field"],
                update_fields=["value", "reason", "set_by", "set_at"],
            )
        for person in people:
            _note(
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
    return len(rows)
