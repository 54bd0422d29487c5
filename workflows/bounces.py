"""Mail that did not arrive after all: the next channel of its step, else a task, once.

A sender tells of a bounce minutes or days after it took the mail; the run may have ended by then.
So the run is not opened again: the step keeps what it did, says what became of it, and climbs on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.delivery import Purpose, calling_for
from integrations.errors import IntegrationError, UncertainError
from integrations.models import MailEvent
from people.models import Person
from siit_remote.lib.locks import LockBusyError, named_lock
from workflows.actions.send_message import SendMessageAction
from workflows.document.parse import parse_document
from workflows.models import Attempt, Run, StepRun
from workflows.nodes import ActionContext
from workflows.problems import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)
LOOKS_BACK = timedelta(days=7)
"""Older news is shown at the run and followed no more."""
MAY_BE_EARLY = timedelta(hours=1)
"""So long a mail may be unknown: its step may not have been written down yet."""
TRIES_FOR = timedelta(hours=24)
"""How long the next channel is tried, if it is down, before a person is asked."""
AT_ONCE = 500
MARK = "undelivered"
"""Where the outcome of a step says what became of its mail, and what was done then."""


def bounces_follow(*, now: datetime) -> int:
    """Follow what senders have told up to ``now`` (UTC); returns for how many steps.

    Safe to call at any time: one pass at a time, and each step is followed once, however many
    calls name its mail. After a crash it goes on where it stood.
    """
    try:
        with named_lock("bounces", wait=0, hold=600):
            return _follow_all(now=now)
    except LockBusyError:
        return 0


def _follow_all(*, now: datetime) -> int:
    waiting = MailEvent.objects.filter(handled_at=None, kind__in=MailEvent.NOT_THERE)
    waiting.filter(received_at__lte=now - LOOKS_BACK).update(handled_at=now)
    events = list(waiting.select_related("connection").order_by("pk")[:AT_ONCE])
    steps = _steps_of(events)
    followed = 0
    for event in events:
        step = steps.get(event.message_id)
        if step is None:
            # A mail of ours that no step sent: a reminder, a notice.
            if event.received_at <= now - MAY_BE_EARLY:
                _handled([event], now=now)
            continue
        try:
            followed += _follow(step, event, now=now)
        except IntegrationError as error:
            logger.info("bounce of step %s waits: %s", step.pk, error.code)
            continue
        _handled([event], now=now)
    return followed


def _handled(events: Iterable[MailEvent], *, now: datetime) -> None:
    pks = [event.pk for event in events]
    MailEvent.objects.filter(pk__in=pks).update(handled_at=now)


def _steps_of(events: Iterable[MailEvent]) -> dict[str, StepRun]:
    """The step that sent each of these mails, by the sender's id of it."""
    ids = {event.message_id for event in events}
    if not ids:
        return {}
    rows = StepRun.objects.filter(
        action=SendMessageAction.key, status=StepRun.Status.DONE, outcome__message__in=sorted(ids)
    ).select_related("run__workflow", "run__version", "run__request")
    # A run that was started again carries what its first one did.
    return {str(row.outcome["message"]): row for row in rows if "carried_from" not in row.outcome}


def _follow(step: StepRun, event: MailEvent, *, now: datetime) -> int:
    """Mark the step, climb on, write down how. Raises ``IntegrationError`` to be called again."""
    mark = _marked(step, event, now=now)
    if mark is None:
        return 0
    found = _Follow(step=step, event=event, mark=mark, now=now)
    done = found.climb()
    why = str(mark["words"])
    words = done.summary if done.summary.startswith(why) else f"{why} {done.summary}"
    _write(step, {**found.mark, "then": done.summary, **done.detail}, words)
    return 1


def _marked(step: StepRun, event: MailEvent, *, now: datetime) -> dict[str, Any] | None:
    """What the step says of it; ``None`` when it was followed to the end before."""
    with transaction.atomic():
        row = StepRun.objects.select_for_update().get(pk=step.pk)
        known = row.outcome.get(MARK)
        if known is None:
            known = {"kind": event.kind, "words": _words(event), "at": now.isoformat()}
            Attempt.objects.create(
                step=row,
                number=row.tries.count() + 1,
                phase=Attempt.Phase.ENDED,
                started_at=event.received_at,
                ended_at=event.received_at,
                outcome=event.kind,
                error=known["words"],
            )
            row.outcome = {**row.outcome, MARK: known}
            row.save(update_fields=["outcome"])
        step.outcome = row.outcome
    return None if "then" in known else dict(known)


def _words(event: MailEvent) -> str:
    lead = "The mail bounced" if event.kind == MailEvent.Kind.BOUNCED else "The mail was refused"
    return f"{lead}, says {event.connection.name}. {event.why}".strip()


@dataclass(slots=True, kw_only=True)
class _Follow:
    """One step whose mail did not arrive, and how far its following has got."""

    step: StepRun
    event: MailEvent
    mark: dict[str, Any]
    now: datetime

    def climb(self) -> Any:
        """The next rung that works, or the task."""
        action, params = SendMessageAction(), _params(self.step)
        why = str(self.mark["words"])
        if "telling" in self.mark:
            unknown = "It may have been sent another way just now; look before you tell them again."
            return action.ask_somebody(self._context(), params, why=f"{why} {unknown}")
        late = self.event.received_at <= self.now - TRIES_FOR
        if late:
            return action.ask_somebody(self._context(), params, why=why)
        purpose = Purpose(
            words=f"{action.label}, again", run_id=self.step.run_id,
            person_id=self.step.run.person_id, attempt=self.step.attempts + 1,
            key=self.step.idempotency_key,
        )  # fmt: skip
        try:
            with calling_for(purpose):
                return action.tell_otherwise(
                    self._context(),
                    params,
                    after=str(self.step.outcome.get("channel") or "email"),
                    why=why,
                )
        except UncertainError as error:
            return action.ask_somebody(self._context(), params, why=f"{why} {error.message}")

    def _context(self) -> ActionContext:
        run = self.step.run
        person = Person.objects.select_related("manager", "team", "legal_entity").get(
            pk=run.person_id
        )
        return ActionContext(
            run=run,
            step=self.step,
            person=person,
            facts={},
            request=run.request,
            now=self.now,
            before_effect=self._telling,
        )

    def _telling(self) -> None:
        """The point of no return: what dies past it is not repeated."""
        self.mark = {**self.mark, "telling": True}
        _write(self.step, self.mark, "")


def _params(step: StepRun) -> Mapping[str, Any]:
    """What the document says of the step; a task needs no more than nothing."""
    run = step.run
    try:
        found = parse_document(run.document or run.version.document).step(step.key)
    except DocumentError:
        return {}
    params: Mapping[str, Any] = getattr(found, "params", {})
    return params


def _write(step: StepRun, mark: Mapping[str, Any], then: str) -> None:
    """Write the mark, and, once it is over, the words where people read them."""
    with transaction.atomic():
        row = StepRun.objects.select_for_update().get(pk=step.pk)
        row.outcome = {**row.outcome, MARK: dict(mark)}
        if then:
            row.reason = " ".join(filter(None, [row.reason, then]))
            run = Run.objects.select_for_update().get(pk=row.run_id)
            if run.status in (Run.Status.DONE, Run.Status.DONE_WITH_ERRORS):
                run.reason = "; ".join(filter(None, [run.reason, f"“{row.key}”: {then}"]))
                run.save(update_fields=["reason"])
        row.save(update_fields=["outcome", "reason"])
