"""The pass between two syncs: statuses follow the dates, by the date in each person's own zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from people.applying import chunks, event_for
from people.choices import PersonStatus
from people.loading import policy_load
from people.models import LifecycleEvent, Person, PersonChange
from people.plan import FieldChange, KnownPerson
from people.reconcile import status_now
from people.services import ENGINE
from siit_remote.lib.bell import ring


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
