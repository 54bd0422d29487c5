"""Two people who are one, and one who is two: decided by hand, kept by later syncs.

A record at a source stays with the person it was given to, because reconciliation asks the stored
link before any address.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core import serializers
from django.db import transaction

from people.choices import ContractStatus
from people.folding import email_key
from people.loading import directory_lock
from people.matching import email_problem
from people.models import (
    FieldOverride,
    LifecycleEvent,
    Person,
    PersonAlias,
    PersonChange,
    PersonMerge,
    SourceRecord,
)
from people.moving import Moved, rows_give_back, rows_move
from people.services import people_resolve_all
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from people.services import Actor


class MergeError(ValueError):
    """It cannot be done so; the message says why and what to do first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePreview:
    """What merging would do. ``refusals`` forbid it, ``doubts`` must be confirmed."""

    moved: tuple[Moved, ...]
    refusals: tuple[str, ...]
    doubts: tuple[str, ...]


def merge_preview(kept: Person, absorbed: Person) -> MergePreview:
    """Try it and take it back: what is shown is what would happen."""
    if kept.pk == absorbed.pk:
        return MergePreview(moved=(), refusals=("That is the same person.",), doubts=())
    with transaction.atomic():
        directory_lock()
        moved = tuple(rows_move(absorbed, kept))
        transaction.set_rollback(True)
    refusals = tuple(
        f"Both have {one.words} that cannot be joined: {', '.join(one.refused)}. "
        "Close or revoke one of them first."
        for one in moved
        if one.refused
    )
    return MergePreview(moved=moved, refusals=refusals, doubts=_doubts(kept, absorbed))


def _doubts(kept: Person, absorbed: Person) -> tuple[str, ...]:
    found = []
    sources = _live_sources(kept) & _live_sources(absorbed)
    if sources:
        found.append(
            "Both have a live employment at the same source. Merged, the person leaves only with "
            "the last of them."
        )
    born = {kept.date_of_birth, absorbed.date_of_birth} - {None}
    if len(born) > 1:
        found.append("Their dates of birth differ: they may be two human beings.")
    return tuple(found)


def _live_sources(person: Person) -> set[str]:
    rows = SourceRecord.objects.filter(person=person, is_live=True, missing_since=None)
    return {
        source
        for source, values in rows.values_list("source", "values")
        if values.get("contract_status") == ContractStatus.ACTIVE
    }


def person_merge(
    kept: Person,
    absorbed: Person,
    *,
    reason: str,
    confirmed: bool = False,
    now: datetime,
    actor: Actor = None,
) -> PersonMerge:
    """Make one person of two: everything of ``absorbed`` becomes ``kept``'s.

    Values by hand of ``kept`` win. Raises :class:`MergeError` without a reason, for what cannot be
    joined, and for a doubt that was not ``confirmed``. All or nothing.
    """
    why = _reason(reason)
    with transaction.atomic():
        directory_lock()
        locked = Person.objects.select_for_update().in_bulk([kept.pk, absorbed.pk])
        if len(locked) != 2:
            raise MergeError("One of the two is not there any more, or both are the same person.")
        kept, absorbed = locked[kept.pk], locked[absorbed.pk]
        doubts = _doubts(kept, absorbed)
        if doubts and not confirmed:
            raise MergeError(f"{' '.join(doubts)} Confirm it if they are one.")
        stored = _stored(absorbed)
        moved = rows_move(absorbed, kept)
        refused = [name for one in moved for name in one.refused]
        if refused:
            raise MergeError(f"These cannot be joined: {', '.join(refused)}. Close one of them.")
        _overrides_join(kept, absorbed)
        email, name = absorbed.work_email, str(absorbed)
        absorbed.delete()
        PersonAlias.objects.get_or_create(email=email, defaults={"person": kept, "since": now})
        merge = PersonMerge.objects.create(
            kept=kept,
            absorbed_name=name,
            absorbed_email=email,
            absorbed=stored,
            moved={one.label: list(one.keys) for one in moved},
            reason=why,
            done_by_id=_user_id(actor),
            done_at=now,
        )
        _settle("person.merged", kept, now=now, actor=actor,
                detail={"with": email, "reason": why})  # fmt: skip
    return merge


def person_unmerge(
    merge: PersonMerge, *, reason: str, now: datetime, actor: Actor = None
) -> Person:
    """Take a merge back: the absorbed person returns with what was moved and not moved on since.

    Raises :class:`MergeError` when it was taken back already or the address is somebody else's now.
    """
    why = _reason(reason)
    with transaction.atomic():
        directory_lock()
        if not PersonMerge.objects.filter(pk=merge.pk, undone_at=None).update(undone_at=now):
            raise MergeError("This merge was taken back already.")
        email = merge.absorbed_email
        if Person.objects.filter(work_email=email).exists():
            raise MergeError(f"{email} is somebody's present address. Change it there first.")
        PersonAlias.objects.filter(email=email, person=merge.kept).delete()
        back = _bring_back(merge)
        rows_give_back(merge.moved, source=merge.kept, target=back)
        _settle("person.split", merge.kept, now=now, actor=actor,
                detail={"from": email, "undo": merge.pk, "reason": why})  # fmt: skip
    back.refresh_from_db()
    return back


def person_split(
    person: Person,
    *,
    records: Collection[int],
    work_email: str,
    reason: str,
    now: datetime,
    actor: Actor = None,
) -> Person:
    """Make a person of their own from some of the records (primary keys) of ``person``.

    ``work_email`` is the new person's and may be a former address of ``person``. Nothing of the
    past starts for them. Raises :class:`MergeError` for a split that leaves one side empty and for
    an address that is somebody's.
    """
    why = _reason(reason)
    email = email_key(work_email)
    if email_problem(email):
        raise MergeError("Give the new person a work email of their own.")
    with transaction.atomic():
        directory_lock()
        own = SourceRecord.objects.filter(person=person)
        going = own.filter(pk__in=list(records))
        if not going.exists() or not own.exclude(pk__in=list(records)).exists():
            raise MergeError("Choose some of the records, not none and not all.")
        taken = Person.objects.filter(work_email=email).exists()
        foreign = PersonAlias.objects.filter(email=email).exclude(person=person).exists()
        if taken or foreign:
            raise MergeError(f"{email} is the address of somebody. Give another one.")
        PersonAlias.objects.filter(email=email, person=person).delete()
        new = Person.objects.create(
            work_email=email, baseline_at=now, created_at=now, updated_at=now
        )
        going.update(person=new)
        _settle("person.split", person, now=now, actor=actor,
                detail={"into": email, "reason": why})  # fmt: skip
        LifecycleEvent.objects.filter(person=new).update(baseline=True)
    new.refresh_from_db()
    return new


def _reason(text: str) -> str:
    reason = text.strip()[:300]
    if not reason:
        raise MergeError("Say why: the reason stands in the activity log.")
    return reason


def _user_id(actor: Actor) -> Any:
    return actor.pk if actor is not None and actor.is_authenticated else None


def _settle(
    action: str, person: Person, *, now: datetime, actor: Actor, detail: dict[str, Any]
) -> None:
    """Write down who did it, and let the sources speak for everybody concerned."""
    correlation = f"{action}:{person.pk}:{now.isoformat()}"[:64]
    record(
        action,
        actor=actor,
        object_type="person",
        object_key=person.work_email,
        object_label=str(person),
        detail=detail,
        correlation=correlation,
    )
    people_resolve_all(now=now, correlation=correlation)


def _stored(person: Person) -> dict[str, Any]:
    """The row with its changes and values by hand, as JSON."""
    rows = [person, *person.overrides.all(), *person.changes.order_by("pk")]
    kept: list[Any] = json.loads(serializers.serialize("json", rows))
    return {"rows": kept}


def _overrides_join(kept: Person, absorbed: Person) -> None:
    taken = set(kept.overrides.values_list("field", flat=True))
    FieldOverride.objects.filter(person=absorbed).exclude(field__in=taken).update(person=kept)


def _bring_back(merge: PersonMerge) -> Person:
    """The person under the same primary key, with values by hand and changes."""
    found: Person | None = None
    for row in serializers.deserialize("json", json.dumps(merge.absorbed["rows"])):
        known: Any = row.object
        if isinstance(known, Person):
            # A manager who has gone meanwhile is left out; the sources name the present one.
            boss = known.manager_id
            if boss is not None and not Person.objects.filter(pk=boss).exists():
                known.manager_id = None
            known.save(force_insert=True)
            found = known
        elif isinstance(known, FieldOverride):
            FieldOverride.objects.filter(pk=known.pk).delete()
            known.save(force_insert=True)
        elif isinstance(known, PersonChange):
            known.save(force_insert=True)
    if found is None:
        raise MergeError("What was kept of this merge cannot be read.")
    return found
