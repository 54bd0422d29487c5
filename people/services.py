"""What can be done to the directory. Every service is one transaction and leaves its trace."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from people.applying import ApplyResult, plan_apply
from people.loading import directory_load, directory_lock, directory_of, policy_load
from people.models import Person, Workspace
from people.reconcile import reconcile
from people.zones import is_zone
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

ENGINE = "siit_remote.tasks.run_due"
"""The task that plans and carries out what is due."""


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
            person_audit("person.protected", person, actor=actor, detail={"protected": protected})
    return bool(changed)


def person_audit(
    action: str, person: Person, *, actor: Actor, detail: dict[str, Any], correlation: str = ""
) -> None:
    """Write down what was done to one person."""
    record(
        action,
        actor=actor,
        object_type="person",
        object_key=person.work_email,
        object_label=str(person),
        detail=detail,
        correlation=correlation,
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
