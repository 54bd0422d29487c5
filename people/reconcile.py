"""Decide what a feed means for the directory. Pure: no database, no clock, no order dependence.

Nothing is decided when no record changed: the second of two identical syncs has an empty plan.
As soon as one changed, everybody is resolved again, because a new person may be the manager whom
others were waiting for; what comes out as it was is not written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from people.choices import PersonStatus, Problem
from people.differing import changes_between, same_notes
from people.folding import email_key
from people.managers import manager_find, on_circles
from people.matching import EmailIndex, Matching, View, emails_settle, match
from people.packing import made_when_asked
from people.plan import (
    MANUAL,
    Absence,
    Conflict,
    Directory,
    KnownPerson,
    PersonPlan,
    Plan,
    Policy,
    RecordKey,
    RecordPlan,
    Ref,
)
from people.records import SkippedRecord, WorkerRecord
from people.resolved import Resolved
from people.resolving import resolve, resolve_alone
from people.settling import Foresight, Resolutions, Settled
from people.standing import local_today, person_status
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
    only: Collection[int] | None = None,
    foresight: Foresight | None = None,
) -> Plan:
    """Compare ``records`` with the directory and say what would be written.

    ``complete``: the feed is a full refresh of its source, so that absence is noticed (and only
    noted). ``baseline``: the first import of a connection. ``everyone``: resolve even if no record
    changed, as after a change of mapping or overrides. ``only``: nobody but these people is
    resolved or written. ``foresight`` looked at the records as they arrived. ``now`` is aware.
    """
    views = views_of(records, skipped, directory, now=now, complete=complete)
    if not everyone and not any(view.is_touched for view in views):
        return _nothing_to_do(views, skipped)
    people = _People(views, match(views, directory), directory, policy, now, only, foresight)
    return people.plan(skipped=skipped, baseline=baseline)


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
    return _nothing_to_do(views, skipped)


def _nothing_to_do(views: Sequence[View], skipped: Sequence[SkippedRecord]) -> Plan:
    people: set[int] = set()
    left_out = list(skipped)
    for view in views:
        if not view.fed or view.stored is None:
            continue
        if view.stored.person_id is not None:
            people.add(view.stored.person_id)
        elif view.stored.skip_reason:
            left_out.append(_skipped(view.record, view.stored.skip_reason))
    return Plan(skipped=tuple(_sorted(left_out)), unchanged=len(people))


def _skipped(record: WorkerRecord, reason: str) -> SkippedRecord:
    return SkippedRecord(external_id=record.external_id, name=record.full_name, reason=reason)


def _sorted(skipped: Sequence[SkippedRecord]) -> list[SkippedRecord]:
    return sorted(skipped, key=lambda record: (record.name, record.external_id))


class _People:
    """The resolution of everybody at once: each person alone, then who has which address and
    which manager, then each person again for what differs."""

    def __init__(
        self,
        views: list[View],
        matching: Matching,
        directory: Directory,
        policy: Policy,
        now: datetime,
        only: Collection[int] | None = None,
        foresight: Foresight | None = None,
    ) -> None:
        self._only = only
        self.views = views
        self.matching = matching
        self.directory = directory
        self.policy = policy
        self.now = now
        serves = foresight and foresight.serves(directory=directory, policy=policy, now=now)
        self._foresight = foresight if serves else None
        self._resolutions = self._foresight.resolutions if self._foresight else Resolutions()
        self._people: dict[Ref, Settled] = {}
        self._primaries: set[RecordKey] = set()

    def plan(self, *, skipped: Sequence[SkippedRecord], baseline: bool) -> Plan:
        """Resolve and keep what differs."""
        self._resolve()
        conflicts = [*self.matching.conflicts, *self._settle_emails()]
        self._settle_managers()
        written, touched = self._written()
        for person in self._people.values():
            if person.two_live:
                name = self._resolutions.name(person)
                reason = "Two employments are active at the same time."
                conflicts.append(Conflict(work_email=person.work_email, name=name, reason=reason))
        owner = self.matching.owner
        owners = {owner[view.key] for view in self.views if view.fed and view.key in owner}
        return Plan(
            people=written,
            records=self._records_written(),
            newly_missing=self._absences(),
            aliases=self._aliases(),
            skipped=tuple(_sorted([*skipped, *self._left_out()])),
            conflicts=tuple(sorted(conflicts, key=lambda found: (found.work_email, found.reason))),
            unchanged=len(owners - touched),
            baseline=baseline,
        )

    def _resolve(self) -> None:
        grouped: dict[Ref, list[View]] = {}
        for view in self.views:
            ref = self.matching.owner.get(view.key)
            if ref is not None and self._concerned(ref):
                grouped.setdefault(ref, []).append(view)
        for ref in sorted(grouped, key=lambda ref: (isinstance(ref, str), ref)):
            views = grouped.pop(ref)
            if self._is_foreseen(ref, views):
                continue
            found = resolve(
                views,
                before=self._before(ref),
                directory=self.directory,
                policy=self.policy,
                now=self.now,
            )
            self._put(ref, found)
        for person in self.directory.people.values():
            # Without records nothing is resolved, but for what is or was set by hand.
            if (
                person.id not in self._people
                and self._concerned(person.id)
                and (person.overrides or MANUAL in person.value_sources.values())
            ):
                alone = resolve_alone(
                    person, directory=self.directory, policy=self.policy, now=self.now
                )
                self._put(person.id, alone)

    def _concerned(self, ref: Ref | None) -> bool:
        return self._only is None or ref in self._only

    def _is_foreseen(self, ref: Ref, views: Sequence[View]) -> bool:
        """Take a newcomer with one record as they were resolved while the feed was read."""
        if self._foresight is None or isinstance(ref, int) or len(views) > 1:
            return False
        settled = self._foresight.settled(views[0])
        if settled is None:
            return False
        self._primaries.add(views[0].key)
        self._people[ref] = settled
        return True

    def _put(self, ref: Ref, found: Resolved) -> None:
        self._primaries |= found.primaries
        self._people[ref] = self._resolutions.put(found)

    def _before(self, ref: Ref) -> KnownPerson | None:
        return self.directory.people.get(ref) if isinstance(ref, int) else None

    def _settle_emails(self) -> list[Conflict]:
        """A blank address never replaces one; one address is one person's."""
        wanted: dict[Ref, str] = {
            person.id: person.values["work_email"] for person in self.directory.people.values()
        }
        for ref, found in self._people.items():
            email = found.work_email
            if isinstance(ref, str):
                wanted[ref] = email_key(email) if email_key(email) == ref else ref
            elif email and "@" in email and len(email) <= 254:
                wanted[ref] = email
        settled, losers = emails_settle(wanted, self.directory)
        for ref, found in self._people.items():
            found.work_email = settled[ref]
        return [
            Conflict(
                work_email=wanted[ref],
                name=self._name(ref),
                reason=f"{wanted[ref]} belongs to somebody else; {settled[ref]} was kept.",
            )
            for ref in losers
        ]

    def _name(self, ref: Ref) -> str:
        found = self._people.get(ref)
        return self._resolutions.name(found) if found else ""

    def _settle_managers(self) -> None:
        people = self.directory.people
        emails: dict[Ref, str] = {key: known.values["work_email"] for key, known in people.items()}
        emails.update({ref: found.work_email for ref, found in self._people.items()})
        index = EmailIndex.settled(people, emails)
        links: dict[Ref, Ref | None] = {
            key: known.values.get("manager") for key, known in people.items()
        }
        for ref, found in self._people.items():
            claim = found.claim
            if claim.source == MANUAL and claim.is_blank:
                found.manager = links[ref] = None
                continue
            answer = manager_find(claim, of=ref, owners=self.matching.owner, by_email=index.find)
            found.manager = links[ref] = answer.ref
            here = found.status not in (PersonStatus.ENDED, PersonStatus.EXTERNAL)
            if answer.problem and here:
                found.flags = ((answer.problem, answer.note),)
            elif here and answer.ref and self._status(answer.ref) == PersonStatus.ENDED:
                found.flags = ((Problem.MANAGER_ENDED, "The manager has left."),)
        for ref in on_circles(links):
            if ref in self._people:
                note = "Following the managers upwards leads back to this person."
                self._people[ref].flags += ((Problem.MANAGER_CYCLE, note),)

    def _status(self, ref: Ref) -> str:
        if ref in self._people:
            return self._people[ref].status
        known = self._before(ref)
        return str(known.values["status"]) if known else ""

    def _written(self) -> tuple[Sequence[PersonPlan], set[Ref]]:
        """Who is written, and which of them with changed values."""
        refs: list[Ref] = []
        touched: set[Ref] = set()
        for ref in self._people:
            plan = self._person_plan(ref) if isinstance(ref, int) else None
            if isinstance(ref, int) and plan is None:
                continue
            refs.append(ref)
            if plan is None or plan.changes:
                touched.add(ref)
        return made_when_asked(refs, self._person_plan_known), touched

    def _person_plan_known(self, ref: Ref) -> PersonPlan:
        found = self._person_plan(ref)
        if found is None:
            raise LookupError(f"Nothing is to be written of {ref!r}.")
        return found

    def _person_plan(self, ref: Ref) -> PersonPlan | None:
        before, settled = self._before(ref), self._people[ref]
        found = self._resolutions.whole(settled)
        changes = () if before is None else changes_between(before, found, email_of=self._email)
        if before is not None and not changes and same_notes(before, found):
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

    def _email(self, ref: Ref) -> str | None:
        if ref in self._people:
            return self._people[ref].work_email
        known = self._before(ref)
        return known.values["work_email"] if known else None

    def _records_written(self) -> Sequence[RecordPlan]:
        written = []
        for view in self.views:
            old = view.stored
            if not self._concerned(self.matching.owner.get(view.key)):
                continue
            if old is None or view.is_touched or self._link(view) != old.link:
                written.append(view)
        return made_when_asked(written, self._record_plan)

    def _link(self, view: View) -> tuple[Ref | None, bool, str]:
        owner = self.matching.owner.get(view.key)
        primary = view.key in self._primaries
        return owner, primary, self.matching.skip_reason.get(view.key, "")

    def _record_plan(self, view: View) -> RecordPlan:
        ref, primary, reason = self._link(view)
        old = view.stored
        return RecordPlan(
            key=view.key,
            whole=view,
            digest=view.digest,
            is_live=view.brief.is_live,
            ref=ref,
            is_primary=primary,
            skip_reason=reason,
            missing_since=view.missing_since,
            content_changed=old is None or old.digest != view.digest,
        )

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

    def _aliases(self) -> tuple[tuple[str, Ref], ...]:
        return tuple(
            (person.values["work_email"], person.id)
            for person in self.directory.people.values()
            if person.id in self._people
            and self._people[person.id].work_email != person.values["work_email"]
        )

    def _left_out(self) -> list[SkippedRecord]:
        return [
            _skipped(view.record, self.matching.skip_reason[view.key])
            for view in self.views
            if view.fed and view.key in self.matching.skip_reason
        ]


def status_now(person: KnownPerson, *, policy: Policy, now: datetime) -> str:
    """The person's status by their dates alone; for the pass between two syncs."""
    today = local_today(person.values, policy, now)
    leaving = Problem.NO_END_DATE in person.problems
    return person_status(person.values, today, leaving=leaving)
