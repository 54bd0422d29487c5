"""Why a workflow ran for somebody, will run, or does not, at any moment: the whole ladder.

The past is answered from what was known then: the directory with later changes undone, the version
that was live, the runs and the refusals that were written down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from people.models import Person
from siit_remote.audit.models import AuditEntry
from workflows.conditions.evaluate import Truth
from workflows.conditions.masking import data_fields, names_of, trace_masked
from workflows.conditions.trace import TraceNode
from workflows.engine.outlook import HORIZON
from workflows.engine.planner import (
    LOOKBACK,
    Judgement,
    PlannedWorkflow,
    Verdict,
    condition_trace,
    conditions_hold,
    facts_at,
    facts_on,
    local_date,
    plan,
)
from workflows.engine.rungs import (
    HIDDEN_DAY,
    Rung,
    brake_rungs,
    known_words,
    ledger_rung,
    live_rung,
    moment_rung,
    moment_words,
    start_rungs,
    trigger_rung,
)
from workflows.engine.then import world_then
from workflows.engine.world import (
    late_window,
    load_happenings,
    load_world,
    planned_draft,
    planned_version,
)
from workflows.models import Refusal, Run, Workflow, WorkflowVersion
from workflows.nodes import PlannedPerson, PlanningWorld, Window
from workflows.vocabulary import vocabulary_now

_TRUTH = {Truth.TRUE: True, Truth.FALSE: False, Truth.UNKNOWN: None}
_STATUS_AFTER = {
    "workflow.published": Workflow.Status.LIVE,
    "workflow.resumed": Workflow.Status.LIVE,
    "workflow.paused": Workflow.Status.PAUSED,
    "workflow.archived": Workflow.Status.ARCHIVED,
}
_RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer: ``result`` in a word, ``headline`` in a sentence, and what led to it.

    ``result`` is ``ran``, ``running``, ``will_run``, ``due``, ``held``, ``not_matched``,
    ``cannot_tell``, ``unknown_person`` or ``never``.
    """

    result: str
    headline: str
    rungs: tuple[Rung, ...]
    trace: TraceNode | None
    judged: Judgement | None
    version: WorkflowVersion | None
    runs: tuple[Run, ...]
    refusals: tuple[Refusal, ...]
    veiled: bool = False
    """A condition looks at a hidden field: stored reasons must not be shown."""

    def to_data(self) -> dict[str, Any]:
        """As the command ``explain --json`` prints it."""
        return {
            "result": self.result,
            "ladder": [rung.to_data() for rung in self.rungs],
            "conditions": self.trace.to_data() if self.trace else {},
        }


def why(
    workflow: Workflow,
    person: Person,
    *,
    at: datetime,
    now: datetime,
    hidden: Collection[str] = (),
) -> Why:
    """The ladder for one person and the occurrence of ``workflow`` nearest to the moment ``at``.

    ``at`` (UTC) may lie before ``now``, when the directory, version and status of then count, or
    after it. Values of the ``hidden`` fields of the person are left out of every word. Raises
    ``DocumentError`` when the version no longer parses.
    """
    past = at < now
    version = _version_at(workflow, at=at) if past else workflow.live_version
    planned = planned_version(version) if version else planned_draft(workflow, now=now)
    # Its moments, and whether one has come, would tell a date that whoever asks may not see.
    secret = planned.anchor_field in hidden
    if secret and at != now:
        return why(workflow, person, at=now, now=now, hidden=hidden)
    world = load_world(
        happenings=load_happenings(since=min(at, now) - LOOKBACK), person_ids=[person.pk]
    )
    if past:
        world = world_then(world, at=at)
    runs = () if secret else _runs(workflow, person)
    view = world.people.get(person.pk)
    if view is None:
        return _stranger(person, version, runs, at=at)
    judged = _nearest(planned, world, at=at, now=now)
    status = _status_at(workflow, at=at) if past else workflow.status
    facts, today = _facts(judged, view, at=at, now=now)
    shown = condition_trace(planned.document, facts, today, types=vocabulary_now().field_types)
    shown = shown and trace_masked(shown, hidden)
    unseen = names_of(hidden)
    veiled = any(node.field in unseen for node in (shown.walk() if shown else ())) or any(
        data_fields(run.trace) & unseen for run in runs
    )
    truth = conditions_hold(planned.document, facts, today)
    mine = _run_for(judged, runs, at=at)
    rungs = [
        live_rung(workflow, str(status), past=past),
        trigger_rung(planned),
        Rung(check="the person is known", passed=True, detail=known_words(view)),
        moment_rung(judged, now=now, veiled=secret),
        *(start_rungs(judged, veiled=secret) if judged is not None else ()),
        Rung(
            check="conditions",
            passed=_TRUTH[truth],
            detail="; ".join(shown.reasons()) if shown else "Everybody matches.",
        ),
        *brake_rungs(workflow, planned, view, judged, at=at, now=now, started=mine is not None),
        ledger_rung(runs, mine=mine, veiled=veiled),
    ]
    result = _result(judged, truth, mine, live=status == Workflow.Status.LIVE, now=now)
    if secret and result == "due":
        result = "will_run"
    return Why(
        result=result,
        headline=_headline(result, judged, mine, rungs, past=past, veiled=veiled, secret=secret),
        rungs=tuple(rungs),
        trace=shown,
        judged=judged,
        version=version,
        runs=runs,
        refusals=() if secret else _refusals(workflow, person, judged),
        veiled=veiled or secret,
    )


def _runs(workflow: Workflow, person: Person) -> tuple[Run, ...]:
    rows = Run.objects.filter(workflow=workflow, person=person).select_related("version")
    return tuple(rows.order_by("-due_at")[:_RUNS])


def _version_at(workflow: Workflow, *, at: datetime) -> WorkflowVersion | None:
    """What was live then; the first version where nothing was yet."""
    versions = workflow.versions.select_related("workflow")
    earlier = versions.filter(published_at__lte=at).order_by("-number").first()
    return earlier or versions.order_by("number").first()


def _status_at(workflow: Workflow, *, at: datetime) -> str:
    if workflow.live_since is None or workflow.live_since > at:
        return Workflow.Status.DRAFT
    last = (
        AuditEntry.objects.filter(
            object_type="workflow", object_key=workflow.key, action__in=_STATUS_AFTER, at__lte=at
        )
        .order_by("-at", "-pk")
        .first()
    )
    return _STATUS_AFTER[last.action] if last else Workflow.Status.LIVE


def _nearest(
    planned: PlannedWorkflow, world: PlanningWorld, *, at: datetime, now: datetime
) -> Judgement | None:
    """The occurrence that the question is about: due at ``at`` or as near to it as there is."""
    turn = min(at, now)
    within = late_window()
    windows = [
        (Window(start=turn - LOOKBACK, end=turn), turn),
        (Window(start=turn, end=max(at, now) + HORIZON), None),
    ]
    if planned.planned_until is not None and planned.planned_until > turn:
        # What the planner has seen since could not be known at the moment asked about.
        planned = replace(planned, planned_until=turn)
    found = [
        judged
        for window, moment in windows
        for judged in plan(planned, world=world, window=window, now=moment, late_within=within)
    ]
    return min(
        found,
        key=lambda judged: abs((judged.occurrence.due_at - at).total_seconds()),
        default=None,
    )


def _facts(
    judged: Judgement | None, view: PlannedPerson, *, at: datetime, now: datetime
) -> tuple[Mapping[str, Any], date]:
    if judged is None:
        today = at.astimezone(ZoneInfo(view.timezone)).date()
        return facts_on(view.facts, today), today
    turn = min(at, now)
    moment = turn if judged.occurrence.due_at <= turn else None
    return facts_at(judged.occurrence, view), local_date(judged.occurrence, moment)


def _run_for(judged: Judgement | None, runs: tuple[Run, ...], *, at: datetime) -> Run | None:
    """The run of the occurrence; else, where nothing would start, the run nearest to ``at``."""
    for run in runs:
        if judged is not None and run.key == judged.key:
            return run
    if judged is not None and judged.verdict is Verdict.RUN:
        return None
    nearest = min(runs, key=lambda run: abs((run.due_at - at).total_seconds()), default=None)
    if nearest is None or judged is None:
        return nearest
    away = abs((judged.occurrence.due_at - at).total_seconds())
    return nearest if abs((nearest.due_at - at).total_seconds()) <= away else None


def _stranger(
    person: Person, version: WorkflowVersion | None, runs: tuple[Run, ...], *, at: datetime
) -> Why:
    words = (
        f"The directory did not know {person} on {at:%-d %b %Y}: "
        f"they came on {person.created_at:%-d %b %Y}."
    )
    return Why(
        result="unknown_person",
        headline=words,
        rungs=(Rung(check="the person is known", passed=False, detail=words),),
        trace=None,
        judged=None,
        version=version,
        runs=runs,
        refusals=(),
    )


def _refusals(workflow: Workflow, person: Person, judged: Judgement | None) -> tuple[Refusal, ...]:
    rows = Refusal.objects.filter(workflow=workflow, person=person).select_related("version")
    if judged is not None:
        rows = rows.filter(key=judged.key)
    return tuple(rows.order_by("noted_at", "pk")[:_RUNS])


def _result(
    judged: Judgement | None, truth: Truth, mine: Run | None, *, live: bool, now: datetime
) -> str:
    if mine is not None:
        if mine.status == Run.Status.HELD:
            return "held"
        return "ran" if mine.status in Run.ENDED else "running"
    if truth is Truth.FALSE:
        return "not_matched"
    if truth is Truth.UNKNOWN:
        return "cannot_tell"
    if judged is None or not live or judged.verdict is not Verdict.RUN:
        return "never"
    return "due" if judged.occurrence.due_at <= now else "will_run"


def _headline(
    result: str,
    judged: Judgement | None,
    mine: Run | None,
    rungs: list[Rung],
    *,
    past: bool,
    veiled: bool,
    secret: bool,
) -> str:
    """One sentence for who reads no further."""
    if mine is not None:
        words = "" if veiled else mine.reason.rstrip(".")
        tail = f": {words}." if words else "."
        return {
            "held": f"It is held{tail}",
            "running": f"It has started and is {mine.get_status_display().lower()}{tail}",
        }.get(result, f"It started; the run is {mine.get_status_display().lower()}{tail}")
    if judged is not None and result == "will_run":
        return f"It will run on {HIDDEN_DAY if secret else moment_words(judged)}."
    if judged is not None and result == "due":
        if past:
            return "By what was known then it matched, yet there is no run: nothing planned it."
        return "It is due and starts with the next pass, within a minute."
    broken = next((rung for rung in rungs if rung.passed is False), None)
    if result in ("not_matched", "cannot_tell"):
        broken = next(rung for rung in rungs if rung.check == "conditions")
    verb = "did not" if past else "does not"
    lead = "It cannot be told" if result == "cannot_tell" else f"It {verb} run"
    return f"{lead}: {broken.detail}" if broken is not None else f"{lead}."
