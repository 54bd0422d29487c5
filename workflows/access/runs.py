"""Runs that people (or an end date) ask for: ledger, limits and brake hold for them too.

They belong to one workflow of the house, made the first time it is needed. Each has steps of its
own; what the workflow itself says, started by hand, is to give what the rules give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from people.models import Person
from workflows.document.parse import parse_document
from workflows.document.shape import FORMAT
from workflows.engine.planner import facts_on, run_key
from workflows.engine.world import load_people
from workflows.facts import facts_to_data
from workflows.models import Run, Workflow, WorkflowVersion
from workflows.runs import runs_insert
from workflows.services import RefusedError, digest_of
from workflows.timing import zone_of

if TYPE_CHECKING:
    from workflows.services import Actor

KEY = "access-changes"
GIVE, TAKE = "apps.assign", "apps.revoke"
_NAME = "Access changes"


def access_workflow(*, now: datetime) -> Workflow:
    """The workflow of these runs, made where it is missing. Raises :class:`RefusedError`."""
    found = Workflow.objects.select_related("live_version").filter(key=KEY).first()
    if found is None:
        try:
            with transaction.atomic():
                found = _workflow_make(now=now)
        except IntegrityError:
            # Somebody else was faster.
            found = Workflow.objects.select_related("live_version").get(key=KEY)
    if found.status != Workflow.Status.LIVE or found.live_version is None:
        raise RefusedError(
            f"The workflow “{found.name}” is {found.get_status_display().lower()}, so that no "
            "access is changed by it. Resume it first."
        )
    return found


def _workflow_make(*, now: datetime) -> Workflow:
    document = _document([{"key": "give", "action": GIVE, "params": {"by": "team"}}])
    row = Workflow.objects.create(
        key=KEY,
        name=_NAME,
        category="IT",
        status=Workflow.Status.LIVE,
        draft=document,
        draft_saved_at=now,
        live_since=now,
        created_at=now,
    )
    row.live_version = WorkflowVersion.objects.create(
        workflow=row, number=1, document=document, digest=digest_of(document), published_at=now
    )
    row.save(update_fields=["live_version"])
    return row


def _document(steps: list[dict[str, Any]]) -> dict[str, Any]:
    document = {
        "format": FORMAT,
        "key": KEY,
        "name": _NAME,
        "description": "Gives and takes away what somebody chose under Applications, and what has "
        "come to its end date. Each run has steps of its own.",
        "trigger": {"type": "manual"},
        "steps": steps,
    }
    return parse_document(document).to_data()


def _steps(action: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    """One step an application: one that fails keeps no other from being done."""
    return [
        {
            "key": f"{'give' if action == GIVE else 'take'}-{number}",
            "action": action,
            "params": {"apps": [key]},
            "on_error": "continue",
        }
        for number, key in enumerate(keys, start=1)
    ]


def access_runs_start(
    wanted: Mapping[int, Sequence[str]],
    *,
    action: str,
    why: str,
    now: datetime,
    actor: Actor,
    anchor: str = "",
) -> list[Run]:
    """Give (or take away) applications: person's id → keys, one run a person.

    Limits hold the runs as they hold any other. ``anchor``: what happened, for what must not be
    done twice; else each call is its own. Runs that exist already by it are not made again.
    """
    workflow = access_workflow(now=now)
    version = workflow.live_version
    assert version is not None  # noqa: S101 - access_workflow refuses one without
    views = load_people(list(wanted))
    people = Person.objects.in_bulk(list(wanted))
    happened = (anchor or f"manual:{now.isoformat()}")[:80]
    starting: list[Run] = []
    for pk, keys in wanted.items():
        if pk not in views or not keys:
            continue
        view = views[pk]
        facts = facts_on(view.facts, now.astimezone(zone_of(view.timezone)).date())
        key = run_key(workflow.key, pk, f"access:{action}", happened)
        if anchor and Run.objects.filter(key=key).exists():
            continue
        starting.append(
            Run(
                workflow=workflow,
                version=version,
                person=people[pk],
                trigger="manual",
                anchor=happened,
                key=key,
                status=Run.Status.QUEUED,
                due_at=now,
                timezone=view.timezone,
                snapshot=facts_to_data(facts),
                trace={},
                document=_document(_steps(action, keys)),
                change={},
                wake_at=now,
                created_at=now,
                started_by=actor.get_username() if actor is not None else "system",
            )
        )
    if starting:
        runs_insert(workflow, version, starting, now=now, actor=actor, reason=why)
    return starting
