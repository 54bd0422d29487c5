"""Every run to come, for everybody and every workflow at once: the planner, looking ahead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from siit_remote.lib.collector import collector_paused
from workflows.engine.ledger import in_ledger
from workflows.engine.outlook import judgements
from workflows.engine.planner import Judgement, PlannedWorkflow, Verdict
from workflows.engine.reach import is_foreseeable, load_ahead, may_match
from workflows.nodes import PlanningWorld


def coming(
    workflows: Iterable[PlannedWorkflow], world: PlanningWorld, *, now: datetime, days: int
) -> list[Judgement]:
    """Every run to come within ``days``, soonest first; what is in the ledger is left out."""
    with collector_paused():
        found = _to_come(workflows, world, now=now, days=days)
    known = in_ledger(found)
    return [judged for judged in found if judged.key not in known] if known else found


def _to_come(
    workflows: Iterable[PlannedWorkflow], world: PlanningWorld, *, now: datetime, days: int
) -> list[Judgement]:
    by_moment: dict[datetime, list[Judgement]] = {}
    for workflow in sorted(workflows, key=lambda workflow: workflow.key):
        if not is_foreseeable(workflow):
            continue
        likely = replace(world, only=may_match(workflow))
        mine = sorted(
            judgements(
                workflow,
                likely,
                now=now,
                ahead=timedelta(days=days),
                verdicts=frozenset({Verdict.RUN}),
            ),
            key=lambda judged: judged.person.id,
        )
        for judged in mine:
            by_moment.setdefault(judged.occurrence.due_at, []).append(judged)
    return [judged for moment in sorted(by_moment) for judged in by_moment[moment]]


def forecast(workflows: list[PlannedWorkflow], *, now: datetime, days: int) -> list[dict[str, Any]]:
    """:func:`coming` as the command ``forecast --json`` prints it."""
    world = load_ahead(workflows, now=now, days=days)
    steps = {
        workflow.key: [step.key for _, step in workflow.document.walk() if not step.disabled]
        for workflow in workflows
    }
    with collector_paused():
        return [
            _forecast_row(judged, steps[judged.workflow.key])
            for judged in coming(workflows, world, now=now, days=days)
        ]


def _forecast_row(judged: Judgement, steps: list[str]) -> dict[str, Any]:
    _, anchor, due, zone, *_ = judged.occurrence
    utc, local = _clocks(due, zone)
    return {
        "workflow": judged.workflow.key,
        "person": judged.person.work_email,
        "anchor": anchor,
        "due_at": utc,
        "local_time": local,
        "timezone": zone,
        "steps": steps,
    }


@lru_cache(maxsize=16_384)
def _clocks(due: datetime, timezone: str) -> tuple[str, str]:
    """The moment in UTC and on the wall there: whole offices share theirs."""
    local = due.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return due.isoformat().replace("+00:00", "Z"), local.isoformat(timespec="seconds")
