"""Write a plan: people, changes, outbox and source records in one transaction, in bulk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from people.choices import EventKind
from people.folding import search_text
from people.models import (
    LegalEntity,
    LifecycleEvent,
    Person,
    PersonAlias,
    PersonChange,
    SourceRecord,
    Team,
)
from people.plan import DATES, FIELDS, FieldChange, PersonPlan, Plan, RecordPlan, Ref

CHUNK = 500
_COLUMNS = tuple(
    {"manager": "manager_id", "team": "team_id", "legal_entity": "legal_entity_id"}.get(name, name)
    for name in FIELDS
)
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
    "person",
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
        events=len(events),
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
        kind=EventKind.PERSON_CHANGED,
        person_id=person_id,
        field=change.field,
        before=change.before,
        after=change.after,
        at=at,
        baseline=baseline,
        key=event_key(
            EventKind.PERSON_CHANGED.value,
            person_id,
            change.field,
            json.dumps([change.before, change.after], sort_keys=True, default=str),
            correlation,
            at.isoformat(),
        ),
    )


class _Writer:
    """One application of one plan."""

    def __init__(self, plan: Plan, *, now: datetime, correlation: str) -> None:
        self.plan = plan
        self.now = now
        self.correlation = correlation
        self.ids: dict[Ref, int] = {
            person.ref: person.ref for person in plan.people if isinstance(person.ref, int)
        }
        self.teams = _teams_ensure(person.values["team"] for person in plan.people)
        self.entities = _entities_ensure(plan.people, plan.records)

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

    def _fill(self, row: Person, plan: PersonPlan) -> Person:
        values = plan.values
        for name, column in zip(FIELDS, _COLUMNS, strict=True):
            if name == column:
                setattr(row, name, values[name])
        row.team_id = self.teams.get(values["team"])
        row.legal_entity_id = self.entities.get(values["legal_entity"])
        row.manager_id = self._id(values["manager"])
        row.value_sources = dict(plan.value_sources)
        row.problems = list(plan.problems)
        row.problem_notes = list(plan.notes)
        row.search_text = search_text(
            values[name]
            for name in (
                "full_name",
                "preferred_name",
                "work_email",
                "job_title",
                "remote_id",
                "display_id",
            )
        )
        row.updated_at = self.now
        return row

    def people_create(self) -> None:
        """Managers before their reports, level by level; circles are closed at the end."""
        moment = self.now.isoformat()
        waiting = list(self.plan.created)
        while waiting:
            new = {plan.ref for plan in waiting}
            level = [plan for plan in waiting if plan.values["manager"] not in new] or waiting
            rows = []
            for plan in level:
                row = self._fill(Person(created_at=self.now), plan)
                row.baseline_at = self.now if self.plan.baseline else None
                row.known_at = {name: moment for name in DATES if plan.values[name] is not None}
                rows.append(row)
            for part in chunks(rows):
                Person.objects.bulk_create(part)
            self.ids.update({plan.ref: row.pk for plan, row in zip(level, rows, strict=True)})
            if level is waiting:
                for plan, row in zip(level, rows, strict=True):
                    row.manager_id = self._id(plan.values["manager"])
                Person.objects.bulk_update(rows, ["manager"], batch_size=CHUNK)
            done = {plan.ref for plan in level}
            waiting = [plan for plan in waiting if plan.ref not in done]

    def people_update(self) -> None:
        """Write known people anew, only the columns that reconciliation owns."""
        known = [plan for plan in self.plan.people if plan.before is not None]
        for part in chunks(known):
            rows = Person.objects.in_bulk([self.ids[plan.ref] for plan in part])
            for plan in part:
                row = self._fill(rows[self.ids[plan.ref]], plan)
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
        rows = [self._record(plan, old) for plan in self.plan.records]
        for part in chunks(rows):
            SourceRecord.objects.bulk_create(
                part,
                update_conflicts=True,
                unique_fields=["source", "external_id"],
                update_fields=_RECORD_WRITTEN,
            )

    def _record(
        self, plan: RecordPlan, changed_at: Mapping[tuple[str, str], datetime]
    ) -> SourceRecord:
        record = plan.record
        return SourceRecord(
            source=record.source,
            external_id=record.external_id,
            person_id=self._id(plan.ref),
            values=record.to_data(),
            digest=plan.digest,
            is_live=record.is_live,
            is_primary=plan.is_primary,
            skip_reason=plan.skip_reason[:300],
            first_seen_at=self.now,
            changed_at=changed_at.get((record.source, record.external_id), self.now),
            missing_since=plan.missing_since,
        )

    def changes_write(self) -> None:
        """One row for each changed field of a known person."""
        rows = [
            PersonChange(
                person_id=self.ids[plan.ref],
                field=change.field,
                before=change.before,
                after=change.after,
                source=change.source or "derived",
                at=self.now,
                correlation=self.correlation,
            )
            for plan in self.plan.people
            for change in plan.changes
        ]
        for part in chunks(rows):
            PersonChange.objects.bulk_create(part)

    def events_write(self) -> list[LifecycleEvent]:
        """The outbox: newcomers once, every change that may start something."""
        baseline = self.plan.baseline
        rows = [
            LifecycleEvent(
                kind=EventKind.PERSON_ADDED,
                person_id=self.ids[plan.ref],
                at=self.now,
                baseline=baseline,
                key=event_key(EventKind.PERSON_ADDED.value, self.ids[plan.ref]),
            )
            for plan in self.plan.joining
        ]
        rows += [
            event_for(
                self.ids[plan.ref],
                change,
                at=self.now,
                correlation=self.correlation,
                baseline=baseline,
            )
            for plan in self.plan.updated
            for change in plan.changes
            if not change.quiet
        ]
        for part in chunks(rows):
            LifecycleEvent.objects.bulk_create(part, ignore_conflicts=True)
        return rows


def _teams_ensure(names: Iterable[str]) -> dict[str, int]:
    wanted = {name for name in names if name}
    found = dict(Team.objects.filter(name__in=wanted).values_list("name", "pk")) if wanted else {}
    missing = sorted(wanted - found.keys())
    if missing:
        Team.objects.bulk_create([Team(name=name) for name in missing], ignore_conflicts=True)
        found.update(Team.objects.filter(name__in=missing).values_list("name", "pk"))
    return found


def _entities_ensure(people: Iterable[PersonPlan], records: Iterable[RecordPlan]) -> dict[str, int]:
    wanted = {plan.values["legal_entity"] for plan in people} - {""}
    if not wanted:
        return {}
    found = dict(LegalEntity.objects.filter(name__in=wanted).values_list("name", "pk"))
    missing = sorted(wanted - found.keys())
    if missing:
        ids = {
            plan.record.legal_entity: plan.record.legal_entity_id
            for plan in records
            if plan.record.legal_entity_id
        }
        LegalEntity.objects.bulk_create(
            [LegalEntity(name=name, external_id=ids.get(name, "")) for name in missing],
            ignore_conflicts=True,
        )
        found.update(LegalEntity.objects.filter(name__in=missing).values_list("name", "pk"))
    return found


def entities_ensure(entities: Sequence[Mapping[str, str]]) -> int:
    """Take over legal entities as a source lists them (``id``, ``name``, ``country`` alpha-3).

    Found by the source's id, so that a renamed entity keeps its row, settings and people. Returns
    how many rows were written.
    """
    known = {row.external_id: row for row in LegalEntity.objects.exclude(external_id="")}
    by_name = {row.name: row for row in LegalEntity.objects.all()}
    written = 0
    for entity in entities:
        external_id, name = entity.get("id", ""), entity.get("name", "")[:200]
        if not name:
            continue
        row = known.get(external_id) or by_name.get(name) or LegalEntity(name=name)
        holder = by_name.get(name)
        before = (row.pk, row.external_id, row.name, row.country)
        row.external_id = external_id[:64] or row.external_id
        row.country = row.country or entity.get("country", "")[:3]
        if holder is None or holder.pk == row.pk:
            row.name = name
        if before != (row.pk, row.external_id, row.name, row.country) or row.pk is None:
            row.save()
            by_name[row.name] = row
            written += 1
    return written
