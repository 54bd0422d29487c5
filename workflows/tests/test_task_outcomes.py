"""What a run makes of its task: it goes on, takes the other lane, or fails."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import AppAccess, Application
from people.models import Person
from siit_remote.demo import GALLERY
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.document import load_document
from workflows.document.parse import parse_document
from workflows.engine.service import run_due
from workflows.models import Request, Run, Service, StepRun, Task
from workflows.nodes import ACTIONS
from workflows.requests import request_submit
from workflows.services import workflow_import
from workflows.tasks_by_hand import task_done, task_refuse


@pytest.fixture
def company(db: None) -> Company:
    company = small_company()
    Service.objects.create(key="badge", name="Badge")
    return company


def _publish(company: Company, steps: list[dict[str, Any]]) -> list[str]:
    document = {
        "format": "siit.workflow/1",
        "key": "badge",
        "name": "Badge",
        "trigger": {"type": "request.submitted", "params": {"service": "badge"}},
        "steps": steps,
    }
    saved = workflow_import(parse_document(document), publish=True, now=clock.now())
    return [problem.path for problem in saved.problems if problem.level == "error"]


def _ask(company: Company, service: str = "badge", **form: Any) -> Request:
    made = request_submit(
        service=Service.objects.get(key=service),
        requester=company.people["employee"],
        form=form,
        now=clock.now(),
    )
    run_due(now=clock.now())
    return made


def _order(**more: Any) -> dict[str, Any]:
    params = {"title": "Print it", "assignee": "it", "wait_until_done": True}
    return {"key": "order", "action": "task.create", "params": params, **more}


_LANES = {
    "done": [{"key": "ok", "action": "request.set_status", "params": {"status": "resolved"}}],
    "refused": [{"key": "no", "action": "request.set_status", "params": {"status": "waiting"}}],
}


@pytest.mark.parametrize(("refused", "status"), [(False, "resolved"), (True, "waiting")])
def test_run_waits_and_takes_the_lane_of_what_became_of_it(
    company: Company, refused: bool, status: str
) -> None:
    assert _publish(company, [_order(outcomes=_LANES)]) == []
    made = _ask(company)
    run = Run.objects.get(request=made)
    assert (run.status, run.reason) == ("waiting", "Waits for the task “Print it”.")
    task = Task.objects.get(step__run=run)
    assert task.due_on is not None, "nobody would miss it"
    if refused:
        task_refuse(task.pk, by=None, by_label="it", reason="No card.", now=clock.now())
    else:
        task_done(task.pk, by=None, by_label="it", comment="Card 7.", now=clock.now())
    run_due(now=clock.now())
    made.refresh_from_db()
    run.refresh_from_db()
    assert (made.status, run.status) == (status, "done")
    words = StepRun.objects.get(run=run, key="order").outcome["summary"]
    assert words == (
        "“Print it” could not be done, says it: No card."
        if refused
        else "“Print it” was done by it: Card 7."
    )


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (None, "open a task for HR, due in 3 working days"),
        ({"working_days": 1}, "open a task for HR, due in 1 working day"),
        ({"working_days": 0}, "open a task for HR, due the same day"),
    ],
)
def test_sentence_of_a_task_says_when_it_is_due(due: Any, words: str) -> None:
    action = ACTIONS.get("task.create")
    assert action is not None
    assert action.sentence({"title": "t", "assignee": "hr", "due": due}) == words


def test_refused_without_a_lane_fails_the_step_with_the_reason(company: Company) -> None:
    assert _publish(company, [_order()]) == []
    made = _ask(company)
    task = Task.objects.get(step__run__request=made)
    task_refuse(task.pk, by=None, by_label="it", reason="No card.", now=clock.now())
    run_due(now=clock.now())
    run = Run.objects.get(request=made)
    assert run.status == "failed"
    assert "No card." in run.reason


def test_outcomes_of_a_task_need_a_run_that_waits(company: Company) -> None:
    step = _order(outcomes=_LANES)
    step["params"].pop("wait_until_done")
    assert _publish(company, [step]) == ["steps[0].outcomes"]
    wrong = _order(outcomes={"approved": _LANES["done"]})
    assert _publish(company, [wrong]) == ["steps[0].outcomes.approved"]


@pytest.mark.parametrize("refused", [False, True])
def test_request_stays_in_progress_until_its_hand_made_access_is_there(
    company: Company, refused: bool
) -> None:
    owner = company.people["manager"]
    Application.objects.create(key="figma", name="Figma", owner=owner)
    Person.objects.filter(pk=company.people["employee"].pk).update(manager=company.people["hr"])
    Service.objects.create(
        key="application-access",
        name="Access",
        fields=[{"name": "application", "label": "App", "type": "application", "required": True}],
    )
    document = load_document((GALLERY / "access-request.yaml").read_bytes())
    steps = [step.to_data() for step in document.steps[0].outcomes["approved"]]  # type: ignore[union-attr]
    data = document.to_data() | {"steps": steps}
    workflow_import(parse_document(data), publish=True, now=clock.now())
    made = _ask(company, "application-access", application="figma")
    made.refresh_from_db()
    task = Task.objects.get(step__run__request=made)
    assert made.status == "in_progress"
    assert (task.assignee, task.due_on is not None) == (owner, True)
    if refused:
        task_refuse(task.pk, by=owner, by_label="m", reason="No seat left.", now=clock.now())
    else:
        task_done(task.pk, by=owner, by_label="m", comment="Invited.", now=clock.now())
    run_due(now=clock.now())
    made.refresh_from_db()
    access = AppAccess.objects.get(application__key="figma")
    assert made.status == "resolved"
    assert access.state == ("failed" if refused else "granted")
    assert made.status_reason == ("Not done: No seat left." if refused else "")
    told = [note.text for note in made.notes.all()]
    did = "cannot do" if refused else "did"
    assert f"Manager Example {did}: {task.title}" in told
    if not refused:
        assert access.evidence["what"] == "Invited."


def test_owner_who_has_left_gets_no_task(company: Company) -> None:
    gone = company.people["manager"]
    Application.objects.create(key="figma", name="Figma", owner=gone)
    Person.objects.filter(pk=gone.pk).update(status="ended")
    step = {"key": "give", "action": "apps.assign", "params": {"apps": ["figma"]}}
    assert _publish(company, [step]) == []
    task = Task.objects.get(step__run__request=_ask(company))
    assert (task.assignee, str(task.role)) == (None, "it")
