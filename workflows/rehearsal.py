"""Who would be asked for everybody: the very resolvers, before anybody asks for anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from people.choices import PersonStatus
from people.models import Person
from workflows.approvers.policy import resolve_spec
from workflows.engine.planner import facts_on
from workflows.engine.world import load_people
from workflows.nodes import Resolution
from workflows.question import due_moment
from workflows.standing_in import away_among, delegations_of, today_of

MOST_PEOPLE = 2_000
TOO_MANY = 50
FINDINGS = {
    "none": "Nobody can be asked",
    "self": "They would approve for themselves",
    "inactive": "The approver has left or cannot sign in",
    "loop": "The two approve each other, or policies go in a circle",
    "leaving": "The approver leaves before it is due",
    "away": "The approver is away and nobody stands in",
    "twice": "The same person is asked in two stages",
}
"""What a rehearsal looks for, the gravest first; who is asked too often stands by the approver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one person's request would lead to."""

    person: Person
    people: tuple[Person, ...]
    how: str
    findings: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One approver and for how many they would be asked."""

    approver: Person
    people: int

    @property
    def too_many(self) -> bool:
        """More than one person can look at."""
        return self.people > TOO_MANY


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """The result for everybody who is here."""

    rows: list[Asked]
    loads: list[Load]
    left_out: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def with_finding(self, finding: str) -> list[Asked]:
        """Those with this finding."""
        return [row for row in self.rows if finding in row.findings]


def rehearse(stages: Sequence[Mapping[str, Any]], *, now: datetime, due_days: int = 5) -> Rehearsal:
    """Resolve every stage for everybody who is here. Conditions on a request do not match."""
    everybody = Person.objects.exclude(status=PersonStatus.ENDED)
    people = list(
        everybody.select_related("manager__manager", "legal_entity__lead", "team").order_by(
            "full_name", "pk"
        )[:MOST_PEOPLE]
    )
    facts = load_people([person.pk for person in people])
    found = {
        person.pk: [
            resolve_spec(
                spec,
                subject=person,
                facts=facts_on(facts[person.pk].facts, today_of(person, now)),
                now=now,
            )
            for spec in stages
        ]
        for person in people
    }
    asked = {pk: {who.pk for one in results for who in one.people} for pk, results in found.items()}
    approvers = {who.pk: who for results in found.values() for one in results for who in one.people}
    away = away_among(approvers.values(), now)
    away -= {row.approver_id for row in delegations_of(away, now)}
    rows = [
        _judged(person, found[person.pk], asked, away, now=now, due_days=due_days)
        for person in people
    ]
    totals = Counter(pk for named in asked.values() for pk in named)
    result = Rehearsal(
        rows=rows,
        loads=[Load(approver=approvers[pk], people=count) for pk, count in totals.most_common()],
        left_out=max(everybody.count() - len(people), 0),
    )
    result.counts.update(finding for row in rows for finding in row.findings)
    return result


def _judged(
    person: Person,
    results: Sequence[Resolution],
    asked: Mapping[int, set[int]],
    away: set[int],
    *,
    now: datetime,
    due_days: int,
) -> Asked:
    findings: list[str] = []
    words: list[str] = []
    for one in results:
        if not one.people:
            findings.append(_why_nobody(one.reason))
            words.append(one.reason)
    named = [who for one in results for who in one.people]
    for who in dict.fromkeys(named):
        if person.pk in asked.get(who.pk, ()):
            findings.append("loop")
            words.append(f"{who} and {person} approve each other.")
        due = due_moment(now, due_days, who).date()
        if who.end_date is not None and who.end_date < due:
            findings.append("leaving")
            words.append(f"{who} leaves on {who.end_date:%-d %b %Y}.")
        if who.pk in away:
            findings.append("away")
            words.append(f"{who} is away.")
    if len(results) > 1 and len(named) != len(set(named)):
        twice = next(who for who in named if named.count(who) > 1)
        findings.append("twice")
        words.append(f"{twice} is asked twice.")
    return Asked(
        person=person,
        people=tuple(dict.fromkeys(named)),
        how="; ".join(one.how for one in results if one.how),
        findings=tuple(dict.fromkeys(findings)),
        words=" ".join(words),
    )


def _why_nobody(reason: str) -> str:
    """Which finding a resolver's reason is. They are our own sentences."""
    if "approves for themselves" in reason:
        return "self"
    if "circle" in reason:
        return "loop"
    if reason.endswith(("has left.", "cannot sign in.")):
        return "inactive"
    return "none"
