"""Take back what one run did: previewed first, as a run of its own, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.category_rights import right_require
from workflows.document.parse import parse_document
from workflows.document.shape import FORMAT, ActionStep
from workflows.engine.planner import run_key
from workflows.models import Run, StepRun
from workflows.nodes import ACTIONS, ByHand, Compensation, NothingToUndo, UndoContext
from workflows.problems import DocumentError
from workflows.services import RefusedError

if TYPE_CHECKING:
    from workflows.nodes import Action
    from workflows.services import Actor

ENGINE = "siit_remote.tasks.run_due"
UNDO_WITHIN = timedelta(days=90)
"""Longer ago, the world has moved on: a person looks at each thing."""
TRIGGER = "undo"
_ROLE = "it"
_ENDED = (
    Run.Status.DONE,
    Run.Status.DONE_WITH_ERRORS,
    Run.Status.FAILED,
    Run.Status.CANCELLED,
    Run.Status.SUPERSEDED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """One step that is taken back by an action."""

    key: str
    words: str
    action: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan:
    """What an undo would do, latest step first. Texts are words for people."""

    steps: tuple[TakenBack, ...] = ()
    by_hand: tuple[str, ...] = ()
    """What no action can take back; it becomes one task."""
    nothing: tuple[str, ...] = ()
    """What needs no taking back, and why."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all to do."""
        return not self.steps and not self.by_hand


def undo_refusal(run: Run, *, now: datetime) -> str:
    """Why this run cannot be undone at ``now``; ``""`` when it can."""
    if run.undoes_id is not None:
        return "This run takes another one back; start the workflow again instead."
    if run.status not in _ENDED:
        return "It has not ended. Cancel it first; then what it did can be taken back."
    ended = run.finished_at or run.created_at
    if now - ended > UNDO_WITHIN:
        return f"It ended more than {UNDO_WITHIN.days} days ago; look at each step by hand."
    if run.steps.filter(status__in=[StepRun.Status.DONE, StepRun.Status.UNCERTAIN]).exists():
        return ""
    failed = run.steps.filter(status=StepRun.Status.FAILED).values_list("action", flat=True)
    if any(action is not None and action.reversible for action in map(ACTIONS.get, failed)):
        return ""
    return "It did nothing that could be taken back."


def undo_plan(run: Run, *, now: datetime) -> UndoPlan:
    """What undoing ``run`` at ``now`` would do. Looks only; has no effect of any kind."""
    steps: list[TakenBack] = []
    by_hand: list[str] = []
    nothing: list[str] = []
    for row in run.steps.order_by("-position", "-pk"):
        action = ACTIONS.get(row.action)
        if action is None or not _counts(row, action):
            continue
        found = _undoing(run, row, action, now=now)
        match found:
            case Compensation(action=by, params=params, words=words):
                key = f"undo-{row.key}"[:80]
                steps.append(TakenBack(key=key, words=words, action=by, params=params))
            case ByHand(words=words):
                by_hand.append(words)
            case NothingToUndo(why=why):
                nothing.append(f"{action.label}: {why}")
    return UndoPlan(steps=tuple(steps), by_hand=tuple(by_hand), nothing=tuple(nothing))


def _counts(row: StepRun, action: Action) -> bool:
    """Done, perhaps done, or failed after a part of it may have been done."""
    if row.status in (StepRun.Status.DONE, StepRun.Status.UNCERTAIN):
        return True
    return row.status == StepRun.Status.FAILED and action.reversible is not None


def _undoing(
    run: Run, row: StepRun, action: Action, *, now: datetime
) -> Compensation | ByHand | NothingToUndo:
    found = action.undo(
        UndoContext(run=run, step=row, person=run.person, params=_params(run, row.key))
    )
    if row.status == StepRun.Status.UNCERTAIN and not isinstance(found, Compensation):
        return ByHand(words=f"{action.label}: nobody knows whether it happened. Look first.")
    reversal = action.reversible
    done_at = row.finished_at or now
    late = reversal is not None and now - done_at > timedelta(days=reversal.days)
    if isinstance(found, Compensation) and late:
        return ByHand(words=f"{found.words} (too long ago to do it by itself)")
    return found


def _params(run: Run, key: str) -> dict[str, Any]:
    try:
        step = parse_document(run.document or run.version.document).step(key)
    except DocumentError:
        # What the step wrote down still says most of it.
        return {}
    return dict(step.params) if isinstance(step, ActionStep) else {}


def run_undo(run: Run, *, reason: str, now: datetime, actor: Actor) -> Run:
    """Take ``run`` back by a run of its own; asked twice, it gives the same one.

    Raises :class:`RefusedError` without a reason, too late, or with nothing to take back.
    """
    right_require(actor, "run", run.workflow.category)
    if not reason.strip():
        raise RefusedError("Say why it is taken back; the reason stays with the run.")
    present = run.undone_by.first()
    if present is not None:
        return present
    refused = undo_refusal(run, now=now)
    if refused:
        raise RefusedError(refused)
    plan = undo_plan(run, now=now)
    if plan.empty:
        raise RefusedError("There is nothing to take back.")
    try:
        with transaction.atomic():
            made = _create(run, plan, now=now, actor=actor)
            record(
                "run.undone",
                actor=actor,
                object_type="run",
                object_key=str(run.pk),
                object_label=f"{run.workflow.name}: {run.person}",
                detail={"by_run": made.pk, "reason": reason.strip()[:300]},
            )
            ring(ENGINE)
    except IntegrityError:
        # Somebody else was faster by the same key.
        return Run.objects.get(undoes=run)
    return made


def _create(run: Run, plan: UndoPlan, *, now: datetime, actor: Actor) -> Run:
    anchor = f"run:{run.pk}"
    return Run.objects.create(
        workflow=run.workflow,
        version=run.version,
        person=run.person,
        undoes=run,
        document=_document(run, plan),
        trigger=TRIGGER,
        anchor=anchor,
        key=run_key(run.workflow.key, run.person_id, TRIGGER, anchor),
        status=Run.Status.QUEUED,
        lane=Run.Lane.NORMAL,
        due_at=now,
        timezone=run.timezone,
        snapshot={},
        wake_at=now,
        created_at=now,
        started_by=actor.get_username() if actor is not None else "system",
    )


def _document(run: Run, plan: UndoPlan) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [
        {"key": step.key, "action": step.action, "params": step.params, "on_error": "continue"}
        for step in plan.steps
    ]
    if plan.by_hand:
        lines = "\n".join(f"- {_plain(words)}" for words in plan.by_hand)
        title = f"Take back by hand for {_plain(str(run.person))}"
        body = f"Run {run.pk} of “{_plain(run.workflow.name)}” was undone. By hand:\n{lines}"
        params = {"title": title[:300], "body": body, "assignee": _ROLE}
        steps.append({"key": "undo-by-hand", "action": "task.create", "params": params})
    document = {
        "format": FORMAT,
        "key": run.workflow.key,
        "name": f"Undo: {run.workflow.name}"[:200],
        "owner": run.workflow.owner,
        "trigger": {"type": "manual"},
        "steps": steps,
    }
    return parse_document(document).to_data()


def _plain(text: str) -> str:
    """Words of others must not become placeholders of a template."""
    return text.replace("{", "(").replace("}", ")")
