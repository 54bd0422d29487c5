"""What can be done to the directory. Every service is one transaction and leaves its trace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from people.applying import ApplyResult, chunks, event_for, plan_apply
from people.choices import PersonStatus, WorkerType
from people.defaults import directory_defaults_ensure, workspace_get
from people.fields_registry import directory_field
from people.fields_values import UnfitValueError, value_of_kind
from people.loading import directory_load, directory_lock, directory_of, policy_load
from people.models import (
    EmploymentType,
    FieldOverride,
    LifecycleEvent,
    Person,
    PersonChange,
    Workspace,
)
from people.plan import DATES, OVERRIDABLE, TEXTS, FieldChange, KnownPerson
from people.reconcile import reconcile, status_now
from people.resolving import CUSTOM
from people.zones import is_zone, zones_of
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

__all__ = [
    "ENGINE",
    "OverrideError",
    "directory_defaults_ensure",
    "override_clean",
    "people_resolve",
    "people_resolve_all",
    "person_override_remove",
    "person_override_set",
    "person_protect_set",
    "plan_apply",
    "statuses_refresh",
    "workspace_get",
    "workspace_update",
]

ENGINE = "siit_remote.tasks.run_due"
"""The task that plans and carries out what is due."""
_LONGEST = {"timezone": 64, "language": 10, "employment_type": 60, **TEXTS}


class OverrideError(ValueError):
    """The value cannot be set by hand; the message says why, in words for the admin."""


def people_resolve_all(*, now: datetime, correlation: str) -> ApplyResult:
    """Resolve everybody again from what is stored: after a change of mapping or field policy.

    Starts whatever the changed values start, as a sync would. ``now`` is aware.
    """
    with transaction.atomic():
        directory_lock()
        plan = reconcile(
            (), directory=directory_load(), policy=policy_load(), now=now, everyone=True
        )
        result = plan_apply(plan, now=now, correlation=correlation)
        if result.changed_anything:
            ring(ENGINE)
    return result


_MOST_ALONE = 400
"""More people are not resolved by themselves: a query names each of them."""


def people_resolve(
    people: Sequence[Person],
    *,
    now: datetime,
    correlation: str,
    managers: Sequence[str] = (),
) -> ApplyResult:
    """Resolve these people, after something of theirs was set by hand, and whom that concerns.

    That is those who report to them (a manager may have left now) and those above them, who may be
    in a circle with them; ``managers`` are work e-mails of managers they are given.
    """
    concerned = {person.pk for person in people}
    if len(concerned) <= _MOST_ALONE:
        concerned |= _above(concerned, managers)
        below = Person.objects.filter(manager_id__in=[person.pk for person in people])
        concerned.update(below.values_list("pk", flat=True)[: _MOST_ALONE + 1])
    if len(concerned) > _MOST_ALONE:
        return people_resolve_all(now=now, correlation=correlation)
    with transaction.atomic():
        directory_lock()
        plan = reconcile(
            (),
            directory=directory_of(concerned),
            policy=policy_load(),
            now=now,
            everyone=True,
            only=concerned,
        )
        result = plan_apply(plan, now=now, correlation=correlation)
        if result.changed_anything:
            ring(ENGINE)
    return result


def _above(people: Collection[int], managers: Sequence[str]) -> set[int]:
    """Everybody above some people and above those whom they are given as managers."""
    given = Person.objects.filter(work_email__in=managers).values_list("pk", flat=True)
    found: set[int] = set(given)
    level = {*people, *found}
    while level:
        above = Person.objects.filter(pk__in=level).exclude(manager=None)
        level = set(above.values_list("manager_id", flat=True)) - found
        found |= level
    return found


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
        _audit(
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
        _audit("person.override_removed", person, actor=actor, detail={"field": field})
        correlation = f"override:{person.pk}:{now.isoformat()}"[:64]
        if field == "manager":
            # Whom the sources name is only known once it is resolved.
            people_resolve_all(now=now, correlation=correlation)
        else:
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
    return text.lower() if field == "manager" else text


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
    elif field == "timezone" and not is_zone(text):
        raise OverrideError("Not an IANA time zone. Write it as Europe/Paris.")
    elif field == "country" and not zones_of(text):
        raise OverrideError("Not a country code of three letters.")
    elif field == "worker_type" and text not in WorkerType.values:
        raise OverrideError(f"One of {', '.join(WorkerType.values)}.")
    elif field == "employment_type" and not EmploymentType.objects.filter(key=text).exists():
        raise OverrideError("There is no employment type with that key.")


def person_protect_set(
    person: Person, *, protected: bool, now: datetime, actor: Actor = None
) -> bool:
    """Forbid (or allow again) that automation takes anything from the person.

    False when it was so already.
    """
    with transaction.atomic():
        changed = Person.objects.filter(pk=person.pk, protected=not protected).update(
            protected=protected, updated_at=now
        )
        if changed:
            _audit("person.protected", person, actor=actor, detail={"protected": protected})
    return bool(changed)


def _audit(action: str, person: Person, *, actor: Actor, detail: dict[str, Any]) -> None:
    record(
        action,
        actor=actor,
        object_type="person",
        object_key=person.work_email,
        object_label=str(person),
        detail=detail,
    )


def statuses_refresh(*, now: datetime) -> int:
    """Let each person's status follow their dates, by the date in their own zone.

    The pass between two syncs: hired → active on the start date, → ended after the end date.
    Returns how many changed. Nobody without records (external) is looked at.
    """
    policy = policy_load()
    moves = _due_moves(now, policy)
    if not moves:
        return 0
    correlation = f"dates:{now.isoformat()}"[:64]
    moved: list[tuple[int, FieldChange]] = []
    with transaction.atomic():
        for person_id, before, after in moves:
            # Somebody may have changed the person meanwhile: then the next pass looks again.
            if Person.objects.filter(pk=person_id, status=before).update(
                status=after, updated_at=now
            ):
                change = FieldChange(field="status", before=before, after=after, source="dates")
                moved.append((person_id, change))
        _moves_record(moved, now=now, correlation=correlation)
        if moved:
            ring(ENGINE)
    return len(moved)


_DATED = ("pk", "status", "contract_status", "start_date", "end_date", "timezone", "problems")


def _due_moves(now: datetime, policy: Any) -> list[tuple[int, str, str]]:
    # Anywhere on earth the local date is at most a day ahead of UTC's.
    tomorrow = now.date() + timedelta(days=1)
    rows = (
        Person.objects.exclude(status__in=(PersonStatus.EXTERNAL, PersonStatus.ENDED))
        .filter(Q(status=PersonStatus.HIRED, start_date__lte=tomorrow) | Q(end_date__lte=tomorrow))
        .order_by("pk")
        .values_list(*_DATED, "legal_entity__name")
    )
    moves = []
    for pk, status, contract, start, end, zone, problems, entity in rows.iterator(chunk_size=2000):
        known = KnownPerson(
            id=pk,
            values={
                "contract_status": contract,
                "start_date": start,
                "end_date": end,
                "timezone": zone,
                "legal_entity": entity or "",
            },
            problems=tuple(problems),
        )
        after = status_now(known, policy=policy, now=now)
        if after != status:
            moves.append((pk, str(status), after))
    return moves


def _moves_record(
    moved: Sequence[tuple[int, FieldChange]], *, now: datetime, correlation: str
) -> None:
    for part in chunks(moved):
        PersonChange.objects.bulk_create(
            PersonChange(
                person_id=person_id,
                field=change.field,
                before=change.before,
                after=change.after,
                source=change.source,
                at=now,
                correlation=correlation,
            )
            for person_id, change in part
        )
        LifecycleEvent.objects.bulk_create(
            [
                event_for(person_id, change, at=now, correlation=correlation)
                for person_id, change in part
            ],
            ignore_conflicts=True,
        )


def workspace_update(workspace: Workspace, *, fields: Sequence[str], actor: Actor = None) -> None:
    """Save the named settings. Raises ``ValidationError`` for a time zone that is none."""
    if not is_zone(workspace.timezone):
        raise ValidationError({"timezone": "Not an IANA time zone. Write it as Europe/Paris."})
    with transaction.atomic():
        workspace.save(update_fields=list(fields))
        record(
            "settings.changed",
            actor=actor,
            object_type="workspace",
            object_key="1",
            object_label=workspace.name,
            detail={"fields": sorted(fields)},
        )
