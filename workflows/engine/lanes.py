"""Which work is carried out first: cutting off a leaver before greeting two thousand newcomers.

A lane is fixed when a run is made, from what its steps do. Work is claimed lane by lane; a run of a
lower lane lets a higher one pass after each of its steps, so that no lane holds a worker for longer
than one call takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.document.shape import ActionStep
from workflows.models import Run
from workflows.nodes import ACTIONS

if TYPE_CHECKING:
    from workflows.document.shape import WorkflowDocument

_TELLS = frozenset({"message.send", "task.create"})
"""Actions that tell somebody something; who waits a minute longer loses nothing."""


def lane_of(document: WorkflowDocument) -> int:
    """Urgent where a step takes something away, bulk where it only tells, else normal."""
    steps = [step for _, step in document.walk() if isinstance(step, ActionStep)]
    actions = [ACTIONS.get(step.action) for step in steps]
    if any(action is not None and action.destructive for action in actions):
        return Run.Lane.URGENT
    tells = all(
        step.action in _TELLS or (action is not None and action.harmless)
        for step, action in zip(steps, actions, strict=True)
    )
    return Run.Lane.BULK if steps and tells else Run.Lane.NORMAL
