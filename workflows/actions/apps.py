"""What giving and taking applications share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from integrations.access import AccessResult
from integrations.errors import (
    ConfigError,
    IntegrationError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
)
from integrations.models import AppAccess, Application
from people.models import Person
from workflows.access.should import entitled_applications
from workflows.actions.ladder import repeatable, task_or_webhook
from workflows.models import Task
from workflows.nodes import ActionContext, Done, UndoContext
from workflows.timing import zone_of


def entitled(person_facts: Mapping[str, Any], ctx: ActionContext) -> list[Application]:
    """Applications whose rule the person meets."""
    zone = str(person_facts.get("person.timezone") or "UTC")
    today = ctx.now.astimezone(zone_of(zone)).date()
    return entitled_applications(person_facts, today=today)


def by_hand(
    ctx: ActionContext,
    action: str,
    application: Application,
    result: AccessResult,
    *,
    verb: str,
    state: str,
) -> Done:
    """A task for its owner, or a webhook, for an application that no connection serves.

    Where another run has asked somebody already, theirs is the task.
    """
    settles = {"access": result.access_id, "state": state}
    asked = Task.objects.filter(
        settles__access=result.access_id, settles__state=state, status=Task.Status.OPEN
    ).first()
    if asked is not None and asked.step_id != ctx.step.pk:
        words = f"{result.summary} {asked.assignee or 'Somebody'} has been asked already."
        return Done(summary=words, detail={"task": asked.pk}, reason=words)
    return task_or_webhook(
        ctx,
        action,
        title=f"{verb} {application}: {ctx.person}",
        role="it",
        owner=application.owner,
        why=result.summary,
        extra={"application": application.key},
        settles=settles,
        suffix=f":{application.pk}",
    )


def for_each(
    applications: list[Application],
    act: Callable[[Application], AccessResult | Done],
    *,
    none: str,
) -> Done:
    """Do all of them although one fails: on somebody's last day every door counts.

    Raises the error that decides how the step goes on, with the words of all: what may pass is
    tried again first, and what was done by then is passed over.
    """
    results: list[tuple[Application, AccessResult | Done]] = []
    errors: list[tuple[Application, IntegrationError]] = []
    for application in applications:
        try:
            with repeatable():
                results.append((application, act(application)))
        except IntegrationError as error:
            errors.append((application, error))
    if errors:
        raise _gravest(errors)
    return _collected(results, none=none)


_ORDER: tuple[type[IntegrationError], ...] = (
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    ConfigError,
)


def _gravest(errors: list[tuple[Application, IntegrationError]]) -> IntegrationError:
    def rank(pair: tuple[Application, IntegrationError]) -> int:
        return next((i for i, kind in enumerate(_ORDER) if isinstance(pair[1], kind)), len(_ORDER))

    chosen = min(errors, key=rank)[1]
    chosen.message = " ".join(f"{application}: {error.message}" for application, error in errors)
    return chosen


def _collected(results: list[tuple[Application, AccessResult | Done]], *, none: str) -> Done:
    """One outcome over several applications; what became a task gives the reason."""
    if not results:
        return Done(summary=none)
    reasons = [done.reason for _, done in results if isinstance(done, Done) and done.reason]
    return Done(
        summary=" ".join(result.summary for _, result in results),
        detail={"applications": [application.key for application, _ in results]},
        reason=" ".join(reasons),
    )


def changed_by(ctx: UndoContext, *, taken: bool) -> list[Application]:
    """Applications that the step took away (or gave), by the rows that say which run did."""
    state = AppAccess.State.REVOKED if taken else AppAccess.State.GRANTED
    keys = ctx.done.get("applications") or []
    return list(
        Application.objects.filter(
            key__in=keys,
            active=True,
            accesses__person=ctx.person,
            accesses__run_id=ctx.run.pk,
            accesses__state=state,
        )
        .order_by("key")
        .distinct()
    )


def names(people: Person, applications: list[Application]) -> str:
    """The list in words, for previews."""
    return ", ".join(map(str, applications)) or f"nothing for {people}"
