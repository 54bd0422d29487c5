"""What somebody needs to know to do a failed step by hand."""

from __future__ import annotations

from datetime import datetime

from integrations.errors import IntegrationError
from integrations.models import AppAccess
from people.models import Person
from workflows.document.shape import ActionStep
from workflows.engine.planner import facts_on
from workflows.engine.world import load_people
from workflows.models import StepRun
from workflows.nodes import ACTIONS, Action, ActionContext
from workflows.problems import DocumentError
from workflows.question import step_of
from workflows.templating import TemplateProblemError
from workflows.timing import zone_of


def hand_facts(row: StepRun, *, now: datetime) -> list[str]:
    """What the step would have done for this very person, and for which of it it is still open."""
    step, action = step_of(row), ACTIONS.get(row.action)
    if step is None or action is None:
        return []
    lines = [_described(row, step, action, now=now)]
    rows = AppAccess.objects.filter(run_id=row.run_id, state__in=_OPEN).select_related(
        "application"
    )
    lines += [
        f"{access.application}: {access.get_state_display().lower()}"
        for access in rows.order_by("application__name")
    ]
    return [line for line in lines if line]


_OPEN = (AppAccess.State.REQUESTED, AppAccess.State.REVOKING, AppAccess.State.FAILED)


def _described(row: StepRun, step: ActionStep, action: Action, *, now: datetime) -> str:
    view = load_people([row.run.person_id]).get(row.run.person_id)
    if view is None:
        return ""
    today = now.astimezone(zone_of(view.timezone)).date()
    ctx = ActionContext(
        run=row.run,
        step=row,
        person=Person.objects.select_related("manager", "team", "legal_entity").get(
            pk=row.run.person_id
        ),
        facts={**facts_on(view.facts, today), **row.run.change},
        request=row.run.request,
        now=now,
        before_effect=_nothing,
    )
    try:
        return f"{action.describe(ctx, step.params)}."
    except (IntegrationError, TemplateProblemError, DocumentError):
        # The sentence in the title and the error say it without the details.
        return ""


def _nothing() -> None:
    """Describing has no effect."""
