"""Write a plan: people, changes, outbox and source records in one transaction, in bulk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from people.bulk import CHUNK, JsonText, chunked, rows_insert, rows_upsert
from people.choices import EventKind
from people.folding import SEARCHED, search_text
from people.models import LifecycleEvent, Person, PersonAlias, PersonChange, SourceRecord
from people.organising import entities_named, teams_ensure
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
    # In front: it stays where only whose record it is, or its absence, is news.
    "changed_at",
    "person_id",
    "values",
    "digest",
    "is_live",
    "is_primary",
    "skip_reason",
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
        self.ids: dict[Ref, int] = {}
        """Primary keys of those who were created."""
        self.joined: set[Ref] = set()
        self.managers: dict[Ref, Ref | None] = {}
        """Of everybody to be created, in the plan's order: the manager who is new too."""
        self.moved: dict[str, Ref] = {}
        """Address given up → whose it was."""
        self.current: list[str] = []
        """New addresses of those who had another one."""
        self.passed: set[str] = set()
        """Addresses given up and taken within this plan."""
        teams, entities = self._survey()
        self.teams = teams_ensure(teams)
        self.entities = entities_named(entities, plan.records)

    def _survey(self) -> tuple[set[str], set[str]]:
        """One look at everybody; returns the names of teams and of legal entities."""
        teams: set[str] = set()
        entities: set[str] = set()
        given_up = {email for email, _ in self.plan.aliases}
        for person in self.plan.people:
            values, before = person.values, person.before
            teams.add(values["team"])
            entities.add(values["legal_entity"])
            if values["work_email"] in given_up:
                self.passed.add(values["work_email"])
            if person.joins:
                self.joined.add(person.ref)
            if before is None:
                manager = values["manager"]
                self.managers[person.ref] = manager if isinstance(manager, str) else None
            elif before.values["work_email"] != values["work_email"]:
                self.moved[before.values["work_email"]] = person.ref
                self.current.append(values["work_email"])
        return teams, entities

    def _id(self, ref: Ref | None) -> int | None:
        return ref if isinstance(ref, int) else self.ids.get(ref) if ref is not None else None

    def emails_park(self) -> None:
        """Free addresses that pass from one person to another within this plan."""
        for email in self.passed & self.moved.keys():
            parked = f"moving-{self.moved[email]}@invalid"
            Person.objects.filter(pk=self.moved[email]).update(work_email=parked)

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
        order = list(self.managers)
        places = {ref: place for place, ref in enumerate(order)}
        waiting = order
        while waiting:
            new = set(waiting)
            level = [ref for ref in waiting if self.managers[ref] not in new]
            for part in chunked(level or waiting):
                plans = [self.plan.created[places[ref]] for ref in part]
                rows_insert(Person, map(self._new_row, plans))
                emails = {plan.values["work_email"]: plan.ref for plan in plans}
                found = Person.objects.filter(work_email__in=emails)
                for pk, email in found.values_list("pk", "work_email"):
                    self.ids[emails[email]] = pk
            if not level:
                self._close_circles(waiting)
                return
            done = set(level)
            waiting = [ref for ref in waiting if ref not in done]

    def _new_row(self, plan: PersonPlan) -> dict[str, Any]:
        moment = self.now.isoformat()
        return {
            **self._row(plan),
            "created_at": self.now,
            "baseline_at": self.now if self.plan.baseline else None,
            "known_at": {name: moment for name in DATES if plan.values[name] is not None},
        }

    def _close_circles(self, waiting: Sequence[Ref]) -> None:
        rows = Person.objects.in_bulk([self.ids[ref] for ref in waiting])
        for ref in waiting:
            rows[self.ids[ref]].manager_id = self._id(self.managers[ref])
        Person.objects.bulk_update(rows.values(), ["manager"], batch_size=CHUNK)

    def people_update(self) -> None:
        """Write known people anew, only the columns that reconciliation owns."""
        for part in chunked(self.plan.known):
            rows = Person.objects.in_bulk([int(plan.ref) for plan in part])
            for plan in part:
                row = rows[int(plan.ref)]
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
        if self.current:
            PersonAlias.objects.filter(email__in=self.current).delete()
        PersonAlias.objects.bulk_create(
            [
                PersonAlias(person_id=int(ref), email=email, since=self.now)
                for email, ref in self.plan.aliases
                if email not in self.passed
            ],
            ignore_conflicts=True,
        )

    def records_write(self) -> None:
        """Insert or replace source records; ``first_seen_at`` stays."""
        same: list[RecordPlan] = []

        def changed() -> Iterator[dict[str, Any]]:
            for plan in self.plan.records:
                if plan.content_changed:
                    yield self._record(plan)
                else:
                    same.append(plan)

        for rows, update in (
            (changed(), _RECORD_WRITTEN),
            (map(self._record, same), _RECORD_WRITTEN[1:]),
        ):
            rows_upsert(SourceRecord, rows, unique=("source", "external_id"), update=update)

    def _record(self, plan: RecordPlan) -> dict[str, Any]:
        source, external_id = plan.key
        return {
            "source": source,
            "external_id": external_id,
            "person_id": self._id(plan.ref),
            "values": JsonText(plan.whole.text),
            "digest": plan.digest,
            "is_live": plan.is_live,
            "is_primary": plan.is_primary,
            "skip_reason": plan.skip_reason[:300],
            "first_seen_at": self.now,
            "changed_at": self.now,
            "missing_since": plan.missing_since,
        }

    def changes_write(self) -> None:
        """One row for each changed field of a known person."""
        rows_insert(
            PersonChange,
            (
                {
                    "person_id": plan.ref,
                    "field": change.field,
                    "before": change.before,
                    "after": change.after,
                    "source": change.source or "derived",
                    "at": self.now,
                    "correlation": self.correlation,
                }
                for plan in self.plan.updated
                for change in plan.changes
            ),
        )

    def events_write(self) -> int:
        """The outbox: newcomers once, every change that may start something. Returns how many."""
        return rows_insert(LifecycleEvent, self._events(), ignore=True)

    def _events(self) -> Iterator[dict[str, Any]]:
        baseline = self.plan.baseline
        known = [plan.ref for plan in self.plan.known if plan.ref in self.joined]
        for ref in (*known, *(ref for ref in self.managers if ref in self.joined)):
            yield {
                "kind": EventKind.PERSON_ADDED.value,
                "person_id": self._id(ref),
                "at": self.now,
                "baseline": baseline,
                "key": event_key(EventKind.PERSON_ADDED.value, self._id(ref)),
            }
        for plan in self.plan.updated:
            for change in plan.changes:
                if not change.quiet:
                    yield _event_row(
                        int(plan.ref),
                        change,
                        at=self.now,
                        correlation=self.correlation,
                        baseline=baseline,
                    )
