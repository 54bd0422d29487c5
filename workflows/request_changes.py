"""What happens to a request after it was sent: words, other answers, taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.engine.wake import run_wake
from workflows.engine.world import request_facts
from workflows.facts import facts_to_data
from workflows.models import Approval, Request, RequestNote, Run, StepRun
from workflows.notes import note_add
from workflows.question import due_moment, question_of
from workflows.requests import read_form
from workflows.runs import run_cancel
from workflows.services import RefusedError

ENGINE = "siit_remote.tasks.run_due"
Status = Request.Status
_CLOSED = [Status.RESOLVED, Status.CANCELLED]


class RequestRefusedError(Exception):
    """The request was left as it is; the message says why, in words."""


def request_comment(
    request: Request, text: str, *, by: Person, now: datetime, actor: Any = None
) -> RequestNote:
    """Say something. An answer of the requester gives what was asked back to the approver."""
    words = text.strip()
    if not words:
        raise RequestRefusedError("Write something first.")
    with transaction.atomic():
        waiting = [] if by.pk not in _own(request) else _asked_back(request)
        kind = RequestNote.Kind.ANSWER if waiting else RequestNote.Kind.COMMENT
        note = note_add(request, words, now=now, kind=kind, author=by)
        for approval in waiting:
            _give_back(approval, now=now)
        _audit("request.commented", request, actor, by)
        if waiting:
            _wake(request, now=now)
    return note


def _own(request: Request) -> set[int]:
    """Who speaks for the request: the requester, and who asked on their behalf."""
    return {pk for pk in (request.requester_id, request.submitted_by_id) if pk is not None}


def _asked_back(request: Request) -> list[Approval]:
    rows = Approval.objects.filter(step__run__request=request, status=Approval.Status.INFO)
    return list(rows.select_related("approver", "step__run__version"))


def _give_back(approval: Approval, *, now: datetime) -> None:
    """The approver has the time of a new question again, and is told."""
    question = question_of(approval.step)
    due, remind = (question.due_days, question.remind_days) if question else (5, 1)
    Approval.objects.filter(pk=approval.pk, status=Approval.Status.INFO).update(
        status=Approval.Status.PENDING,
        due_at=due_moment(now, due, approval.approver),
        remind_at=due_moment(now, remind, approval.approver),
        notified_at=None,
    )


def _wake(request: Request, *, now: datetime) -> None:
    for pk in request.runs.filter(status__in=Run.OPEN).values_list("pk", flat=True):
        run_wake(pk, at=now)
    ring(ENGINE)


def change_refused(request: Request) -> str:
    """Why the answers can no longer be changed; ``""`` while they can."""
    if not request.is_open:
        return f"The request is {request.get_status_display().lower()} already."
    steps = StepRun.objects.filter(run__request=request)
    if steps.filter(status__in=[StepRun.Status.DONE, StepRun.Status.UNCERTAIN]).exists():
        return "It was approved or begun already. Take it back and send a new one instead."
    return ""


def request_change(
    request: Request,
    form: Mapping[str, Any],
    *,
    revision: int,
    by: Person,
    now: datetime,
    actor: Any = None,
) -> bool:
    """Other answers: whoever was asked is asked again. False when nothing differs.

    ``revision`` is the one that ``by`` saw. Raises ``DocumentError`` naming each wrong field, or
    :class:`RequestRefusedError`.
    """
    values = read_form(request.service, form)
    with transaction.atomic():
        runs = list(Run.objects.select_for_update().filter(request=request, status__in=Run.OPEN))
        fresh = Request.objects.select_for_update().select_related("service").get(pk=request.pk)
        refused = change_refused(fresh)
        if refused:
            raise RequestRefusedError(refused)
        if fresh.revision != revision:
            raise RequestRefusedError("Somebody changed it meanwhile; look at it again.")
        if fresh.form == values:
            return False
        words = _difference(fresh, values)
        Request.objects.filter(pk=fresh.pk).update(
            form=values, revision=revision + 1, updated_at=now
        )
        Approval.objects.filter(
            step__run__request=fresh, status__in=[*Approval.OPEN, Approval.Status.APPROVED]
        ).update(
            status=Approval.Status.CANCELLED, closed_reason="The request changed; it is asked anew."
        )
        fresh.form = values
        for run in runs:
            Run.objects.filter(pk=run.pk).update(
                change={**run.change, **facts_to_data(request_facts(fresh))}
            )
        note_add(fresh, words, now=now, author=by)
        _audit("request.changed", fresh, actor, by, revision=revision + 1)
        _wake(fresh, now=now)
    return True


def _difference(request: Request, values: Mapping[str, Any]) -> str:
    labels = {
        field["name"]: field.get("label") or field["name"] for field in request.service.fields
    }
    names = [
        labels.get(name, name)
        for name in dict.fromkeys([*request.form, *values])
        if request.form.get(name) != values.get(name)
    ]
    return f"Changed: {', '.join(names)}. Whoever decides is asked anew."


def request_cancel(
    request: Request, *, reason: str, by: Person, now: datetime, actor: Any = None
) -> None:
    """Take it back: nobody is asked any more, and no run of it goes on.

    Raises :class:`RequestRefusedError` when it is closed, or something is being done right now.
    """
    words = f"Taken back by {by}" + (f": {reason.strip()}" if reason.strip() else ".")
    with transaction.atomic():
        changed = (
            Request.objects.filter(pk=request.pk)
            .exclude(status__in=_CLOSED)
            .update(status=Status.CANCELLED, status_reason=words, updated_at=now)
        )
        if not changed:
            raise RequestRefusedError("It is closed already; there is nothing to take back.")
        for run in request.runs.filter(status__in=Run.OPEN):
            try:
                run_cancel(run, reason=words, now=now, actor=actor)
            except RefusedError as error:
                raise RequestRefusedError(
                    "A step of it is being carried out this moment; try again in a minute."
                ) from error
        Approval.objects.filter(
            step__run__request=request,
            status__in=[*Approval.OPEN, Approval.Status.CANCELLED],
            closed_reason="",
        ).update(status=Approval.Status.CANCELLED, closed_reason=words[:300])
        note_add(request, words, now=now, author=by)
        _audit("request.cancelled", request, actor, by)


def _audit(action: str, request: Request, actor: Any, by: Person, **detail: Any) -> None:
    record(
        action,
        actor=actor,
        actor_label=by.work_email,
        object_type="request",
        object_key=str(request.pk),
        object_label=request.service.name,
        detail=detail,
    )
