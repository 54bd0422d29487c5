"""What a run took away but not wholly yet: it is not complete while one access is open."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from integrations.access import access_confirm_gone
from integrations.access_calls import is_readable
from integrations.errors import IntegrationError
from integrations.models import AppAccess
from workflows.approvers.people import can_answer
from workflows.models import Run, Task
from workflows.tasks_by_hand import task_open

log = logging.getLogger(__name__)
READ_AGAIN = timedelta(hours=1)
"""How often a connection is asked whether an access that is still open has gone meanwhile."""
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StillOpen:
    """Why a run waits at its end, in words, and when it looks again by itself."""

    reason: str
    wake_at: datetime | None


def accesses_open(run_id: int) -> list[AppAccess]:
    """What the run was to take away and nobody has, or is known to have, taken away."""
    rows = AppAccess.objects.filter(run_id=run_id, aim=AppAccess.Aim.GONE).exclude(
        state=AppAccess.State.REVOKED
    )
    # Asked at the end of every run, of which few take anything away.
    if not rows.exists():
        return []
    return list(
        rows.select_related("application__connection", "application__owner", "person").order_by(
            "application__name", "pk"
        )
    )


def access_pursue(run: Run, *, now: datetime) -> StillOpen | None:
    """Look at the run's open accesses: read again, ask somebody. ``None``: nothing is open."""
    rows = [row for row in accesses_open(run.pk) if not _gone(row, now=now)]
    if not rows:
        return None
    for row in rows:
        _ask(run, row, now=now)
    readable = any(is_readable(row.application) for row in rows)
    return StillOpen(reason=open_words(rows), wake_at=now + READ_AGAIN if readable else None)


def open_words(rows: Sequence[AppAccess]) -> str:
    """“Waiting: 2 accesses still open: GitHub (failed), Notion (waits for somebody).”"""
    named = ", ".join(
        f"{row.application.name} ({row.get_state_display().lower()})" for row in rows[:_NAMED]
    )
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    noun = "access" if len(rows) == 1 else "accesses"
    return f"Waiting: {len(rows)} {noun} still open: {named}{more}. Tasks say what to do."


def _gone(row: AppAccess, *, now: datetime) -> bool:
    """Whether the connection says so; then the task that asked for it is done."""
    try:
        gone = access_confirm_gone(row, now=now)
    except IntegrationError as error:
        # Nobody can be asked now: it stays open, and the task with it.
        log.info("access %s could not be read again: %s", row.pk, error.code)
        return False
    if gone:
        _tasks_of(row).update(
            status=Task.Status.DONE,
            done_at=now,
            done_by_label="read at the connection",
            comment="The connection does not report it any more.",
        )
    return gone


def _tasks_of(row: AppAccess) -> QuerySet[Task]:
    return Task.objects.filter(settles__access=row.pk, status=Task.Status.OPEN)


def _ask(run: Run, row: AppAccess, *, now: datetime) -> None:
    """A task for the application's owner, else for IT, where nobody was asked yet."""
    with transaction.atomic():
        if _tasks_of(row).exists():
            return
        owner = row.application.owner
        asked = owner if owner and owner.pk != row.person_id and can_answer(owner) else None
        last = row.events.last()
        why = last.words if last is not None and last.words else row.get_state_display()
        task_open(
            key=f"open-access:{row.pk}:{run.pk}",
            title=f"Take {row.application.name} away from {row.person}",
            body=f"The workflow “{run.workflow.name}” could not do it: {why}\n"
            "Take it away there, make sure that it is gone, then mark this as done.",
            role="it",
            assignee=asked,
            subject=row.person,
            step=run.steps.filter(action="apps.revoke").last() or run.steps.last(),
            due_days=1,
            settles={"access": row.pk, "state": AppAccess.State.REVOKED},
            now=now,
        )
