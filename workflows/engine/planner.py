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
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from people.choices import PersonStatus
from workflows.conditions.evaluate import Condition, Truth, compile_group
from workflows.conditions.trace import TraceNode, trace
from workflows.document.timing import Timing, parse_timing
from workflows.fields import NO_TYPES, FieldTypes
from workflows.nodes import (
    TRIGGERS,
    Occurrence,
    PlannedPerson,
    PlanningWorld,
    Trigger,
    Window,
)
from workflows.planned import facts_on as facts_on

if TYPE_CHECKING:
    from workflows.document.shape import WorkflowDocument

LOOKBACK = timedelta(days=30)
"""How far back a pass looks for moments that nobody saw pass."""
_NOTICEABLY_LATE = timedelta(hours=1)
_ENDED: Final = str(PersonStatus.ENDED.value)


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

    @cached_property
    def timing(self) -> Timing:
        """When its moments are; what cannot be read is at its default."""
        return parse_timing(self.document.trigger.params, "trigger.params")[0]

    @property
    def anchor_field(self) -> str:
        """The person's date that its moments tell; blank where they tell none."""
        return self.trigger.field if self.trigger is not None else ""

    @cached_property
    def holds(self) -> Condition:
        """The conditions as a function of (facts, today); none at all means everybody."""
        group = self.document.conditions
        return compile_group(group) if group is not None else lambda facts, today: Truth.TRUE


class Judgement(NamedTuple):
    """One occurrence, judged. A tuple, because one pass may make hundreds of thousands of them."""

    workflow: PlannedWorkflow
    occurrence: Occurrence
    person: PlannedPerson
    verdict: Verdict
    reason: str = ""
    late: bool = False

    @property
    def key(self) -> str:
        """Of the run that it is about; worked out whenever asked."""
        return run_key(
            self.workflow.key,
            self.person.id,
            self.workflow.document.trigger.type,
            self.occurrence.anchor,
        )


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
    verdicts: frozenset[Verdict] | None = None,
) -> Iterator[Judgement]:
    """Judge every occurrence of ``workflow`` whose moment lies in ``window``.

    ``now`` is the moment of the pass; ``None`` looks ahead, where each occurrence is judged as at
    its own moment. ``late_within`` is the workspace's catch-up window. Without ``reasons`` it is
    not said why conditions do not hold; :func:`condition_reason` says it one by one. ``verdicts``
    are the only ones to hear of.
    """
    trigger = workflow.trigger
    if trigger is None:
        return
    decide = _deciding(workflow, now=now, late_within=late_within)
    params = workflow.document.trigger.params
    for moment in trigger.moments(params, window=window, world=world):
        due, zone, field, told = moment.due_at, moment.timezone, moment.field, moment.known_at
        day = day_at(due, zone)
        today = day if now is None else day_at(now, zone)
        for person in moment.people:
            known = told or person.known_at.get(field, person.first_seen_at)
            verdict, reason, late = decide(person, due, known, day, today, moment.change)
            if verdicts is not None and verdict not in verdicts:
                continue
            occurrence = moment.occurrence(person, known)
            if reasons and verdict in UNMET:
                reason = condition_reason(workflow, occurrence, person, now=now)
            yield Judgement(workflow, occurrence, person, verdict, reason, late)


_Decision = tuple[Verdict, str, bool]
_RUN: _Decision = (Verdict.RUN, "", False)
_LEFT: _Decision = (Verdict.LEFT, "The person has left by then.", False)
_NOT_MATCHED: _Decision = (Verdict.NOT_MATCHED, "", False)
_CANNOT_TELL: _Decision = (Verdict.CANNOT_TELL, "", False)
_Decide = Callable[[PlannedPerson, datetime, datetime, date, date, Mapping[str, Any]], _Decision]


def _deciding(
    workflow: PlannedWorkflow, *, now: datetime | None, late_within: timedelta
) -> _Decide:
    """What is to be done about a moment of one person, and why not, as a function.

    What is the same for everybody is worked out beforehand: it is asked very many times.
    """
    since, holds, trigger = workflow.live_since, workflow.holds, workflow.trigger
    leavers_too = trigger is None or trigger.includes_ended
    true, false = Truth.TRUE, Truth.FALSE
    early = (
        Verdict.BEFORE_LIVE,
        _before("the workflow went live", since) if since is not None else "",
        False,
    )

    def decide(
        person: PlannedPerson,
        due: datetime,
        known: datetime,
        day: date,
        today: date,
        change: Mapping[str, Any],
    ) -> _Decision:
        possible = due if due >= known else known
        if since is not None and possible <= since:
            return early
        if person.baseline_at is not None and possible <= person.baseline_at:
            return Verdict.BASELINE, _before("the first import", person.baseline_at), False
        facts = person.facts_on(day)
        if change:
            facts = {**facts, **change}
        if not leavers_too and facts.get("person.status") == _ENDED:
            return _LEFT
        truth = holds(facts, today)
        if truth is not true:
            return _NOT_MATCHED if truth is false else _CANNOT_TELL
        if now is None:
            return _RUN
        return _lateness(workflow, due, known, now, late_within)

    return decide


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


@lru_cache(maxsize=1024)
def _before(what: str, moment: datetime) -> str:
    return f"Its moment lies before {what} ({moment:%d %b %Y %H:%M} UTC)."


def _lateness(
    workflow: PlannedWorkflow,
    due: datetime,
    known: datetime,
    now: datetime,
    late_within: timedelta,
) -> _Decision:
    behind = now - due
    timing = workflow.timing
    days = behind.days
    late = behind > _NOTICEABLY_LATE
    words = f"Late: it was due {days} {'day' if days == 1 else 'days'} ago."
    if known > due:
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
    if seen is not None and seen >= due:
        return Verdict.JUDGED, "It did not match when its moment came.", True
    return Verdict.HOLD, f"{words} Beyond {late_within.days} days a person decides.", True


def local_date(occurrence: Occurrence, now: datetime | None) -> date:
    """Today in the occurrence's zone: at the pass, or at its own moment when looking ahead."""
    return day_at(occurrence.due_at if now is None else now, occurrence.timezone)


@lru_cache(maxsize=16_384)
def day_at(moment: datetime, zone: str) -> date:
    """The calendar day at a moment (UTC) in ``zone``: whole offices share theirs."""
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
    facts = person.facts_on(day_at(occurrence.due_at, occurrence.timezone))
    return {**facts, **occurrence.change} if occurrence.change else facts


def live_window(now: datetime) -> Window:
    """What a live pass looks at."""
    return Window(start=now - LOOKBACK, end=now)


def without_history(workflow: PlannedWorkflow) -> PlannedWorkflow:
    """The same version for looking ahead, where nobody has looked at anything yet."""
    return replace(workflow, planned_until=None)
