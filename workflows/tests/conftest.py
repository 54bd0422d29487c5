"""One request of Ana's, asked about in a run of one approval step."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from people.models import Person, Role
from workflows.models import Request, Run, Service, StepRun, Workflow, WorkflowVersion
from workflows.nodes import ACTIONS, ActionContext, Outcome
from workflows.tests.asking_kit import HR, T0, Pursue, person_make


@pytest.fixture
def ana() -> Person:
    return person_make("ana", manager=person_make("boss", manager=person_make("chief")))


@pytest.fixture
def hr() -> list[Person]:
    members = [person_make(name) for name in ("eve", "bob", "kim")]
    Role.objects.create(name="hr").members.add(*members)
    return members


@pytest.fixture
def pursue(ana: Person) -> Pursue:
    """Let the step do whatever is next, at a moment."""
    workflow = Workflow.objects.create(key="w", name="W", draft_saved_at=T0, created_at=T0)
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document={}, digest="d", published_at=T0
    )
    service = Service.objects.create(key="laptop", name="New laptop")
    request = Request.objects.create(service=service, requester=ana, created_at=T0, updated_at=T0)
    run = Run.objects.create(
        workflow=workflow,
        version=version,
        person=ana,
        request=request,
        trigger="request.submitted",
        anchor="request:1",
        key="k",
        status=Run.Status.WAITING,
        due_at=T0,
        created_at=T0,
    )
    step = StepRun.objects.create(
        run=run,
        key="ask",
        action="approval.request",
        position=0,
        idempotency_key="i",
        created_at=T0,
    )
    action = ACTIONS.get("approval.request")
    assert action is not None

    def go(at: datetime = T0, **params: Any) -> Outcome:
        values = {"approver": {"type": "manager"}, "fallback": HR, **params}
        document = {
            "format": "siit.workflow/1",
            "key": "w",
            "name": "W",
            "trigger": {"type": "request.submitted"},
            "steps": [{"key": "ask", "action": "approval.request", "params": values}],
        }
        WorkflowVersion.objects.filter(pk=version.pk).update(document=document)
        run.version = version
        version.document = document
        request.refresh_from_db()
        ctx = ActionContext(
            run=run,
            step=step,
            person=Person.objects.select_related("manager").get(pk=ana.pk),
            facts={},
            request=request,
            now=at,
            before_effect=lambda: None,
        )
        return action.run(ctx, values)

    return go
