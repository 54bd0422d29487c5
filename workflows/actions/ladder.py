"""The ladder that every action to the outside climbs: connection → webhook → a task for a role.

Nothing ever silently does nothing: what no connection can do becomes a task, and the step says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from integrations.connectors.base import SignedCaller
from integrations.errors import (
    ConfigError,
    NeedsAttentionError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.models import AppAccess, Connection
from integrations.services import client_for, client_with, connection_mark_unauthorized
from people.models import Person
from siit_remote.lib import clock
from workflows.approvers.people import can_answer
from workflows.nodes import ActionContext, Done
from workflows.task_days import DUE_DAYS
from workflows.tasks_by_hand import access_settle, task_open


def named_or_only(capability: type[Any], key: str) -> tuple[Connection, Any] | None:
    """The connection named ``key``, else the first ready one with the capability.

    Raises ``ConfigError`` when a named one is missing, not ready or cannot do it: what an admin
    named is never replaced by something else in silence.
    """
    found = client_with(capability, key=key)
    if found is None and key:
        named = Connection.objects.filter(key=key).first()
        if named is not None and named.status == Connection.Status.NEEDS_ATTENTION:
            raise needs_attention(named)
        state = f"is {named.get_status_display().lower()}" if named else "does not exist"
        raise ConfigError(f"The connection “{key}” {state} or cannot do this.")
    if found is None:
        broken = _in_need_of_attention(capability)
        if broken is not None:
            raise needs_attention(broken)
    return found


def needs_attention(connection: Connection) -> NeedsAttentionError:
    """The error of work that waits until somebody has mended this connection."""
    return NeedsAttentionError(
        f"{connection.name} needs attention: {connection.last_error}", connection=connection.key
    )


def _in_need_of_attention(capability: type[Any]) -> Connection | None:
    """A connection that could do it, were its credential not refused."""
    for connection in Connection.objects.filter(status=Connection.Status.NEEDS_ATTENTION):
        try:
            if isinstance(client_for(connection), capability):
                return connection
        except ConfigError:
            continue
    return None


def mark_if_unauthorized(connection: Connection, error: Exception) -> None:
    """Stop using a connection whose credential was refused."""
    if isinstance(error, UnauthorizedError) and not isinstance(error, NeedsAttentionError):
        error.connection = connection.key
        connection_mark_unauthorized(connection, error.message)


@contextmanager
def repeatable() -> Iterator[None]:
    """Around calls that read back or carry a key: no answer means asking again, not a riddle."""
    try:
        yield
    except UncertainError as error:
        raise TransientError(
            error.message, request_id=error.request_id, connection=error.connection
        ) from error


def webhook_for(action: str) -> tuple[Connection, SignedCaller] | None:
    """An endpoint configured to serve this action."""
    rows = Connection.objects.filter(connector="http", status=Connection.Status.READY)
    for connection in rows.order_by("name", "pk"):
        try:
            client = client_for(connection)
        except ConfigError:
            continue
        if isinstance(client, SignedCaller) and action in client.serves:
            return connection, client
    return None


def person_payload(person: Person) -> dict[str, Any]:
    """What an endpoint learns of a person: enough to act, no private field."""
    return {
        "work_email": person.work_email,
        "full_name": person.full_name,
        "preferred_name": person.display_name,
        "job_title": person.job_title,
        "team": person.team.name if person.team else "",
        "country": person.country,
        "legal_entity": person.legal_entity.name if person.legal_entity else "",
        "worker_type": person.worker_type,
        "employment_type": person.employment_type,
        "start_date": person.start_date.isoformat() if person.start_date else None,
        "end_date": person.end_date.isoformat() if person.end_date else None,
    }


def call_signed(
    connection: Connection,
    client: SignedCaller,
    ctx: ActionContext,
    action: str,
    extra: Mapping[str, Any],
    *,
    suffix: str = "",
) -> Done:
    """Send the action to an endpoint. The key makes a repeat recognisable there.

    ``suffix`` tells several calls of one step apart: the same key twice is done once.
    """
    key = f"{ctx.idempotency_key}{suffix}"
    payload = {
        "event": action,
        "person": person_payload(ctx.person),
        "run": ctx.run.pk,
        "idempotency_key": key,
        **extra,
    }
    try:
        # The receiver checks the age of the signature: the machine's clock counts here.
        with repeatable():
            answer = client.call(payload, idempotency_key=key, sent_at=clock.system_now())
    except UnauthorizedError as error:
        mark_if_unauthorized(connection, error)
        raise
    return Done(
        summary=f"Sent to {connection.name}.",
        detail={
            "connection": connection.key,
            "status": answer.status,
            "request_id": answer.request_id,
        },
    )


def task_or_webhook(
    ctx: ActionContext,
    action: str,
    *,
    title: str,
    role: str,
    why: str,
    extra: Mapping[str, Any] | None = None,
    settles: dict[str, Any] | None = None,
    suffix: str = "",
    owner: Person | None = None,
    checklist: Sequence[str] = (),
    more: str = "",
) -> Done:
    """The last two rungs. ``owner`` gets the task instead of ``role``, if they can do it."""
    found = webhook_for(action)
    if found is not None:
        done = call_signed(found[0], found[1], ctx, action, extra or {}, suffix=suffix)
        access_settle(settles or {}, evidence=done.detail, now=ctx.now)
        return done
    task = task_open(
        key=f"{ctx.idempotency_key}{suffix}",
        title=title,
        body="\n".join([why, *([more] if more else []), f"Workflow: {ctx.run.workflow.name}."]),
        role=role,
        assignee=owner if owner and owner != ctx.person and can_answer(owner) else None,
        subject=ctx.person,
        step=ctx.step,
        # What is taken away is urgent: the next working day.
        due_days=1 if (settles or {}).get("state") == AppAccess.State.REVOKED else DUE_DAYS,
        checklist=checklist,
        now=ctx.now,
        settles=settles,
    )
    words = f"{why} A task for {task.assignee or role.upper()} was opened."
    return Done(summary=words, detail={"task": task.pk}, reason=words)


def would_climb(capability: type[Any], key: str, action: str, *, does: str) -> str:
    """What would happen, without asking anybody outside."""
    found = client_with(capability, key=key)
    if found is not None:
        return f"{does} through {found[0].name}"
    hook = webhook_for(action)
    if hook is not None:
        return f"{does} by a signed call to {hook[0].name}"
    return f"Open a task: {does[0].lower()}{does[1:]}"
