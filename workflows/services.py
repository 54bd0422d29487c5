"""What an admin does with workflows and their runs; one function per act, audited, conditional."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from integrations.models import Connection
from siit_remote.audit.services import record
from workflows.category_rights import right_require
from workflows.document.parse import parse_document
from workflows.document.shape import ActionStep
from workflows.document.validate import validate_document
from workflows.drafts import describe, draft_write
from workflows.models import Run, Workflow, WorkflowVersion
from workflows.problems import DocumentError, Problem
from workflows.vocabulary import vocabulary_now

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from workflows.document.shape import WorkflowDocument

    Actor = AbstractBaseUser | AnonymousUser | None


class RefusedError(Exception):
    """What was asked cannot be done now; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedWorkflow:
    """A workflow after an import, with what stands in the way of publishing."""

    workflow: Workflow
    version: int | None
    problems: tuple[Problem, ...]


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document's plain data: equal digests are equal documents."""
    body = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(body.encode()).hexdigest()


def document_problems(document: WorkflowDocument) -> list[Problem]:
    """Everything that keeps a document from being published, and warnings."""
    return [*validate_document(document, vocabulary_now()), *_disconnected(document)]


def _disconnected(document: WorkflowDocument) -> Iterator[Problem]:
    """Steps that name a connection which is there but was taken off."""
    gone = Connection.objects.filter(status=Connection.Status.DISCONNECTED)
    names = dict(gone.values_list("key", "name"))
    for path, step in document.walk():
        key = step.params.get("connection") if isinstance(step, ActionStep) else None
        if isinstance(key, str) and key in names:
            words = f"{names[key]} is disconnected: connect it again or choose another."
            yield Problem(f"{path}.params.connection", words)


def draft_save(document: WorkflowDocument, *, now: datetime, actor: Actor = None) -> Workflow:
    """Store ``document`` as the draft of the workflow with its key, making it where it is new."""
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().filter(key=document.key).first()
        if workflow is None:
            right_require(actor, "edit", document.category)
            workflow = Workflow(
                key=document.key, created_at=now, draft=document.to_data(), draft_saved_at=now
            )
            workflow.draft_saved_by_id = getattr(actor, "pk", None)
            describe(workflow, workflow.draft)
            workflow.save()
            record(
                "workflow.draft_saved",
                actor=actor,
                object_type="workflow",
                object_key=workflow.key,
                object_label=workflow.name,
            )
            return workflow
        return draft_write(workflow, document, now=now, actor=actor, what="Import")


def workflow_publish(
    workflow: Workflow, *, now: datetime, actor: Actor = None, move: Iterable[int] = ()
) -> WorkflowVersion:
    """Make the draft live as a new immutable version; unchanged drafts make none.

    Running cases finish on the version they began with, except those of ``move`` (run ids): where
    they stand follows from the keys of their steps, so they go on in the new version.
    Raises ``DocumentError`` with every error that stands in the way.
    """
    document = parse_document(workflow.draft)
    right_require(actor, "publish", workflow.category, document.category)
    errors = [problem for problem in document_problems(document) if problem.level == "error"]
    if errors:
        raise DocumentError(errors)
    data = document.to_data()
    digest = digest_of(data)
    with transaction.atomic():
        locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
        present = locked.live_version
        if (
            present is not None
            and present.digest == digest
            and locked.status == Workflow.Status.LIVE
        ):
            return present
        number = (locked.versions.aggregate(top=Max("number"))["top"] or 0) + 1
        version = WorkflowVersion.objects.create(
            workflow=locked,
            number=number,
            document=data,
            digest=digest,
            published_at=now,
            published_by_id=getattr(actor, "pk", None),
        )
        locked.live_version = version
        locked.live_since = locked.live_since or now
        describe(locked, data)
        locked.status = Workflow.Status.LIVE
        locked.status_reason = ""
        locked.save()
        record(
            "workflow.published",
            actor=actor,
            object_type="workflow",
            object_key=locked.key,
            object_label=locked.name,
            detail={"version": number},
        )
        _runs_move(locked, version, move, actor=actor)
    workflow.refresh_from_db()
    return version


def _runs_move(
    workflow: Workflow, version: WorkflowVersion, run_ids: Iterable[int], *, actor: Actor
) -> None:
    """Only cases that nobody works at in this moment; the others finish where they began."""
    resting = [Run.Status.QUEUED, Run.Status.WAITING]
    rows = Run.objects.filter(workflow=workflow, pk__in=list(run_ids), status__in=resting)
    moved = rows.update(version=version)
    if moved:
        record(
            "run.moved",
            actor=actor,
            object_type="workflow",
            object_key=workflow.key,
            object_label=workflow.name,
            detail={"version": version.number, "runs": moved},
        )


_ACTS = {
    "pause": ([Workflow.Status.LIVE], Workflow.Status.PAUSED, "workflow.paused"),
    "resume": ([Workflow.Status.PAUSED], Workflow.Status.LIVE, "workflow.resumed"),
    "archive": (
        [Workflow.Status.DRAFT, Workflow.Status.LIVE, Workflow.Status.PAUSED],
        Workflow.Status.ARCHIVED,
        "workflow.archived",
    ),
}


def workflow_act(workflow: Workflow, act: str, *, reason: str, now: datetime, actor: Actor) -> None:
    """``pause``, ``resume`` or ``archive``. Raises :class:`RefusedError` in another status."""
    right_require(actor, "publish", workflow.category)
    allowed, status, audit = _ACTS[act]
    with transaction.atomic():
        # What happens meanwhile is taken up by other workflows' passes: the first one looks back.
        changed = Workflow.objects.filter(pk=workflow.pk, status__in=allowed).update(
            status=status, status_reason=reason[:300], planned_whole_at=None
        )
        if not changed:
            raise RefusedError(f"A workflow that is {workflow.status} cannot {act}.")
        if act == "resume":
            workflow.runs.filter(status="waiting", wake_at__isnull=True).update(wake_at=now)
        record(
            audit,
            actor=actor,
            object_type="workflow",
            object_key=workflow.key,
            object_label=workflow.name,
            detail={"reason": reason},
        )


def workflow_import(
    document: WorkflowDocument, *, publish: bool, now: datetime, actor: Actor = None
) -> SavedWorkflow:
    """Save as a draft and, where asked and free of errors, publish."""
    problems = tuple(document_problems(document))
    workflow = draft_save(document, now=now, actor=actor)
    if publish and not any(problem.level == "error" for problem in problems):
        version = workflow_publish(workflow, now=now, actor=actor)
        return SavedWorkflow(workflow=workflow, version=version.number, problems=problems)
    present = workflow.live_version
    return SavedWorkflow(
        workflow=workflow, version=present.number if present else None, problems=problems
    )
