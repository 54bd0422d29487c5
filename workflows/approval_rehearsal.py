"""Who would be asked, for runs that are still to come. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.approvers.policy import resolve_spec
from workflows.document.shape import ActionStep
from workflows.engine.planner import PlannedWorkflow, facts_on
from workflows.engine.world import load_people
from workflows.forecasting import DRAFT, Coming, Slot, draft_planned, live_planned


def approvers_asked(rows: Iterable[Coming], *, now: datetime) -> dict[Slot, tuple[str, ...]]:
    """For each row whose workflow asks for approvals: the names, or why nobody can be asked."""
    wanted = list(rows)
    live = _asking(live_planned())
    drafts = _asking(draft_planned(now=now)) if any(row.side == DRAFT for row in wanted) else {}
    chosen = [
        (row, steps)
        for row in wanted
        if (steps := (drafts if row.side == DRAFT else live).get(row.workflow))
    ]
    ids = {row.person_id for row, _ in chosen}
    people = Person.objects.select_related("manager", "team", "legal_entity").in_bulk(ids)
    views = load_people(ids) if ids else {}
    found: dict[Slot, tuple[str, ...]] = {}
    for row, steps in chosen:
        person = people.get(row.person_id)
        if person is None:
            continue
        facts = facts_on(views[row.person_id].facts, row.day)
        names = [
            name for step in steps for name in _names(step, person=person, facts=facts, now=now)
        ]
        found[row.slot] = tuple(dict.fromkeys(names))
    return found


def _asking(planned: list[PlannedWorkflow]) -> dict[str, list[ActionStep]]:
    """Workflow key → its steps that ask somebody, disabled ones left out."""
    found = {}
    for workflow in planned:
        steps = [
            step
            for _, step in workflow.document.walk()
            if isinstance(step, ActionStep)
            and step.action == "approval.request"
            and not step.disabled
        ]
        if steps:
            found[workflow.key] = steps
    return found


def _names(
    step: ActionStep, *, person: Person, facts: Mapping[str, Any], now: datetime
) -> list[str]:
    """Whom one step would ask as things stand; the fallback where the first choice is nobody."""
    reason = "nobody"
    for name in ("approver", "fallback"):
        spec = step.params.get(name)
        if not isinstance(spec, Mapping):
            continue
        answer = resolve_spec(spec, subject=person, facts=facts, now=now)
        if answer.people:
            return [str(asked) for asked in answer.people]
        reason = answer.reason or reason
    return [f"Nobody: {reason}"]
