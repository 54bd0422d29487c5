"""What is said and what happens under a task."""

from __future__ import annotations

from datetime import datetime

from people.models import Person
from workflows.models import Task, TaskNote

LONGEST = 5_000


def task_note(task: Task, text: str, *, now: datetime, author: Person | None = None) -> TaskNote:
    """Write one line: said by ``author``, or else what happened."""
    return TaskNote.objects.create(
        task=task, comment=author is not None, author=author, text=text[:LONGEST], at=now
    )
