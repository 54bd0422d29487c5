"""A date moved after something was done that cannot be taken back: people get a task.

What has not begun is planned again by itself; what is done is not undone behind anybody's back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from workflows.document.parse import parse_document
from workflows.engine.guard import REMOVED, is_destructive, moved_anchor
from workflows.engine.planner import PlannedWorkflow
from workflows.engine.world import load_people
from workflows.models import Run, StepRun
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError
from workflows.tasks_by_hand import task_open

if TYPE_CHECKING:
    from workflows.nodes import Happening, PlannedPerson

CORRECTION = timedelta(days=90)
"""Dates further apart are not one date that moved but two: somebody was hired again."""
_ROLE = "hr"
_FINISHED = (Run.Status.DONE, Run.Status.DONE_WITH_ERRORS, Run.Status.FAILED)


def took_final_effect(step: StepRun) -> bool:
    """Whether the step did, or may have done, what no action can take back."""
    action = ACTIONS.get(step.action)
    happened = step.status in (StepRun.Status.DONE, StepRun.Status.UNCERTAIN)
    return happened and action is not None and action.final


def move_ask(run: Run, steps: Iterable[StepRun], *, words: str, now: datetime) -> None:
    """Open the task for HR, once for each new date of this run."""
    done = [
        f"- {step.outcome.get('summary') or step.key!s}"
        for step in steps
        if step.status in (StepRun.Status.DONE, StepRun.Status.UNCERTAIN)
        and step.action not in ("wait", "branch")
    ]
    what = "\n".join(done) or "- nothing yet"
    task_open(
        key=f"moved:{run.pk}:{run.moved_to}",
        title=f"{run.person}: a date changed after “{run.workflow.name}” had begun",
        body=(
            f"{words}\n\nThis was done for the old date:\n{what}\n\nSee what of it is still right. "
            f"What can be taken back is taken back from the run's page:\n"
            f"{settings.SITE_URL}/runs/{run.pk}/"
        ),
        role=_ROLE,
        subject=run.person,
        now=now,
    )


def moves_after_end(happenings: Iterable[Happening], *, now: datetime) -> None:
    """Look at runs that had ended when their person's dates changed, and ask people about them."""
    people = {
        item.person_id
        for item in happenings
        if item.kind == "person.changed" and item.field.endswith("_date") and not item.baseline
    }
    if not people:
        return
    views = load_people(people)
    runs = (
        Run.objects.filter(person_id__in=people, status__in=_FINISHED, undoes__isnull=True)
        .select_related("workflow", "version", "person")
        .prefetch_related("steps")
    )
    for run in runs.order_by("pk"):
        _look(run, views, now=now)


def _look(run: Run, views: Mapping[int, PlannedPerson], *, now: datetime) -> None:
    view = views.get(run.person_id)
    if view is None:
        return
    try:
        document = parse_document(run.version.document)
    except DocumentError:
        # It parsed when it ran; what it did stands in its steps, and nobody can follow its date.
        return
    planned = PlannedWorkflow(key=run.workflow.key, document=document, live_since=None)
    moved = moved_anchor(run, planned, view)
    steps = list(run.steps.all())
    acted = [
        step
        for step in steps
        if step.status in (StepRun.Status.DONE, StepRun.Status.UNCERTAIN)
        and step.action not in ("wait", "branch")
        and not getattr(ACTIONS.get(step.action), "harmless", False)
    ]
    if moved is None or (moved or REMOVED) == run.moved_to or not acted:
        return
    if moved and not _same_date_moved(run.anchor, moved):
        return
    keeps = bool(moved) and any(map(took_final_effect, steps)) and not _destructive(planned)
    _ask_after_end(run, steps, moved, keeps=keeps, now=now)


def _destructive(planned: PlannedWorkflow) -> bool:
    return any(is_destructive(step) for _, step in planned.document.walk())


def _same_date_moved(before: str, after: str) -> bool:
    try:
        apart = abs(date.fromisoformat(before) - date.fromisoformat(after))
    except ValueError:
        return False
    return apart <= CORRECTION


def _ask_after_end(
    run: Run, steps: Collection[StepRun], moved: str, *, keeps: bool, now: datetime
) -> None:
    """``keeps``: the run answers for the new date too, so that nothing is sent or given twice."""
    words = (
        f"The date moved from {run.anchor} to {moved} after the run had ended."
        if moved
        else f"The date {run.anchor} was removed after the run had ended."
    )
    if keeps:
        words += " It is not done a second time by itself; start it by hand if it is meant."
    elif moved:
        words += " For the new date it is planned again, because access must not stay open."
    with transaction.atomic():
        if keeps:
            Run.objects.filter(pk=run.pk).update(moved_to=moved)
        run.moved_to = moved or REMOVED
        move_ask(run, steps, words=words, now=now)
