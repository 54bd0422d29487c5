"""Drafts: kept in states, changed by who saw the last one, undone and redone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from siit_remote.audit.services import record
from workflows.category_rights import folded, right_require
from workflows.models import DraftState, Workflow

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from workflows.document.shape import WorkflowDocument

    Actor = AbstractBaseUser | AnonymousUser | None

KEPT = 50
"""So many states of a draft are kept."""
_ONE_SITTING = timedelta(minutes=10)
_ONE_THOUGHT = timedelta(seconds=20)


class DraftConflictError(Exception):
    """Somebody changed the draft since. ``workflow`` is as it stands now."""

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        super().__init__("Somebody else changed this draft in the meantime.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How far a draft can go back and forward."""

    undo: bool
    redo: bool
    undo_what: str = ""
    redo_what: str = ""


def _locked(workflow: Workflow, revision: int | None) -> Workflow:
    """The row, locked. Raises :class:`DraftConflictError` unless it is at ``revision``."""
    locked = Workflow.objects.select_for_update(of=("self",)).get(pk=workflow.pk)
    if revision is not None and locked.draft_revision != revision:
        raise DraftConflictError(
            Workflow.objects.select_related("draft_saved_by").get(pk=locked.pk)
        )
    return locked


def draft_write(
    workflow: Workflow,
    document: WorkflowDocument,
    *,
    now: datetime,
    actor: Actor,
    revision: int | None = None,
    what: str = "",
    typing: bool = False,
) -> Workflow:
    """Make ``document`` the draft, as a new state; an equal one changes nothing.

    ``revision`` is the one the editor saw; ``None`` overwrites whatever stands. ``typing`` joins
    saves that follow each other within seconds into one state.
    """
    data = document.to_data()
    with transaction.atomic():
        locked = _locked(workflow, revision)
        right_require(actor, "edit", locked.category)
        if locked.draft == data:
            return locked
        category = str(data.get("category") or "")
        if folded(category) != folded(str(locked.draft.get("category") or "")):
            # Nobody may put a workflow where they would not have been let in.
            right_require(actor, "edit", category)
        before = (locked.draft_saved_by_id, locked.draft_saved_at)
        _state_add(locked, data, now=now, actor=actor, what=what, typing=typing)
        _point(locked, data, now=now, actor=actor)
        _audit_once_a_sitting(locked, before, now=now, actor=actor)
    return locked


def _state_add(
    locked: Workflow, data: dict[str, Any], *, now: datetime, actor: Actor, what: str, typing: bool
) -> None:
    states = DraftState.objects.filter(workflow=locked)
    states.filter(number__gt=locked.draft_state).delete()
    here = states.filter(number=locked.draft_state).first()
    who = getattr(actor, "pk", None)
    if here is None:
        DraftState.objects.create(
            workflow=locked,
            number=locked.draft_state,
            document=locked.draft,
            saved_at=locked.draft_saved_at,
            saved_by_id=locked.draft_saved_by_id,
        )
    locked.draft_revision += 1
    joins = typing and here is not None and here.what == what and here.saved_by_id == who
    if joins and here is not None and now - here.saved_at < _ONE_THOUGHT:
        here.document, here.saved_at = data, now
        here.save(update_fields=["document", "saved_at"])
        return
    locked.draft_state = locked.draft_revision
    DraftState.objects.create(
        workflow=locked,
        number=locked.draft_state,
        document=data,
        what=what[:120],
        saved_at=now,
        saved_by_id=who,
    )
    kept = states.order_by("-number").values_list("number", flat=True)[KEPT : KEPT + 1]
    for oldest in list(kept):
        states.filter(number__lte=oldest).delete()


def _point(locked: Workflow, data: dict[str, Any], *, now: datetime, actor: Actor) -> None:
    locked.draft = data
    locked.draft_saved_at = now
    locked.draft_saved_by_id = getattr(actor, "pk", None)
    # What is live keeps the name, category and owner that were published with it.
    if locked.live_version_id is None:
        describe(locked, data)
    locked.save()


def describe(workflow: Workflow, data: dict[str, Any]) -> None:
    """The columns that lists show, from a document."""
    workflow.name = data.get("name") or workflow.key
    workflow.category = data.get("category", "")
    workflow.owner = data.get("owner", "").lower()


def _audit_once_a_sitting(
    locked: Workflow, before: tuple[int | None, datetime], *, now: datetime, actor: Actor
) -> None:
    who, at = before
    if who == getattr(actor, "pk", None) and who is not None and now - at < _ONE_SITTING:
        return
    record(
        "workflow.draft_saved",
        actor=actor,
        object_type="workflow",
        object_key=locked.key,
        object_label=locked.name,
        detail={"revision": locked.draft_revision},
    )


def draft_steps(workflow: Workflow) -> Steps:
    """Whether there is something to undo and to redo, and what."""
    states = DraftState.objects.filter(workflow=workflow)
    here = states.filter(number=workflow.draft_state).first()
    earlier = states.filter(number__lt=workflow.draft_state).exists()
    later = states.filter(number__gt=workflow.draft_state).order_by("number").first()
    return Steps(
        undo=earlier,
        redo=later is not None,
        undo_what=here.what if here and earlier else "",
        redo_what=later.what if later else "",
    )


def draft_step(
    workflow: Workflow, *, back: bool, now: datetime, actor: Actor, revision: int | None = None
) -> Workflow:
    """Undo (``back``) or redo: the exact document of the state before or after."""
    with transaction.atomic():
        locked = _locked(workflow, revision)
        right_require(actor, "edit", locked.category)
        states = DraftState.objects.filter(workflow=locked)
        if back:
            to = states.filter(number__lt=locked.draft_state).order_by("-number").first()
        else:
            to = states.filter(number__gt=locked.draft_state).order_by("number").first()
        if to is None:
            return locked
        before = (locked.draft_saved_by_id, locked.draft_saved_at)
        locked.draft_state = to.number
        locked.draft_revision += 1
        _point(locked, to.document, now=now, actor=actor)
        _audit_once_a_sitting(locked, before, now=now, actor=actor)
    return locked


def draft_at(workflow: Workflow, revision: int) -> dict[str, Any] | None:
    """The draft as somebody saw it at a revision, as near as it is kept."""
    states = DraftState.objects.filter(workflow=workflow, number__lte=revision)
    found = states.order_by("-number").first()
    return found.document if found else None
