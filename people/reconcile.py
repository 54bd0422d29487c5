"""Decide what a feed means for the directory. Pure: no database, no clock, no order dependence.

Nothing is decided when no record changed: the second of two identical syncs has an empty plan.
As soon as one changed, everybody is resolved again, because a new person may be the manager whom
others were waiting for; what comes out as it was is not written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from people.choices import PersonStatus, Problem
from people.folding import email_key
from people.managers import manager_find, on_circles
from people.matching import EmailIndex, Matching, View, emails_settle, match
from people.plan import (
    FIELDS,
    MANUAL,
    Absence,
    Conflict,
    Directory,
    FieldChange,
    KnownPerson,
    PersonPlan,
    Plan,
    Policy,
    RecordKey,
    RecordPlan,
    Ref,
    SharedSources,
    shared,
)
from people.records import SkippedRecord, WorkerRecord
from people.resolving import CUSTOM, Resolved, local_today, person_status, resolve, resolve_alone
from people.viewing import views_of


def reconcile(
    records: Sequence[WorkerRecord],
    *,
    skipped: Sequence[SkippedRecord] = (),
    directory: Directory,
    policy: Policy,
    now: datetime,
    complete: bool = True,
    baseline: bool = False,
    everyone: bool = False,
) -> Plan:
    """Compare ``records`` with the directory and say what would be written.

    ``complete``: the feed is a full refresh of its source, so that absence is noticed (and only
    noted). ``baseline``: the first import of a connection. ``everyone``: resolve even if no record
    changed, as after a change of mapping or overrides. ``now`` is aware.
    """
    views = views_of(records, skipped, directory, now=now, complete=complete)
    if not everyone and not any(view.is_touched for view in views):
        return _nothing_to_do(records, skipped, directory)
    matching = match(views, directory)
    people = _People(views, matching, directory, policy, now)
    fed = {(record.source, record.external_id) for record in records}
    return people.plan(fed=fed, skipped=skipped, baseline=baseline)


def plan_if_untouched(
    records: Sequence[WorkerRecord],
    *,
    skipped: Sequence[SkippedRecord] = (),
    directory: Directory,
    now: datetime,
) -> Plan | None:
    """The empty plan of a complete feed that says what is stored already, else ``None``.

    Needs of ``directory`` nothing but the stored digests: the cheap first look of every sync.
    """
    views = views_of(records, skipped, directory, now=now, complete=True)
    if any(view.is_touched for view in views):
        return None
    return _nothing_to_do(records, skipped, directory)


def _nothing_to_do(
    records: Sequence[WorkerRecord], skipped: Sequence[SkippedRecord], directory: Directory
) -> Plan:
    people: set[int] = set()
    left_out = list(skipped)
    for record in records:
        stored = directory.records[(record.source, record.external_id)]
        if stored.person_id is not None:
            people.add(stored.person_id)
        elif stored.skip_reason:
            left_out.append(_skipped(record, stored.skip_reason))
    return Plan(skipped=tuple(_sorted(left_out)), unchanged=len(people))


def _skipped(record: WorkerRecord, reason: str) -> SkippedRecord:
    return SkippedRecord(external_id=record.external_id, name=record.full_name, reason=reason)


def _sorted(skipped: Sequence[SkippedRecord]) -> list[SkippedRecord]:
    return sorted(skipped, key=lambda record: (record.name, record.external_id))


@dataclass(slots=True)
class _People:
    """The resolution of everybody at once."""

    views: list[View]
    matching: Matching
    directory: Directory
    policy: Policy
    now: datetime

    def plan(
        self, *, fed: set[RecordKey], skipped: Sequence[SkippedRecord], baseline: bool
    ) -> Plan:
        """Resolve and keep what differs."""
        resolved = self._resolve()
        conflicts = [*self.matching.conflicts, *self._settle_emails(resolved)]
        self._settle_managers(resolved)
        emails = {ref: found.values["work_email"] for ref, found in resolved.items()}
        seen: SharedSources = {}
        for found in resolved.values():
            found.sources = shared(found.sources, seen)
        plans = [self._person_plan(ref, found, emails) for ref, found in resolved.items()]
        written = tuple(plan for plan in plans if plan is not None)
        for ref, found in resolved.items():
            if found.two_live:
                name = found.values["full_name"]
                reason = "Two employments are active at the same time."
                conflicts.append(Conflict(work_email=emails[ref], name=name, reason=reason))
        touched = {plan.ref for plan in written if plan.before is None or plan.changes}
        owners = {self.matching.owner[key] for key in fed if key in self.matching.owner}
        return Plan(
            people=written,
            records=self._record_plans(resolved),
            newly_missing=self._absences(),
            aliases=self._aliases(emails),
            skipped=tuple(_sorted([*skipped, *self._left_out(fed)])),
            conflicts=tuple(sorted(conflicts, key=lambda found: (found.work_email, found.reason))),
            unchanged=len(owners - touched),
            baseline=baseline,
        )

    def _resolve(self) -> dict[Ref, Resolved]:
        grouped: dict[Ref, list[View]] = {}
        for view in self.views:
            ref = self.matching.owner.get(view.key)
            if ref is not None:
                grouped.setdefault(ref, []).append(view)
        found = {
            ref: resolve(
                grouped[ref],
                before=self.directory.people.get(ref) if isinstance(ref, int) else None,
                directory=self.directory,
                policy=self.policy,
                now=self.now,
            )
            for ref in sorted(grouped, key=lambda ref: (isinstance(ref, str), ref))
        }
        for person in self.directory.people.values():
            # Without records nothing is resolved, but for what is or was set by hand.
            if person.id not in found and (
                person.overrides or MANUAL in person.value_sources.values()
            ):
                found[person.id] = resolve_alone(
                    person, directory=self.directory, policy=self.policy, now=self.now
                )
        return found

    def _settle_emails(self, resolved: Mapping[Ref, Resolved]) -> list[Conflict]:
        """A blank address never replaces one; one address is one person's."""
        wanted: dict[Ref, str] = {
            person.id: person.values["work_email"] for person in self.directory.people.values()
        }
        for ref, found in resolved.items():
            email = found.values["work_email"]
            if isinstance(ref, str):
                wanted[ref] = email_key(email) if email_key(email) == ref else ref
            elif email and "@" in email and len(email) <= 254:
                wanted[ref] = email
        settled, losers = emails_settle(wanted, self.directory)
        for ref, found in resolved.items():
            found.values["work_email"] = settled[ref]
        return [
            Conflict(
                work_email=wanted[ref],
                name=resolved[ref].values["full_name"] if ref in resolved else "",
                reason=f"{wanted[ref]} belongs to somebody else; {settled[ref]} was kept.",
            )
            for ref in losers
        ]

    def _settle_managers(self, resolved: Mapping[Ref, Resolved]) -> None:
        people = self.directory.people
        emails: dict[Ref, str] = {key: known.values["work_email"] for key, known in people.items()}
        emails.update({ref: found.values["work_email"] for ref, found in resolved.items()})
        index = EmailIndex.settled(people, emails)
        statuses: dict[Ref, str] = {
            person.id: person.values["status"] for person in self.directory.people.values()
        }
        statuses.update({ref: found.values["status"] for ref, found in resolved.items()})
        links: dict[Ref, Ref | None] = {
            key: known.values.get("manager") for key, known in people.items()
        }
        for ref, found in resolved.items():
            claim = found.claim
            if claim.source == MANUAL and claim.is_blank:
                found.values["manager"] = links[ref] = None
                continue
            answer = manager_find(claim, of=ref, owners=self.matching.owner, by_email=index.find)
            found.values["manager"] = links[ref] = answer.ref
            here = found.values["status"] not in (PersonStatus.ENDED, PersonStatus.EXTERNAL)
            if answer.problem and here:
                found.flag(answer.problem, answer.note)
            elif here and answer.ref and statuses.get(answer.ref) == PersonStatus.ENDED:
                found.flag(Problem.MANAGER_ENDED, "The manager has left.")
        for ref in on_circles(links):
            if ref in resolved:
                note = "Following the managers upwards leads back to this person."
                resolved[ref].flag(Problem.MANAGER_CYCLE, note)

    def _person_plan(
        self, ref: Ref, found: Resolved, emails: Mapping[Ref, str]
    ) -> PersonPlan | None:
        before = self.directory.people.get(ref) if isinstance(ref, int) else None
        changes = () if before is None else self._changes(before, found, emails)
        if before is not None and not changes and _same_notes(before, found):
            return None
        return PersonPlan(
            ref=ref,
            before=before,
            values=found.values,
            value_sources=found.sources,
            problems=found.problems,
            notes=found.notes,
            changes=changes,
            today=found.today,
        )

    def _changes(
        self, before: KnownPerson, found: Resolved, emails: Mapping[Ref, str]
    ) -> tuple[FieldChange, ...]:
        changes = []
        for name in FIELDS:
            old, new = before.values.get(name), found.values[name]
            if old == new:
                continue
            if name == "custom":
                changes += _custom_changes(old or {}, new, found)
                continue
            changes.append(
                FieldChange(
                    field=name,
                    before=self._plain(name, old, emails),
                    after=self._plain(name, new, emails),
                    source=found.sources.get(name, before.value_sources.get(name, "")),
                    quiet=name in found.quiet,
                )
            )
        return tuple(changes)

    def _plain(self, name: str, value: Any, emails: Mapping[Ref, str]) -> Any:
        if isinstance(value, date):
            return value.isoformat()
        if name == "manager" and value is not None:
            known = self.directory.people.get(value)
            return emails.get(value) or (known.values["work_email"] if known else None)
        return value

    def _record_plans(self, resolved: Mapping[Ref, Resolved]) -> tuple[RecordPlan, ...]:
        plans = []
        for view in self.views:
            ref = self.matching.owner.get(view.key)
            primary = ref is not None and view.key in resolved[ref].primaries
            reason = self.matching.skip_reason.get(view.key, "")
            old = view.stored
            link = (ref, primary, reason)
            if old is not None and not view.is_touched and link == old.link:
                continue
            plans.append(
                RecordPlan(
                    record=view.record,
                    digest=view.digest,
                    ref=ref,
                    is_primary=primary,
                    skip_reason=reason,
                    missing_since=view.missing_since,
                    content_changed=old is None or old.digest != view.digest,
                )
            )
        return tuple(plans)

    def _absences(self) -> tuple[Absence, ...]:
        return tuple(
            Absence(
                key=view.key,
                person_id=view.stored.person_id if view.stored else None,
                name=view.record.full_name,
            )
            for view in self.views
            if view.newly_missing
        )

    def _aliases(self, emails: Mapping[Ref, str]) -> tuple[tuple[str, Ref], ...]:
        return tuple(
            (person.values["work_email"], person.id)
            for person in self.directory.people.values()
            if emails.get(person.id, person.values["work_email"]) != person.values["work_email"]
        )

    def _left_out(self, fed: set[RecordKey]) -> list[SkippedRecord]:
        return [
            _skipped(view.record, self.matching.skip_reason[view.key])
            for view in self.views
            if view.key in fed and view.key in self.matching.skip_reason
        ]


def _same_notes(before: KnownPerson, found: Resolved) -> bool:
    return (
        before.problems == found.problems
        and before.notes == found.notes
        and dict(before.value_sources) == found.sources
    )


def _custom_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], found: Resolved
) -> list[FieldChange]:
    return [
        FieldChange(
            field=CUSTOM + name,
            before=old.get(name),
            after=new.get(name),
            source=found.sources.get(CUSTOM + name, ""),
        )
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def status_now(person: KnownPerson, *, policy: Policy, now: datetime) -> str:
    """The person's status by their dates alone; for the pass between two syncs."""
    today = local_today(person.values, policy, now)
    leaving = Problem.NO_END_DATE in person.problems
    return person_status(person.values, today, leaving=leaving)
