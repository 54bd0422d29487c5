"""A workflow that has been live for a while, and somebody whose last day was yesterday."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from people.models import Person
from siit_remote.lib import clock
from workflows.models import Workflow, WorkflowVersion

LONG = timedelta(days=30)
"""How long the workflow is live, and the person known, by now."""


def goes_live(key: str, *, on: str, steps: list[dict[str, Any]], **params: Any) -> Workflow:
    """A live workflow on the date ``on``: by default on the day itself, at 18:00 of the person."""
    now = clock.now()
    told = {"direction": "same_day", "days": 0, "at": "18:00", "timezone": "person", **params}
    document = {
        "format": "siit.workflow/1",
        "key": key,
        "name": key.capitalize(),
        "trigger": {"type": f"person.{on}", "params": told},
        "steps": steps,
    }
    workflow = Workflow.objects.create(
        key=key, name=key.capitalize(), status="live", draft=document, draft_saved_at=now,
        created_at=now - LONG, live_since=now - LONG,
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=document, digest=key, published_at=now - LONG
    )
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    return workflow


def left_yesterday(person: Person) -> None:
    """The end date was known in good time."""
    now = clock.now()
    Person.objects.filter(pk=person.pk).update(
        end_date=(now - timedelta(days=1)).date(), status="ended", created_at=now - LONG,
        known_at={"end_date": (now - timedelta(days=9)).isoformat()}, timezone="UTC",
    )  # fmt: skip
