"""Values set by hand: set, checked and taken back. Each is one transaction and leaves its trace."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from people.choices import WorkerType
from people.fields_registry import directory_field
from people.fields_values import UnfitValueError, value_of_kind
from people.loading import directory_lock
from people.models import EmploymentType, FieldOverride, Person
from people.plan import CUSTOM, DATES, OVERRIDABLE, TEXTS
from people.services import people_resolve, person_audit
from people.zones import is_zone, zones_of

if TYPE_CHECKING:
    from people.services import Actor

_LONGEST = {"timezone": 64, "language": 10, "employment_type": 60, **TEXTS}


class OverrideError(ValueError):
    """The value cannot be set by hand; the message says why, in words for the admin."""


def person_override_set(
    person: Person,
    *,
    field: str,
    value: Any,
    reason: str,
    now: datetime,
    actor: Actor = None,
) -> None:
    """Set a value by hand; it wins over every source until it is removed.

    ``value`` is a date, a text, or ``None`` for “explicitly nothing”; a manager is given by work
    e-mail. Raises :class:`OverrideError` for a field or value that cannot be.
    """
    if not reason.strip():
        raise OverrideError("Say why: the reason is shown beside the value.")
    clean = override_clean(person, field, value)
    with transaction.atomic():
        directory_lock()
        FieldOverride.objects.update_or_create(
            person=person,
            field=field,
            defaults={
                "value": clean,
                "reason": reason.strip()[:300],
                "set_by_id": actor.pk if actor is not None and actor.is_authenticated else None,
                "set_at": now,
            },
        )
        person_audit(
            "person.overridden",
            person,
            actor=actor,
            detail={"field": field, "reason": reason.strip()[:300]},
        )
        people_resolve(
            [person],
            now=now,
            correlation=f"override:{person.pk}:{now.isoformat()}"[:64],
            managers=[clean] if field == "manager" and clean else [],
        )


def person_override_remove(
    person: Person, *, field: str, now: datetime, actor: Actor = None
) -> bool:
    """Let the sources speak again. False when nothing was set by hand."""
    with transaction.atomic():
        directory_lock()
        removed, _ = FieldOverride.objects.filter(person=person, field=field).delete()
        if not removed:
            return False
        person_audit("person.override_removed", person, actor=actor, detail={"field": field})
        correlation = f"override:{person.pk}:{now.isoformat()}"[:64]
        people_resolve([person], now=now, correlation=correlation)
        if field == "manager":
            # Whom the sources name is known only now; those above them may stand in a circle.
            people_resolve([person], now=now, correlation=correlation)
    return True


def override_clean(person: Person, field: str, value: Any) -> Any:
    """The JSON value to store for ``value``. Raises :class:`OverrideError` when it cannot be."""
    if field not in OVERRIDABLE and not (field.startswith(CUSTOM) and len(field) > len(CUSTOM)):
        raise OverrideError(f"“{field}” cannot be set by hand.")
    if value is None or value == "":
        return None
    if field in DATES:
        try:
            return (value if isinstance(value, date) else date.fromisoformat(value)).isoformat()
        except (TypeError, ValueError) as error:
            raise OverrideError("Write the date as 2026-11-24.") from error
    if field.startswith(CUSTOM):
        return _custom_clean(field, value)
    text = str(value).strip()
    _override_check(person, field, text)
    return text.lower() if field in ("manager", "personal_email") else text


def _custom_clean(field: str, value: Any) -> Any:
    known = directory_field(field)
    if known is None:
        raise OverrideError(f"There is no custom field “{field.removeprefix(CUSTOM)}”.")
    try:
        return value_of_kind(known, value)
    except UnfitValueError as error:
        raise OverrideError(str(error)) from error


def _override_check(person: Person, field: str, text: str) -> None:
    if len(text) > _LONGEST.get(field, 254):
        raise OverrideError(f"Too long: at most {_LONGEST.get(field, 254)} characters.")
    if field == "manager":
        try:
            validate_email(text)
        except ValidationError as error:
            raise OverrideError("Name the manager by work email.") from error
        if text.lower() == person.work_email:
            raise OverrideError("Nobody is their own manager.")
        if not Person.objects.filter(work_email=text.lower()).exists():
            raise OverrideError("Nobody in the directory has that work email.")
    elif field == "personal_email":
        try:
            validate_email(text)
        except ValidationError as error:
            raise OverrideError("Write an email address, as ana@home.example.") from error
    elif field == "timezone" and not is_zone(text):
        raise OverrideError("Not an IANA time zone. Write it as Europe/Paris.")
    elif field == "country" and not zones_of(text):
        raise OverrideError("Not a country code of three letters.")
    elif field == "worker_type" and text not in WorkerType.values:
        raise OverrideError(f"One of {', '.join(WorkerType.values)}.")
    elif field == "employment_type" and not EmploymentType.objects.filter(key=text).exists():
        raise OverrideError("There is no employment type with that key.")
