"""What any page may show of a run's plan and of taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from siit_remote.lib import clock
from workflows.category_rights import CLOSED, rights_of
from workflows.plan_history import plan_history
from workflows.undo import undo_refusal

if TYPE_CHECKING:
    from workflows.models import Run, Workflow

register = template.Library()


@register.simple_tag
def closed_categories(user: Any) -> list[str]:
    """Categories whose workflows the reader may not see, for pages that name what uses a thing."""
    return rights_of(user).closed("view")


@register.inclusion_tag("workflows/parts/workflow_name.html")
def workflow_name(workflow: Workflow, closed: list[str], link: bool = True) -> dict[str, Any]:
    """The workflow by name; without one where its category is among ``closed``."""
    hidden = workflow.category in closed
    return {"workflow": workflow, "hidden": hidden, "words": CLOSED, "link": link}


@register.inclusion_tag("workflows/parts/plan_history.html", name="plan_history")
def plan_history_card(run: Run) -> dict[str, Any]:
    """The dates of the plan, old ones struck through; nothing where none has moved."""
    return {"plan": plan_history(run)}


@register.inclusion_tag("workflows/parts/undo.html", name="undo_button", takes_context=True)
def undo_button(context: dict[str, Any], run: Run) -> dict[str, Any]:
    """The way to a preview of taking the run back, for who may run workflows."""
    done = run.undone_by.first()
    allowed = context["perms"]["workflows"]["run_workflow"]
    return {
        "run": run,
        "done": done,
        "offered": allowed and done is None and not undo_refusal(run, now=clock.now()),
    }
