"""Who is due, when, and why not: the one pure function behind live, preview, forecast and explain.

They differ only in the window they look at and in what is done with the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from people.choices import ContractStatus, PersonStatus
from workflows.conditions.evaluate import Condition, Truth, compile_group
from workflows.conditions.trace import TraceNode, trace
from workflows.document.timing import parse_timing
from workflows.fields import NO_TYPES, FieldTypes
from workflows.nodes import (
    TRIGGERS,
    Occurrence,
    PlannedPerson,
    PlanningWorld,
    Trigger,
    Window,
)

if TYPE_CHECKING:
    from workflows.document.shape import WorkflowDocument

LOOKBACK = timedelta(days=30)
"""How far back a pass looks for moments that nobody saw pass."""
_NOTICEABLY_LATE = timedelta(hours=1)


class Verdict(StrEnum):
    """What is to be done about one occurrence."""

    RUN = "run"
    HOLD = "hold"
    SKIP_LATE = "skip_late"
    NOT_MATCHED = "not_matched"
    CANNOT_TELL = "cannot_tell"
    BEFORE_LIVE = "before_live"
    BASELINE = "baseline"
    LEFT = "left"
    JUDGED = "judged"


STARTS = frozenset({Verdict.RUN, Verdict.HOLD, Verdict.SKIP_LATE})
"""Verdicts that leave a row in the ledger."""
UNMET = frozenset({Verdict.NOT_MATCHED, Verdict.CANNOT_TELL})
"""Verdicts that the conditions gave."""


@dataclass(frozen=True)
class PlannedWorkflow:
    """A version as the planner sees it."""

    key: str
    document: WorkflowDocument
    live_since: datetime | None
    planned_until: datetime | None = None

    @cached_property
    def trigger(self) -> Trigger | None:
        """``None`` for a trigger this installation does not know."""
        return TRIGGERS.get(self.document.trigger.type)

    @property
    def anchor_field(self) -> str:
        """The person's date that its moments tell; blank where they tell none."""
        return self.trigger.field if self.trigger is not None else ""

    @cached_property
    def holds(self) -> Condition:
        """The conditions as a function of (facts, today); none at all means everybody."""
        group = self.document.conditions
        return compile_group(group) if group is not None else lambda facts, today: Truth.TRUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One occurrence, judged. ``trace`` is there when conditions were looked at in detail."""

    occurrence: Occurrence
    person: PlannedPerson
    verdict: Verdict
    reason: str = ""
    late: bool = False
    key: str = ""


def run_key(workflow: str, person_id: int, trigger: str, anchor: str) -> str:
    """The ledger's key of a run: same happening, same key, on every machine and in every pass."""
    text = "\x1f".join(("run", workflow, str(person_id), trigger, anchor))
    return hashlib.sha256(text.encode()).hexdigest()


def step_key(run: str, step: str) -> str:
    """The idempotency key of a step, stable over retries and restored backups."""
    return hashlib.sha256(f"step\x1f{run}\x1f{step}".encode()).hexdigest()


def plan(
    workflow: PlannedWorkflow,
    *,
    world: PlanningWorld,
    window: Window,
    now: datetime | None,
    late_within: timedelta,
    reasons: bool = True,
) -> Iterator[Judgement]:
    """Judge every occurrence of ``workflow`` whose moment lies in ``window``.

    ``now`` is the moment of the pass; ``None`` looks ahead, where each occurrence is judged as at
    its own moment. ``late_within`` is the workspace's catch-up window. Without ``reasons`` it is
    not said why conditions do not hold; :func:`condition_reason` says it one by one.
    """
    trigger = workflow.trigger
    if trigger is None:
        return
    params = workflow.document.trigger.params
    for occurrence in trigger.occurrences(params, window=window, world=world):
        person = world.people.get(occurrence.person_id)
        if person is None:
            continue
        yield judge(workflow, occurrence, person, now=now, late_within=late_within, reasons=reasons)


def judge(
    workflow: PlannedWorkflow,
    occurrence: Occurrence,
    person: PlannedPerson,
    *,
    now: datetime | None,
    late_within: timedelta,
    reasons: bool = True,
) -> Judgement:
    """What is to be done about one occurrence of one person, and why not."""
    verdict, reason, late = _verdict(workflow, occurrence, person, now, late_within)
    if reasons and verdict in UNMET:
        reason = condition_reason(workflow, occurrence, person, now=now)
    return Judgement(
        occurrence=occurrence,
        person=person,
        verdict=verdict,
        reason=reason,
        late=late,
        key=run_key(workflow.key, person.id, workflow.document.trigger.type, occurrence.anchor),
    )


def _verdict(
    workflow: PlannedWorkflow,
    occurrence: Occurrence,
    person: PlannedPerson,
    now: datetime | None,
    late_within: timedelta,
) -> tuple[Verdict, str, bool]:
    due, known = occurrence.due_at, occurrence.known_at
    first_possible = max(due, known)
    if workflow.live_since is not None and first_possible <= workflow.live_since:
        return Verdict.BEFORE_LIVE, _before("the workflow went live", workflow.live_since), False
    if person.baseline_at is not None and first_possible <= person.baseline_at:
        return Verdict.BASELINE, _before("the first import", person.baseline_at), False
    facts = facts_at(occurrence, person)
    trigger = workflow.trigger
    if (
        trigger is not None
        and not trigger.includes_ended
        and facts.get("person.status") == PersonStatus.ENDED
    ):
        return Verdict.LEFT, "The person has left by then.", False
    truth = workflow.holds(facts, local_date(occurrence, now))
    if truth is not Truth.TRUE:
        return Verdict.NOT_MATCHED if truth is Truth.FALSE else Verdict.CANNOT_TELL, "", False
    if now is None:
        return Verdict.RUN, "", False
    return _lateness(workflow, occurrence, now, late_within)


def condition_reason(
    workflow: PlannedWorkflow,
    occurrence: Occurrence,
    person: PlannedPerson,
    *,
    now: datetime | None,
) -> str:
    """Why the conditions do not hold for one occurrence, in words joined by ``; ``."""
    facts = facts_at(occurrence, person)
    found = condition_trace(workflow.document, facts, local_date(occurrence, now))
    return "; ".join(found.reasons()) if found else ""


def _before(what: str, moment: datetime) -> str:
    return f"Its moment lies before {what} ({moment:%d %b %Y %H:%M} UTC)."


def _lateness(
    workflow: PlannedWorkflow, occurrence: Occurrence, now: datetime, late_within: timedelta
) -> tuple[Verdict, str, bool]:
    behind = now - occurrence.due_at
    timing, _ = parse_timing(workflow.document.trigger.params, "trigger.params")
    days = behind.days
    late = behind > _NOTICEABLY_LATE
    words = f"Late: it was due {days} {'day' if days == 1 else 'days'} ago."
    if occurrence.known_at > occurrence.due_at:
        if timing.late_policy == "skip":
            return Verdict.SKIP_LATE, "Its date became known after its own moment; skipped.", True
        if timing.late_policy == "ask":
            return Verdict.HOLD, "Its date became known after its own moment.", True
        within = timedelta(days=timing.late_within_days)
        if behind > within:
            return Verdict.HOLD, f"{words} Beyond {within.days} days a person decides.", True
        return Verdict.RUN, words if late else "", late
    if behind <= late_within:
        return Verdict.RUN, words if late else "", late
    seen = workflow.planned_until
    if seen is not None and seen >= occurrence.due_at:
        return Verdict.JUDGED, "It did not match when its moment came.", True
    return Verdict.HOLD, f"{words} Beyond {late_within.days} days a person decides.", True


def local_date(occurrence: Occurrence, now: datetime | None) -> date:
    """Today in the occurrence's zone: at the pass, or at its own moment when looking ahead."""
    if now is None:
        return _day_at(occurrence.due_at, occurrence.timezone)
    return now.astimezone(ZoneInfo(occurrence.timezone)).date()


@lru_cache(maxsize=16_384)
def _day_at(moment: datetime, zone: str) -> date:
    """The calendar day at a moment: whole offices share theirs."""
    return moment.astimezone(ZoneInfo(zone)).date()


def conditions_hold(document: WorkflowDocument, facts: Mapping[str, Any], today: date) -> Truth:
    """The document's conditions; none at all means everybody."""
    if document.conditions is None:
        return Truth.TRUE
    return compile_group(document.conditions)(facts, today)


def condition_trace(
    document: WorkflowDocument,
    facts: Mapping[str, Any],
    today: date,
    *,
    types: FieldTypes = NO_TYPES,
) -> TraceNode | None:
    """The same answer with the value at each rule; ``None`` where there are no conditions.

    ``types`` bring the names of keys to its words.
    """
    if document.conditions is None:
        return None
    return trace(document.conditions, facts, today, types=types)


def facts_at(occurrence: Occurrence, person: PlannedPerson) -> Mapping[str, Any]:
    """The person's facts as they will be on the day, with what set the occurrence off."""
    facts = facts_on(person.facts, _day_at(occurrence.due_at, occurrence.timezone))
    return {**facts, **occurrence.change} if occurrence.change else facts


def facts_on(facts: Mapping[str, Any], day: date) -> Mapping[str, Any]:
    """Carry forward what a calendar day alone decides: the status that follows from the dates.

    Where it decides nothing, these are the facts themselves, not a copy.
    """
    start, end = facts.get("person.start_date"), facts.get("person.end_date")
    status, contract = facts.get("person.status"), facts.get("person.contract_status")
    if status == PersonStatus.HIRED and start is not None and start <= day:
        status = PersonStatus.OFFBOARDING if end is not None else PersonStatus.ACTIVE
        contract = ContractStatus.ACTIVE
    if status in (PersonStatus.ACTIVE, PersonStatus.OFFBOARDING) and end is not None and end < day:
        status, contract = PersonStatus.ENDED, ContractStatus.ENDED
    words, terms = str(status), str(contract or "")
    if facts.get("person.status") == words and facts.get("person.contract_status") == terms:
        return facts
    return {**facts, "person.status": words, "person.contract_status": terms}


_DAY_DECIDES = frozenset({"person.status", "person.contract_status"})


def may_match(workflow: PlannedWorkflow) -> Callable[[PlannedPerson], bool] | None:
    """Tells of a person whether the conditions could hold on any day; ``None`` where days decide.

    Looking ahead, whoever it refuses needs no moment worked out.
    """
    group = workflow.document.conditions
    if group is None:
        return None
    for _, rule in group.walk_rules():
        fixed = rule.field.startswith("person.") and rule.field not in _DAY_DECIDES
        if not fixed or rule.operator in ("in_next_days", "in_last_days"):
            return None
    holds = workflow.holds
    return lambda person: holds(person.facts, date.min) is Truth.TRUE


def live_window(now: datetime) -> Window:
    """What a live pass looks at."""
    return Window(start=now - LOOKBACK, end=now)


def without_history(workflow: PlannedWorkflow) -> PlannedWorkflow:
    """The same version for looking ahead, where nobody has looked at anything yet."""
    return replace(workflow, planned_until=None)
