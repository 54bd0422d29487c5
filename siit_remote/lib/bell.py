"""The bell that wakes the worker.

The queue lives in the same database, so that a bell rung inside a transaction is heard when, and
only when, that transaction commits. A bell that is lost costs a minute: the schedule looks as well.
"""

from __future__ import annotations

from django_q.tasks import async_task


def ring(task: str, *args: int | str | None) -> None:
    """Ask the worker to run ``task`` (a dotted name) soon. ``args`` are ids or plain words."""
    async_task(task, *args)
