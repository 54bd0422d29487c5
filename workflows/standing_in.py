"""Who decides in somebody's place, and who is away. Days are those of the approver's zone."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib import clock
from workflows.models import Absence, Delegation
from workflows.timing import zone_of

_LONGEST_CHAIN = 20


class StandingInRefusedError(Exception):
    """The delegation or absence was not written; the message says why, in words."""


def today_of(person: Person, now: datetime) -> date:
    """The person's own date."""
    return clock.today_in(zone_of(person.timezone), now)


def _covers(row: Delegation | Absence, day: date) -> bool:
    return row.starts_on <= day and (row.ends_on is None or row.ends_on >= day)


def away_among(people: Iterable[Person], now: datetime) -> set[int]:
    """Primary keys of those who are away today."""
    known = {person.pk: person for person in people}
    rows = Absence.objects.filter(person_id__in=known, ended_at__isnull=True)
    return {row.person_id for row in rows if _covers(row, today_of(known[row.person_id], now))}


def _holding(rows: QuerySet[Delegation], now: datetime) -> list[Delegation]:
    """Those that hold now."""
    found = [
        row
        for row in rows.filter(ended_at__isnull=True).select_related("approver", "delegate")
        if _covers(row, today_of(row.approver, now))
    ]
    wanted = [row.approver for row in found if row.kind == Delegation.Kind.WHILE_AWAY]
    away = away_among(wanted, now) if wanted else set()
    return [
        row for row in found if row.kind != Delegation.Kind.WHILE_AWAY or row.approver_id in away
    ]


def delegations_of(approvers: Collection[int], now: datetime) -> list[Delegation]:
    """Delegations that hold now, of these approvers, to people who are still here."""
    rows = _holding(Delegation.objects.filter(approver_id__in=approvers), now)
    return [row for row in rows if row.delegate.is_current]


def stands_in_for(person: Person, now: datetime) -> set[int]:
    """Primary keys of the approvers in whose place ``person`` may decide now."""
    rows = _holding(Delegation.objects.filter(delegate=person), now)
    return {row.approver_id for row in rows if row.approver.is_current}


def delegation_make(
    *,
    approver: Person,
    delegate: Person,
    kind: str,
    starts_on: date,
    ends_on: date | None,
    now: datetime,
    actor: Any,
) -> Delegation:
    """Let ``delegate`` decide too. Never for days that have passed, never in a circle.

    Raises :class:`StandingInRefusedError`.
    """
    dated = kind == Delegation.Kind.DATES
    _judge(approver, delegate, starts_on, ends_on if dated else None, now=now)
    if dated and ends_on is None:
        raise StandingInRefusedError("Name the last day, or choose “until it is ended”.")
    label = actor.get_username() if actor is not None else "system"
    with transaction.atomic():
        # Whoever delegates at the same time stands in line: two halves make a circle.
        list(Person.objects.select_for_update().filter(pk__in=[approver.pk, delegate.pk]))
        _refuse_circle(approver, delegate, starts_on, ends_on if dated else None)
        row = Delegation.objects.create(
            approver=approver,
            delegate=delegate,
            kind=kind,
            starts_on=starts_on,
            ends_on=ends_on if dated else None,
            created_at=now,
            made_by_label=label,
        )
        _audit("delegation.made", row, actor)
    return row


def _judge(
    approver: Person, delegate: Person, starts_on: date, ends_on: date | None, *, now: datetime
) -> None:
    if approver.pk == delegate.pk:
        raise StandingInRefusedError("Nobody stands in for themselves; name somebody else.")
    for person in (approver, delegate):
        if not person.is_current:
            raise StandingInRefusedError(f"{person} has left.")
    if starts_on < today_of(approver, now):
        raise StandingInRefusedError("A delegation begins today or later, never in the past.")
    if ends_on is not None and ends_on < starts_on:
        raise StandingInRefusedError("The last day lies before the first.")


def _refuse_circle(
    approver: Person, delegate: Person, starts_on: date, ends_on: date | None
) -> None:
    """Follow who stands in for the delegate on these days; it must not lead back."""
    overlapping = Q(ended_at__isnull=True) & (Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on))
    if ends_on is not None:
        overlapping &= Q(starts_on__lte=ends_on)
    names, level = [str(delegate)], {delegate.pk}
    for _ in range(_LONGEST_CHAIN):
        rows = list(
            Delegation.objects.filter(overlapping, approver_id__in=level).select_related("delegate")
        )
        if any(row.delegate_id == approver.pk for row in rows):
            raise StandingInRefusedError(
                f"That would go in a circle: {approver} → {' → '.join(names)} → {approver}. "
                "End the other delegation first."
            )
        if not rows:
            return
        level = {row.delegate_id for row in rows}
        names.append(", ".join(str(row.delegate) for row in rows))
    raise StandingInRefusedError("Too many people stand in for one another already.")


def delegation_end(row: Delegation, *, now: datetime, actor: Any) -> None:
    """From now on the delegate decides nothing more; what was decided stays.

    Raises :class:`StandingInRefusedError` when it has ended already.
    """
    with transaction.atomic():
        if not Delegation.objects.filter(pk=row.pk, ended_at__isnull=True).update(ended_at=now):
            raise StandingInRefusedError("This delegation has ended already.")
        _audit("delegation.ended", row, actor)


def absence_set(
    person: Person, *, starts_on: date, ends_on: date | None, now: datetime, actor: Any
) -> Absence:
    """Say that somebody is away. Raises :class:`StandingInRefusedError`."""
    if starts_on < today_of(person, now):
        raise StandingInRefusedError("Begin today or later; what was decided stays as it is.")
    if ends_on is not None and ends_on < starts_on:
        raise StandingInRefusedError("The last day lies before the first.")
    label = actor.get_username() if actor is not None else "system"
    with transaction.atomic():
        row = Absence.objects.create(
            person=person,
            starts_on=starts_on,
            ends_on=ends_on,
            created_at=now,
            made_by_label=label,
        )
        _audit_absence("absence.set", row, actor)
    return row


def absence_end(row: Absence, *, now: datetime, actor: Any) -> None:
    """The person is back. Raises :class:`StandingInRefusedError` when they were already."""
    with transaction.atomic():
        if not Absence.objects.filter(pk=row.pk, ended_at__isnull=True).update(ended_at=now):
            raise StandingInRefusedError("This absence has ended already.")
        _audit_absence("absence.ended", row, actor)


def _audit(action: str, row: Delegation, actor: Any) -> None:
    record(
        action,
        actor=actor,
        object_type="delegation",
        object_key=str(row.pk),
        object_label=f"{row.approver} → {row.delegate}",
        detail={
            "kind": row.kind,
            "starts_on": row.starts_on.isoformat(),
            "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        },
    )


def _audit_absence(action: str, row: Absence, actor: Any) -> None:
    record(
        action,
        actor=actor,
        object_type="absence",
        object_key=str(row.pk),
        object_label=str(row.person),
    )
