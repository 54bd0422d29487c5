"""One run: what it was decided on, what each step did, who did what, and what can be done."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from integrations.models import Delivery, MailEvent
from people.defaults import workspace_get
from people.identity import fields_hidden_from
from people.models import Role
from siit_remote.audit.actions import ACTIONS as AUDIT_WORDS
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from workflows.category_rights import rights_of
from workflows.conditions.describe import value_words
from workflows.conditions.masking import data_fields, data_masked, names_of
from workflows.document.parse import parse_document
from workflows.engine.rungs import Rung, anchor_words
from workflows.engine.why import why
from workflows.fields import field_spec
from workflows.models import Run, StepRun
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError
from workflows.runs_again import ASKING
from workflows.views.rights import right_on
from workflows.views.why import why_address
from workflows.vocabulary import vocabulary_now

_STUCK = (StepRun.Status.FAILED, StepRun.Status.UNCERTAIN, StepRun.Status.RETRYING)


@require_GET
@right_on("view", "workflows.view_run", of="run")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run, by number."""
    steps = StepRun.objects.prefetch_related("tries", "approvals__approver", "tasks")
    found = get_object_or_404(
        Run.objects.select_related(
            "workflow__live_version",
            "version__workflow",
            "person__team",
            "request__service",
            "restarted_from",
        ).prefetch_related(Prefetch("steps", queryset=steps)),
        pk=pk,
    )
    hidden = fields_hidden_from(request.user)
    may = rights_of(request.user).of(found.workflow)
    veiled = bool(data_fields(found.trace) & names_of(hidden))
    return render(
        request,
        "workflows/run.html",
        {
            "run": found,
            "anchor": anchor_words(found.anchor),
            "moved_to": anchor_words(found.moved_to),
            "reason": "" if veiled else found.reason,
            "veiled": veiled,
            "steps": _steps(request, found, may),
            "may": may,
            "trace": data_masked(found.trace, hidden),
            "ladder": _ladder(found, now=clock.now(), hidden=hidden),
            "snapshot": snapshot_words(found.snapshot, hidden=hidden),
            "history": _history(found),
            "restart": found.restarts.first(),
            "why_url": why_address(found.workflow, found.person, found.due_at),
            "roles": Role.objects.order_by("name"),
            "newer": _newer(found),
            "calls_forgotten": _calls_forgotten(request, found, now=clock.now()),
        },
    )


def _calls_forgotten(request: HttpRequest, run: Run, *, now: datetime) -> int:
    """After how many days calls are forgotten, where some of this run may be; else 0."""
    days = workspace_get().calls_kept_days
    old = run.created_at < now - timedelta(days=days)
    return days if old and request.user.has_perm("integrations.view_delivery") else 0


def _newer(run: Run) -> int | None:
    """The number of the live version where it is another than the run's."""
    live = run.workflow.live_version
    return live.number if live is not None and live.pk != run.version_id else None


def _steps(request: HttpRequest, run: Run, may: dict[str, bool]) -> list[dict[str, Any]]:
    """Each step with its words, its attempts and the calls they made outside."""
    words = _step_words(run)
    steps = list(run.steps.all())
    sent: dict[str, list[Delivery]] = defaultdict(list)
    if request.user.has_perm("integrations.view_delivery"):
        sent = _deliveries(steps)
    acts = may["run"] and not run.restarts.exists()
    free = run.status in (
        Run.Status.FAILED,
        Run.Status.HELD,
        Run.Status.WAITING,
        Run.Status.DONE_WITH_ERRORS,
    )
    mail = mail_told([str(step.outcome.get("message") or "") for step in steps])
    rows = []
    for step in steps:
        own = step.status == StepRun.Status.UNCERTAIN or bool(step.outcome.get("hold"))
        stuck = step.status in _STUCK and (run.status != Run.Status.HELD or own)
        waits = step.status == StepRun.Status.WAITING and run.status == Run.Status.WAITING
        movable = acts and free and step.action not in ASKING
        rows.append(
            {
                "row": step,
                "words": words.get(step.key, ""),
                "tries": step.tries.all(),
                "deliveries": sent[step.idempotency_key],
                "mail": mail.get(str(step.outcome.get("message") or ""), []),
                "skips": movable and (stuck or waits),
                "by_hand": movable and stuck and ACTIONS.get(step.action) is not None,
            }
        )
    return rows


def mail_told(message_ids: list[str]) -> dict[str, list[MailEvent]]:
    """What senders told of these mails afterwards, oldest first."""
    found: dict[str, list[MailEvent]] = defaultdict(list)
    wanted = [message_id for message_id in message_ids if message_id]
    for event in MailEvent.objects.filter(message_id__in=wanted).order_by("pk")[:200]:
        found[event.message_id].append(event)
    return found


def _step_words(run: Run) -> dict[str, str]:
    try:
        document = parse_document(run.document or run.version.document)
    except DocumentError:
        return {}
    found, vocabulary = {}, vocabulary_now()
    for _, step in document.walk():
        action = vocabulary.action(getattr(step, "action", ""))
        if action is not None:
            sentence = action.sentence(getattr(step, "params", {}))
            found[step.key] = f"{sentence[:1].upper()}{sentence[1:]}"
    return found


def _deliveries(steps: list[StepRun]) -> dict[str, list[Delivery]]:
    """Calls to the outside by the step's key; one step may make several, each with a suffix."""
    found: dict[str, list[Delivery]] = defaultdict(list)
    for step in steps:
        calls = Delivery.objects.filter(idempotency_key__startswith=step.idempotency_key)
        found[step.idempotency_key] = list(calls.select_related("connection").order_by("pk")[:50])
    return found


def _ladder(run: Run, *, now: datetime, hidden: frozenset[str]) -> tuple[Rung, ...]:
    """Why it was started, as it was then; nothing for a version that cannot be read any more."""
    try:
        return why(
            run.workflow, run.person, at=min(run.created_at, now), now=now, hidden=hidden
        ).rungs
    except DocumentError:
        return ()


def snapshot_words(snapshot: dict[str, Any], *, hidden: frozenset[str]) -> list[tuple[str, str]]:
    """Label and value of what was known of the person when the run was decided."""
    unseen = names_of(hidden)
    rows, types = [], vocabulary_now().field_types
    for key, value in snapshot.items():
        spec = field_spec(key, types)
        if key in unseen or spec is None or value in (None, "", []):
            continue
        rows.append((spec.label, value_words(value, spec)))
    return rows


def _history(run: Run) -> list[tuple[str, AuditEntry]]:
    """Who did what to the run, oldest first."""
    entries = AuditEntry.objects.filter(object_type="run", object_key=str(run.pk)).order_by("pk")
    return [(AUDIT_WORDS.get(entry.action, entry.action), entry) for entry in entries[:100]]
