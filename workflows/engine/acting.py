"""Call one node: build its context, catch what may go wrong, give back an outcome."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import OperationalError

from integrations.circuits import Reach, connections_reach
from integrations.delivery import Purpose, calling_for
from integrations.errors import IntegrationError, NeedsAttentionError, UnauthorizedError
from integrations.models import AppAccess
from integrations.services import connection_refused
from people.models import Person
from siit_remote.lib import clock
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.trace import trace
from workflows.document.shape import ActionStep, BranchStep, WaitFor, WaitStep, WaitUntil
from workflows.engine.guard import current_facts
from workflows.engine.outcomes import outcome_of_error
from workflows.engine.recording import Begun, effect_mark
from workflows.engine.walk import OTHERWISE
from workflows.models import Task
from workflows.nodes import ACTIONS, ActionContext, Done, Failed, Lane, Retry, Skipped, Wait
from workflows.tasks_by_hand import access_settle
from workflows.timing import moment_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflows.conditions.tree import Group
    from workflows.document.shape import Step
    from workflows.engine.planner import PlannedWorkflow
    from workflows.models import Run, StepRun
    from workflows.nodes import Outcome, PlannedPerson

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What one step stands on: read afresh before it."""

    run: Run
    workflow: PlannedWorkflow
    person: PlannedPerson
    today: date
    now: datetime

    @property
    def facts(self) -> dict[str, Any]:
        """The person's facts now, with what set the run off."""
        return {
            **current_facts(self.run, self.person, today=self.today),
            "person.apps": self.person.facts.get("person.apps"),
        }


def action_perform(footing: Footing, step: ActionStep, row: StepRun, begun: Begun) -> Outcome:
    """Run one action. Nothing that goes wrong inside it may take the engine down."""
    if "by_hand" in row.outcome:
        return hand_pursue(row, now=footing.now)
    facts = footing.facts
    refused = when_refuses(step.when, facts, footing.today)
    if refused:
        return Skipped(reason=refused)
    action = ACTIONS.get(step.action)
    if action is None:
        return Failed(reason=f"This installation does not know the action {step.action}.")
    ctx = ActionContext(
        run=footing.run,
        step=row,
        person=Person.objects.select_related("manager", "team", "legal_entity").get(
            pk=footing.run.person_id
        ),
        facts=facts,
        request=footing.run.request,
        now=footing.now,
        before_effect=partial(effect_mark, begun.attempt),
        interrupted=begun.interrupted,
        effect_begun=begun.effect_begun,
    )
    purpose = Purpose(
        words=action.label,
        run_id=footing.run.pk,
        person_id=footing.run.person_id,
        attempt=max(row.attempts, 1),
        key=row.idempotency_key,
    )
    try:
        with calling_for(purpose):
            return action.run(ctx, step.params)
    except IntegrationError as error:
        dead = isinstance(error, UnauthorizedError)
        if dead and error.connection and not isinstance(error, NeedsAttentionError):
            connection_refused(error.connection, error.message, since=footing.now)
        return _parked(outcome_of_error(error), error.connection)
    except OperationalError:
        # A locked or restarting database passes; the next try begins with what is committed.
        log.warning("database trouble in action %s of run %s", step.action, footing.run.pk)
        return Retry(reason="The database could not be reached; it is tried again.")
    except Exception:
        log.exception("action %s of run %s raised", step.action, footing.run.pk)
        return Failed(reason="An internal error; the log of the worker has the details.")


def _parked(outcome: Outcome, connection: str) -> Outcome:
    """A retry at a connection that is left alone meanwhile waits for that, not for a while."""
    if not isinstance(outcome, Retry) or outcome.awaits or not connection:
        return outcome
    reach = connections_reach([connection], now=clock.now())[connection]
    if reach is Reach.OPEN:
        return outcome
    words = f"{outcome.reason} It goes on by itself when the other side works again."
    return replace(outcome, awaits=connection, reason=words)


def hand_pursue(row: StepRun, *, now: datetime) -> Outcome:
    """What became of the task that stands for a step: done, given up, or still open."""
    task = Task.objects.filter(pk=row.outcome["by_hand"]).first()
    if task is None or task.status == Task.Status.CANCELLED:
        return Failed(reason="The task by hand was cancelled.")
    if task.status == Task.Status.OPEN:
        return Wait(reason=f"Waits for the task “{task.title}”.", detail={"by_hand": task.pk})
    by = task.done_by_label or "somebody"
    if task.status == Task.Status.REFUSED:
        return Failed(reason=f"It could not be done by hand, says {by}: {task.comment}")
    settled = _SETTLED_BY_HAND.get(row.action)
    if settled is not None:
        aim, after = settled
        evidence = {"task": task.pk, "by": by, "what": task.comment}
        rows = AppAccess.objects.filter(run_id=row.run_id, aim=aim).exclude(state=after)
        for access in rows.values_list("pk", flat=True):
            settles = {"access": access, "state": after}
            access_settle(settles, evidence=evidence, now=now)
    return Done(summary=f"Done by hand by {by}.", detail={"task": task.pk}, reason=task.comment)


_SETTLED_BY_HAND: dict[str, tuple[str, str]] = {
    "apps.assign": (AppAccess.Aim.HAVE, AppAccess.State.GRANTED),
    "apps.revoke": (AppAccess.Aim.GONE, AppAccess.State.REVOKED),
}
"""Actions on applications: what a run leaves behind, and what doing it by hand makes of it."""


def when_refuses(when: Group | None, facts: Mapping[str, Any], today: date) -> str:
    """Why a step's own condition passes over it; ``""`` when it applies."""
    if when is None:
        return ""
    truth = compile_group(when)(facts, today)
    if truth is Truth.TRUE:
        return ""
    words = "; ".join(trace(when, facts, today).reasons())
    return words if truth is Truth.FALSE else f"Cannot tell: {words}"


def flow_perform(footing: Footing, step: Step, row: StepRun) -> Outcome:
    """Waits and branches, which are the engine's own."""
    if isinstance(step, BranchStep):
        return branch_choose(step, footing.facts, footing.today)
    if isinstance(step, WaitStep):
        return _wait(footing, step, row)
    raise TypeError(f"{type(step).__name__} is no step of the engine.")


def branch_choose(step: BranchStep, facts: Mapping[str, Any], today: date) -> Lane:
    """The lanes that are open for these facts."""
    open_lanes = [
        str(index)
        for index, lane in enumerate(step.lanes)
        if not when_refuses(lane.when, facts, today)
    ]
    if step.mode == "first_match":
        open_lanes = open_lanes[:1]
    if not open_lanes:
        return Lane(lanes=(OTHERWISE,), summary="No lane matched; took the other way.")
    names = ", ".join(f"“{step.lanes[int(index)].name}”" for index in open_lanes)
    return Lane(lanes=tuple(open_lanes), summary=f"Took {names}.")


def _wait(footing: Footing, step: WaitStep, row: StepRun) -> Outcome:
    until = wait_until(step.wait, footing.facts, footing.person.timezone, since=row.created_at)
    if until is None:
        return Failed(reason="The date it waits for is missing or out of range.", hold=True)
    if until <= footing.now:
        return Done(summary="Waited.", detail={"until": until.isoformat()})
    local = until.astimezone(ZoneInfo(footing.person.timezone))
    return Wait(
        reason=f"Waits until {local:%-d %b %Y, %H:%M} ({footing.person.timezone}).",
        until=until,
    )


def wait_until(
    wait: WaitFor | WaitUntil, facts: Mapping[str, Any], timezone: str, *, since: datetime
) -> datetime | None:
    """The moment (UTC) a wait ends; ``None`` when its date is unknown."""
    if isinstance(wait, WaitFor):
        return since + timedelta(days=wait.days)
    anchor = facts.get(wait.anchor)
    if not isinstance(anchor, date):
        return None
    return moment_of(anchor, offset_days=wait.offset_days, at=wait.at, timezone=timezone)
