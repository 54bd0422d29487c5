"""Write a plan: people, changes, outbox and source records in one transaction, in bulk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from people.bulk import CHUNK, chunked, rows_insert, rows_upsert
from people.choices import EventKind
from people.folding import SEARCHED, search_text
from people.models import LifecycleEvent, Person, PersonAlias, PersonChange, SourceRecord
from people.organising import entities_of_people, teams_ensure
from people.plan import DATES, FIELDS, FieldChange, PersonPlan, Plan, RecordPlan, Ref

_PLAIN = tuple(name for name in FIELDS if name not in ("manager", "team", "legal_entity"))
_WRITTEN = (
    *FIELDS,
    "search_text",
    "value_sources",
    "known_at",
    "problems",
    "problem_notes",
    "updated_at",
)
_RECORD_WRITTEN = (
    "person_id",
    "values",
    "digest",
    "is_live",
    "is_primary",
    "skip_reason",
    "changed_at",
    "missing_since",
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What was written."""

    created: int = 0
    updated: int = 0
    ended: int = 0
    events: int = 0

    @property
    def changed_anything(self) -> bool:
        """Whether somebody came or changed, so that workflows have to look."""
        return bool(self.created or self.updated)


def plan_apply(plan: Plan, *, now: datetime, correlation: str) -> ApplyResult:
    """Write ``plan``, all or nothing. ``now`` is the aware moment of the pass.

    ``correlation`` ties together what one sync or one click changed; who did it stands in the
    audit log under the same word. Writes nothing for an empty plan.
    """
    if plan.is_empty:
        return ApplyResult()
    with transaction.atomic():
        writer = _Writer(plan, now=now, correlation=correlation)
        writer.emails_park()
        writer.people_create()
        writer.people_update()
        writer.aliases_write()
        writer.records_write()
        writer.changes_write()
        events = writer.events_write()
    return ApplyResult(
        created=len(plan.created),
        updated=len(plan.updated),
        ended=len(plan.ended),
        events=events,
    )


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """``items`` in slices of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def event_key(*parts: object) -> str:
    """SHA-256 over what happened: written twice, kept once."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()


def event_for(
    person_id: int, change: FieldChange, *, at: datetime, correlation: str, baseline: bool = False
) -> LifecycleEvent:
    """The outbox row of one changed field."""
    return LifecycleEvent(
        **_event_row(person_id, change, at=at, correlation=correlation, baseline=baseline)
    )


def _event_row(
    person_id: int, change: FieldChange, *, at: datetime, correlation: str, baseline: bool
) -> dict[str, Any]:
    kind = EventKind.PERSON_CHANGED.value
    values = json.dumps([change.before, change.after], sort_keys=True, default=str)
    return {
        "kind": kind,
        "person_id": person_id,
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "at": at,
        "baseline": baseline,
        "key": event_key(kind, person_id, change.field, values, correlation, at.isoformat()),
    }


class _Writer:
    """One application of one plan."""

    def __init__(self, plan: Plan, *, now: datetime, correlation: str) -> None:
        self.plan = plan
        self.now = now
        self.correlation = correlation
        self.ids: dict[Ref, int] = {
            person.ref: person.ref for person in plan.people if isinstance(person.ref, int)
        }
        self.teams = teams_ensure(person.values["team"] for person in plan.people)
        self.entities = entities_of_people(plan.people, plan.records)

    def _id(self, ref: Ref | None) -> int | None:
        return ref if isinstance(ref, int) else self.ids.get(ref) if ref is not None else None

    def emails_park(self) -> None:
        """Free addresses that pass from one person to another within this plan."""
        taken = {
            person.before.values["work_email"]: person.ref
            for person in self.plan.people
            if person.before is not None
            and person.before.values["work_email"] != person.values["work_email"]
        }
        wanted = {person.values["work_email"] for person in self.plan.people}
        for email in taken.keys() & wanted:
            parked = f"moving-{taken[email]}@invalid"
            Person.objects.filter(pk=taken[email]).update(work_email=parked)

    def _row(self, plan: PersonPlan) -> dict[str, Any]:
        """The columns that reconciliation owns, except those about time."""
        values = plan.values
        row = {name: values[name] for name in _PLAIN}
        row["team_id"] = self.teams.get(values["team"])
        row["legal_entity_id"] = self.entities.get(values["legal_entity"])
        row["manager_id"] = self._id(values["manager"])
        row["value_sources"] = plan.value_sources
        row["problems"] = list(plan.problems)
        row["problem_notes"] = list(plan.notes)
        row["search_text"] = search_text(values[name] for name in SEARCHED)
        row["updated_at"] = self.now
        return row

    def people_create(self) -> None:
        """Managers before their reports, level by level; circles are closed at the end."""
        waiting = list(self.plan.created)
        while waiting:
            new = {plan.ref for plan in waiting}
            level = [plan for plan in waiting if plan.values["manager"] not in new]
            for part in chunked(level or waiting):
                rows_insert(Person, map(self._new_row, part))
                emails = {plan.values["work_email"]: plan.ref for plan in part}
                found = Person.objects.filter(work_email__in=emails)
                for pk, email in found.values_list("pk", "work_email"):
                    self.ids[emails[email]] = pk
            if not level:
                self._close_circles(waiting)
                return
            done = {plan.ref for plan in level}
            waiting = [plan for plan in waiting if plan.ref not in done]

    def _new_row(self, plan: PersonPlan) -> dict[str, Any]:
        moment = self.now.isoformat()
        return {
            **self._row(plan),
            "created_at": self.now,
            "baseline_at": self.now if self.plan.baseline else None,
            "known_at": {name: moment for name in DATES if plan.values[name] is not None},
        }

    def _close_circles(self, waiting: Sequence[PersonPlan]) -> None:
        rows = Person.objects.in_bulk([self.ids[plan.ref] for plan in waiting])
        for plan in waiting:
            rows[self.ids[plan.ref]].manager_id = self._id(plan.values["manager"])
        Person.objects.bulk_update(rows.values(), ["manager"], batch_size=CHUNK)

    def people_update(self) -> None:
        """Write known people anew, only the columns that reconciliation owns."""
        known = [plan for plan in self.plan.people if plan.before is not None]
        for part in chunks(known):
            rows = Person.objects.in_bulk([self.ids[plan.ref] for plan in part])
            for plan in part:
                row = rows[self.ids[plan.ref]]
                for name, value in self._row(plan).items():
                    setattr(row, name, value)
                for change in plan.changes:
                    if change.field in DATES:
                        row.known_at[change.field] = self.now.isoformat()
                        if change.after is None:
                            del row.known_at[change.field]
            Person.objects.bulk_create(
                rows.values(),
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=_WRITTEN,
            )

    def aliases_write(self) -> None:
        """Remember former addresses; one that is current again is no longer former."""
        current = [
            plan.values["work_email"]
            for plan in self.plan.people
            if plan.before is not None
            and plan.before.values["work_email"] != plan.values["work_email"]
        ]
        if current:
            PersonAlias.objects.filter(email__in=current).delete()
        taken = {plan.values["work_email"] for plan in self.plan.people}
        PersonAlias.objects.bulk_create(
            [
                PersonAlias(person_id=self.ids[ref], email=email, since=self.now)
                for email, ref in self.plan.aliases
                if email not in taken
            ],
            ignore_conflicts=True,
        )

    def records_write(self) -> None:
        """Insert or replace source records; ``first_seen_at`` stays."""
        old = {
            (row.source, row.external_id): row.changed_at
            for part in chunks(
                [plan.record.external_id for plan in self.plan.records if not plan.content_changed]
            )
            for row in SourceRecord.objects.filter(external_id__in=part).only(
                "source", "external_id", "changed_at"
            )
        }
        rows_upsert(
            SourceRecord,
            (self._record(plan, old) for plan in self.plan.records),
            unique=("source", "external_id"),
            update=_RECORD_WRITTEN,
        )

    def _record(
        self, plan: RecordPlan, changed_at: Mapping[tuple[str, str], datetime]
    ) -> dict[str, Any]:
        record = plan.record
        return {
            "source": record.source,
            "external_id": record.external_id,
            "person_id": self._id(plan.ref),
            "values": record.to_data(),
            "digest": plan.digest,
            "is_live": record.is_live,
            "is_primary": plan.is_primary,
            "skip_reason": plan.skip_reason[:300],
            "first_seen_at": self.now,
            "changed_at": changed_at.get((record.source, record.external_id), self.now),
            "missing_since": plan.missing_since,
        }

    def changes_write(self) -> None:
        """One row for each changed field of a known person."""
        rows_insert(
            PersonChange,
            (
                {
                    "person_id": self.ids[plan.ref],
                    "field": change.field,
                    "before": change.before,
                    "after": change.after,
                    "source": change.source or "derived",
                    "at": self.now,
                    "correlation": self.correlation,
                }
                for plan in self.plan.people
                for change in plan.changes
            ),
        )

    def events_write(self) -> int:
        """The outbox: newcomers once, every change that may start something. Returns how many."""
        return rows_insert(LifecycleEvent, self._events(), ignore=True)

    def _events(self) -> Iterator[dict[str, Any]]:
        baseline = self.plan.baseline
        for plan in self.plan.joining:
            yield {
                "kind": EventKind.PERSON_ADDED.value,
                "person_id": self.ids[plan.ref],
                "at": self.now,
                "baseline": baseline,
                "key": event_key(EventKind.PERSON_ADDED.value, self.ids[plan.ref]),
            }
        for plan in self.plan.updated:
            for change in plan.changes:
                if not change.quiet:
                    yield _event_row(
                        self.ids[plan.ref],
                        change,
                        at=self.now,
                        correlation=self.correlation,
                        baseline=baseline,
                    )
