"""What the engine does with what is held: write it down, let drop out, let expire, tell people."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError, UncertainError
from people.defaults import workspace_get
from siit_remote.audit.services import record
from workflows.document.parse import parse_document
from workflows.engine.guard import Ruling, guard
from workflows.engine.planner import PlannedWorkflow
from workflows.engine.walk import Next, StepState, next_step
from workflows.engine.world import load_people
from workflows.mail import notice_send
from workflows.models import Approval, Hold, Run, StepRun, Task
from workflows.problems import DocumentError

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from workflows.engine.guard import Guarded
    from workflows.engine.limits import Brake
    from workflows.models import Workflow, WorkflowVersion
    from workflows.nodes import PlannedPerson

    Actor = AbstractBaseUser | AnonymousUser | None

log = logging.getLogger(__name__)
MAY_RELEASE = "workflows.release_hold"


def hold_for_brake(
    workflow: Workflow, version: WorkflowVersion, brake: Brake, *, now: datetime, actor: Actor
) -> Hold:
    """Write down that ``brake`` was pulled; the caller gives the runs their hold."""
    started_by = actor.pk if actor is not None and actor.is_authenticated else None
    return _hold(
        Hold(
            kind=Hold.Kind.LIMIT,
            scope=brake.limit.scope,
            workflow=workflow,
            version=version,
            reason=brake.reason,
            people=brake.count,
            window_hours=brake.limit.per_hours,
            started_by_id=started_by,
        ),
        now=now,
        actor=actor,
    )


def hold_for_protection(run: Run, *, reason: str, now: datetime) -> Hold:
    """Write down that a destructive step waits for a named release of a protected person."""
    return _hold(
        Hold(
            kind=Hold.Kind.PROTECTED,
            workflow=run.workflow,
            version=run.version,
            reason=reason,
            started_by=get_user_model().objects.filter(username=run.started_by).first()
            if run.trigger == "manual"
            else None,
        ),
        now=now,
        actor=None,
    )


def _hold(hold: Hold, *, now: datetime, actor: Actor) -> Hold:
    hold.created_at = now
    hold.expires_at = now + timedelta(days=workspace_get().hold_days)
    hold.save(force_insert=True)
    record(
        "run.held",
        actor=actor,
        object_type="hold",
        object_key=str(hold.pk),
        object_label=hold.workflow.name,
        detail={"reason": hold.reason, "people": hold.people, "scope": hold.scope},
    )
    return hold


def holds_refresh(*, now: datetime) -> None:
    """Let those drop out who are no longer meant, and end lists whose time is over."""
    for hold in Hold.objects.filter(status=Hold.Status.OPEN).select_related("workflow"):
        held = hold.runs.filter(status=Run.Status.HELD)
        if hold.expires_at <= now:
            _expire(hold, now=now)
            continue
        runs = list(held.select_related("workflow", "version").prefetch_related("steps"))
        people = load_people([run.person_id for run in runs])
        for run in runs:
            ruled = _still_meant(run, people, now=now)
            if ruled is not None:
                _drop(run, ruled, now=now)
        hold_settle(hold, now=now)


def _still_meant(run: Run, people: Mapping[int, PlannedPerson], *, now: datetime) -> Guarded | None:
    """The guard's ruling where it ends the run; ``None`` while it is still meant."""
    person = people.get(run.person_id)
    if person is None:
        return None
    try:
        document = parse_document(run.document or run.version.document)
    except DocumentError:
        # Carrying it out says so; a list is not the place.
        return None
    states = {step.key: StepState(step.status, step.outcome) for step in run.steps.all()}
    place = next_step(document, states)
    if not isinstance(place, Next):
        return None
    workflow = PlannedWorkflow(
        key=run.workflow.key, document=document, live_since=run.workflow.live_since
    )
    ruled = guard(
        run,
        workflow,
        person,
        place.step,
        today=now.astimezone(ZoneInfo(person.timezone)).date(),
        effects_begun=bool(states),
    )
    return ruled if ruled.ruling in (Ruling.CANCEL, Ruling.SUPERSEDE) else None


def _drop(run: Run, ruled: Guarded, *, now: datetime) -> None:
    superseded = ruled.ruling is Ruling.SUPERSEDE
    with transaction.atomic():
        dropped = Run.objects.filter(pk=run.pk, status=Run.Status.HELD).update(
            status=Run.Status.SUPERSEDED if superseded else Run.Status.CANCELLED,
            reason=ruled.reason,
            moved_to=run.moved_to if ruled.moved_to is None else ruled.moved_to,
            finished_at=now,
        )
        if dropped:
            steps_cancel([run.pk], reason=ruled.reason, now=now)


def steps_cancel(run_ids: Iterable[int], *, reason: str, now: datetime) -> None:
    """End the open steps of runs that have ended, with the questions and tasks they wait for."""
    open_steps = StepRun.objects.filter(run_id__in=list(run_ids)).exclude(
        status__in=[*StepRun.SETTLED, StepRun.Status.UNCERTAIN]
    )
    keys = list(open_steps.values_list("pk", flat=True))
    StepRun.objects.filter(pk__in=keys).update(
        status=StepRun.Status.CANCELLED, reason=reason, finished_at=now
    )
    Approval.objects.filter(step_id__in=keys, status__in=Approval.OPEN).update(
        status=Approval.Status.CANCELLED
    )
    Task.objects.filter(step_id__in=keys, status=Task.Status.OPEN).update(
        status=Task.Status.CANCELLED, comment=reason
    )


def _expire(hold: Hold, *, now: datetime) -> None:
    days = (hold.expires_at - hold.created_at).days
    words = f"Nobody released it within {days} days, so it was not run."
    with transaction.atomic():
        changed = Hold.objects.filter(pk=hold.pk, status=Hold.Status.OPEN).update(
            status=Hold.Status.EXPIRED, decided_at=now, decision_reason=words
        )
        if not changed:
            return
        ids = list(hold.runs.filter(status=Run.Status.HELD).values_list("pk", flat=True))
        Run.objects.filter(pk__in=ids, status=Run.Status.HELD).update(
            status=Run.Status.CANCELLED, reason=words, finished_at=now, wake_at=None
        )
        steps_cancel(ids, reason=words, now=now)
        record(
            "hold.expired",
            object_type="hold",
            object_key=str(hold.pk),
            object_label=hold.workflow.name,
            detail={"runs": ids},
        )
    _mail(
        hold,
        to=[hold.workflow.owner],
        subject=f"Not run: {hold.workflow.name}",
        text=f"{len(ids)} held run{'' if len(ids) == 1 else 's'} of “{hold.workflow.name}”: "
        f"{words}\n\nWhy it was held: {hold.reason}",
        kind="expired",
    )


def hold_settle(hold: Hold, *, now: datetime) -> None:
    """Close a list on which nobody is left."""
    if hold.runs.filter(status=Run.Status.HELD).exists():
        return
    released = hold.runs.filter(released_at__isnull=False).exists()
    Hold.objects.filter(pk=hold.pk, status=Hold.Status.OPEN).update(
        status=Hold.Status.RELEASED if released else Hold.Status.EMPTY, decided_at=now
    )


def holds_tell(*, now: datetime) -> None:
    """Mail the owner and those who may release, once for each list."""
    for hold in Hold.objects.filter(status=Hold.Status.OPEN, told_at__isnull=True).select_related(
        "workflow"
    ):
        claimed = Hold.objects.filter(pk=hold.pk, told_at__isnull=True).update(told_at=now)
        if not claimed:
            continue
        count = hold.runs.filter(status=Run.Status.HELD).count()
        sent = _mail(
            hold,
            to=[hold.workflow.owner, *_releasers()],
            subject=f"Held: {hold.workflow.name}",
            text=f"{count} run{'' if count == 1 else 's'} of “{hold.workflow.name}” "
            f"{'waits' if count == 1 else 'wait'} before anything has happened.\n\n"
            f"{hold.reason}\n\nUntil {hold.expires_at:%-d %b %Y, %H:%M} UTC a second person may "
            f"release the list; after that it is not run.\n\n{settings.SITE_URL}/held/{hold.pk}/",
            kind="held",
        )
        if not sent:
            # The list stands on its page all the same; the next pass tries again.
            Hold.objects.filter(pk=hold.pk, told_at=now).update(told_at=None)


def _releasers() -> list[str]:
    users = get_user_model().objects.with_perm(
        MAY_RELEASE, backend="django.contrib.auth.backends.ModelBackend"
    )
    return list(users.exclude(email="").values_list("email", flat=True))


def _mail(hold: Hold, *, to: Iterable[str], subject: str, text: str, kind: str) -> bool:
    """Send to each address once; false when nobody at all could be reached."""
    addresses = sorted({address.strip().lower() for address in to if address})
    reached = not addresses
    for address in addresses:
        message = OutgoingMessage(to=address, subject=" ".join(subject.split())[:300], text=text)
        try:
            notice_send(message, key=f"{kind}:{hold.pk}:{address}")
        except UncertainError:
            reached = True
        except IntegrationError as error:
            log.warning("no mail about hold %s: %s", hold.pk, error.code)
        else:
            reached = True
    return reached
