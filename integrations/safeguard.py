"""The brake of a sync: who would end or be blanked, and whether that is too many. Pure.

Counted are people who would end (unless the end date that passes was known before), people whose
important values would be blanked, and people whose record vanished from the feed. Held is a sync
that touches more than the workspace's number of people, or two and more who make up more than its
percentage: so a company of 8 is guarded against losing 3, and one of 2,000 does not stop for 1.

A slow leak stays below those limits in every single sync. So what earlier syncs took without being
asked is counted on: over 24 hours and over 7 days, against a multiple of the same limits. What a
person released is decided already and does not count again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from people.choices import PersonStatus
from people.plan import Directory, KnownPerson, PersonPlan, Plan
from people.records import WorkerRecord

IMPORTANT = {
    "work_email": "work email",
    "manager": "manager",
    "legal_entity": "legal entity",
    "country": "country",
    "start_date": "start date",
    "end_date": "end date",
}
_FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span over which syncs are added up, against ``times`` the limits of one."""

    words: str
    length: timedelta
    times: int


WINDOWS = (
    Window(words="24 hours", length=timedelta(hours=24), times=2),
    Window(words="7 days", length=timedelta(days=7), times=4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Whom one earlier sync took something from without a person's word."""

    at: datetime
    people: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """One person whom the sync would take something from, and what."""

    person_id: int
    name: str
    work_email: str
    what: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """JSON shape."""
        return {
            "person_id": self.person_id,
            "name": self.name,
            "work_email": self.work_email,
            "what": list(self.what),
        }


def affected_by(plan: Plan, directory: Directory) -> list[Affected]:
    """Everybody counted by the safeguard, by name."""
    losses: dict[int, list[str]] = {}
    for change in plan.known:
        if change.before is not None:
            losses[change.before.id] = [*_ending(change), *_blanked(change)]
    for absence in plan.newly_missing:
        person = directory.people.get(absence.person_id) if absence.person_id else None
        if person is not None and person.values["status"] != PersonStatus.ENDED:
            losses.setdefault(person.id, []).append("is missing from the feed")
    found = [
        _affected(directory.people[person_id], what) for person_id, what in losses.items() if what
    ]
    return sorted(found, key=lambda person: (person.name, person.person_id))


def _affected(person: KnownPerson, what: Sequence[str]) -> Affected:
    return Affected(
        person_id=person.id,
        name=person.values["full_name"] or person.values["work_email"],
        work_email=person.values["work_email"],
        what=tuple(what),
    )


def _ending(change: PersonPlan) -> list[str]:
    was, end = change.before_value("end_date"), change.values["end_date"]
    ends_now = (
        change.values["status"] == PersonStatus.ENDED
        and change.before_value("status") != PersonStatus.ENDED
    )
    expected = was is not None and was <= change.today
    if ends_now and not expected:
        return [f"would end ({end:%-d %b %Y})" if end else "would end"]
    newly_past = end is not None and end != was and end <= change.today
    if newly_past and change.before_value("status") != PersonStatus.ENDED:
        return [f"would leave on {end:%-d %b %Y}"]
    return []


def _blanked(change: PersonPlan) -> list[str]:
    if change.values["status"] == PersonStatus.ENDED:
        return []
    return [
        f"would lose the {words}"
        for name, words in IMPORTANT.items()
        if change.before_value(name) and not change.values[name]
    ]


def hold_reason(
    affected: Sequence[Affected],
    *,
    here: Collection[int],
    limit_people: int,
    limit_percent: int,
    now: datetime,
    earlier: Iterable[Earlier] = (),
) -> str:
    """Why the sync must wait for a person's word; ``""`` when it may go on.

    ``here``: ids of the people of the directory who have not ended. ``earlier``: syncs of the
    longest of :data:`WINDOWS` before ``now`` (aware).
    """
    if not affected:
        return ""
    limits = Limits(people=limit_people, percent=limit_percent)
    if limits.exceeded(len(affected), of=len(here)):
        share = f" of {len(here)}" if here else ""
        return (
            f"{len(affected)}{share} people would end, lose an important value or are missing from "
            f"the feed. The limits are {limits.words}."
        )
    earlier = list(earlier)
    new = {person.person_id for person in affected}
    for window in WINDOWS:
        before = {
            person_id
            for sync in earlier
            if now - sync.at < window.length
            for person_id in sync.people
        } - new
        wider = limits.times(window.times)
        total, known = len(before | new), len(before | new | set(here))
        if before and wider.exceeded(total, of=known):
            return (
                f"{_count(len(new), 'person')} would end, lose an important value or "
                f"{'is' if len(new) == 1 else 'are'} missing from the feed. Together with "
                f"{len(before)} whom earlier syncs of the last {window.words} touched that makes "
                f"{total} of {known}. The limits for {window.words} are {wider.words}."
            )
    return ""


def _count(number: int, one: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """So many people, or such a share of two and more."""

    people: int
    percent: int

    def times(self, factor: int) -> Limits:
        """The limits of a longer span. A share never reaches the whole."""
        wider = max(self.percent, min(self.percent * factor, 99))
        return Limits(people=self.people * factor, percent=wider)

    def exceeded(self, count: int, *, of: int) -> bool:
        """Whether ``count`` people of so many are too many."""
        return count > self.people or (count >= _FEWEST and count * 100 > self.percent * of)

    @property
    def words(self) -> str:
        """For the sentence that explains a held sync."""
        return f"{self.people} people and {self.percent} % (from {_FEWEST} people on)"


def held_hash(affected: Iterable[Affected], records: Iterable[WorkerRecord]) -> str:
    """SHA-256 over exactly what a person is asked to confirm."""
    body = [
        [person.to_data() for person in affected],
        sorted(record.digest() for record in records),
    ]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
