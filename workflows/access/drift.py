"""How far what is differs from what should be, for one application: by rule, record and report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from integrations.access_calls import is_readable
from integrations.models import AccessReading, AppAccess, Application, ReportedAccess
from people.choices import PersonStatus
from people.models import Person
from workflows.access.should import directory_today, rule_of

if TYPE_CHECKING:
    from workflows.designer.matching import Directory

State, Aim = AppAccess.State, AppAccess.Aim

LEFT, MISSING, BEYOND, UNRECORDED, VANISHED, STUCK = (
    "left",
    "missing",
    "beyond",
    "unrecorded",
    "vanished",
    "stuck",
)
WORDS: Mapping[str, str] = {
    LEFT: "Left, still has it",
    MISSING: "Should have it",
    BEYOND: "Beyond the rule",
    UNRECORDED: "Not written down",
    VANISHED: "No longer there",
    STUCK: "Not finished",
}
"""Kinds of difference, the most pressing first."""
HINTS: Mapping[str, str] = {
    LEFT: "They have left, and the application is still theirs.",
    MISSING: "The rule gives it to them, and they do not have it.",
    BEYOND: "They have it although the rule does not give it to them. It may be meant.",
    UNRECORDED: "The connection reports it, and nobody wrote it down here.",
    VANISHED: "It is written down here, and the connection does not report it any more.",
    STUCK: "Giving or taking it away failed, is uncertain, or waits for somebody.",
}
TOLD_BY_RULE = (MISSING, BEYOND)
_CHUNK = 5_000
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """People by kind of difference (primary keys; a person stands under the first that fits)."""

    application: Application
    kinds: Mapping[str, set[int]] = field(default_factory=dict)
    unknown: int = 0
    """Accounts that the connection reports and that belong to nobody we know."""

    def counts(self) -> dict[str, int]:
        """How many of each kind, and the unknown accounts, where there are any."""
        found = {kind: len(people) for kind, people in self.kinds.items() if people}
        return found | ({"unknown": self.unknown} if self.unknown else {})

    def without_rule(self) -> Drift:
        """Less what only the rule tells: for who may not see a field that it asks for."""
        kinds = {kind: people for kind, people in self.kinds.items() if kind not in TOLD_BY_RULE}
        return replace(self, kinds=kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """What is, by person: rows that are open, and accounts that are reported."""

    states: Mapping[int, tuple[str, str]]
    settled_before: set[int]
    """Whose access was given before the last reading."""
    reported: set[int]
    ended: set[int]
    told: bool
    """Whether the connection's report can be relied upon."""

    def holds(self) -> set[int]:
        """Who has it, by record or report."""
        held = {
            pk
            for pk, (state, aim) in self.states.items()
            if state == State.GRANTED or aim == Aim.GONE
        }
        return held | self.reported


def drift_of(application: Application, *, people: Directory) -> Drift:
    """The differences of one application now: a fixed number of queries, whoever many people."""
    now = _read(application)
    left = now.holds() & now.ended
    stuck = {
        pk
        for pk, (state, _) in now.states.items()
        if state in (State.FAILED, State.UNCERTAIN, State.BY_HAND)
    }
    group = rule_of(application)
    kinds: dict[str, set[int]] = {LEFT: left}
    if group is not None:
        should, perhaps = people.split(group)
        kinds[MISSING] = should - set(now.states) - now.reported - _not_here_yet()
        kinds[BEYOND] = now.holds() - should - perhaps - left - stuck
    kinds[UNRECORDED] = now.reported - set(now.states)
    if now.told:
        kinds[VANISHED] = now.settled_before - now.reported
    kinds[STUCK] = stuck
    return Drift(
        application=application,
        kinds=_each_once(kinds),
        unknown=ReportedAccess.objects.filter(
            application=application, gone_at__isnull=True, person__isnull=True
        ).count(),
    )


def _each_once(kinds: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Everybody under one kind only, the first that fits."""
    seen: set[int] = set()
    found: dict[str, set[int]] = {}
    for kind in WORDS:
        found[kind] = kinds.get(kind, set()) - seen
        seen |= found[kind]
    return found


def _read(application: Application) -> _Now:
    reading = AccessReading.objects.filter(application=application).first()
    told = bool(
        reading is not None
        and reading.read_at is not None
        and not reading.error
        and is_readable(application)
    )
    rows = AppAccess.objects.filter(application=application).exclude(state=State.REVOKED)
    states: dict[int, tuple[str, str]] = {}
    before: set[int] = set()
    for pk, state, aim, since in rows.values_list("person_id", "state", "aim", "since"):
        states[pk] = (state, aim)
        read_at = reading.read_at if reading is not None else None
        if state == State.GRANTED and read_at is not None and since < read_at:
            before.add(pk)
    seen = ReportedAccess.objects.filter(
        application=application, gone_at__isnull=True, person__isnull=False
    )
    if application.provision_by == Application.Provision.ACCOUNT:
        # An account that sleeps opens no door.
        seen = seen.filter(active=True)
    reported = {pk for pk in seen.values_list("person_id", flat=True) if pk is not None}
    # From the rows to the person: the other way round reads every person's rows.
    ended = {
        pk
        for found in (rows, seen)
        for pk in found.filter(person__status=PersonStatus.ENDED)
        .order_by()
        .values_list("person_id", flat=True)
        if pk is not None
    }
    return _Now(states=states, settled_before=before, reported=reported, ended=ended, told=told)


def _not_here_yet() -> set[int]:
    """Who starts later: what they are entitled to comes with their first day."""
    hired = Person.objects.filter(status=PersonStatus.HIRED)
    return set(hired.order_by().values_list("pk", flat=True))


def drift_keep(drift: Drift, *, now: datetime) -> None:
    """Keep the counts for the list of applications, with when they were counted."""
    AccessReading.objects.update_or_create(
        application=drift.application,
        defaults={"drift": drift.counts(), "drift_at": now, "changed": False},
    )


def drift_count(applications: Collection[Application], *, now: datetime) -> int:
    """Count what differs for these applications and keep it; returns how many were counted."""
    if not applications:
        return 0
    people = directory_today(now)
    for application in applications:
        drift_keep(drift_of(application, people=people), now=now)
    return len(applications)


def drift_count_changed(*, now: datetime) -> int:
    """Count again where something happened since the last count, those longest ago first."""
    rows = Application.objects.filter(active=True, reading__changed=True)
    found = rows.select_related("connection").order_by("reading__drift_at", "pk")[:_AT_ONCE]
    return drift_count(list(found), now=now)


def people_sorted(ids: Iterable[int]) -> list[int]:
    """Primary keys by name; of very many only as they come, which costs no memory of names."""
    keys = list(ids)
    if len(keys) > _CHUNK:
        return sorted(keys)
    rows = Person.objects.filter(pk__in=keys).order_by("full_name", "pk")
    return list(rows.values_list("pk", flat=True))
