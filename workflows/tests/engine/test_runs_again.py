"""Again, past a step, by hand: and never twice, never past a decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integrations.models import AppAccess, Application
from people.models import Person, Role
from siit_remote.audit.models import AuditEntry
from workflows.engine.service import run_due
from workflows.models import Run, StepRun, Task, Workflow, WorkflowVersion
from workflows.nodes import Done, Failed, Uncertain, Wait
from workflows.runs import run_cancel, run_retry
from workflows.runs_again import run_restart, runs_each, step_by_hand, step_skip
from workflows.services import RefusedError, digest_of
from workflows.tasks_by_hand import task_done, task_refuse
from workflows.tests.engine.conftest import DUE, END
from workflows.tests.engine.nodes import EffectAction

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
LATER = DUE + timedelta(hours=1)
TWO = [
    {"key": "one", "action": "test.effect", "params": {"name": "one"}},
    {"key": "two", "action": "test.effect", "params": {"name": "two"}},
]


def _publish(workflow: Workflow, **changes: Any) -> WorkflowVersion:
    """A second version, live."""
    document = {**workflow.draft, **changes}
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=2, document=document, digest=digest_of(document), published_at=DUE
    )
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    return version


@pytest.fixture
def failed(person_make: Make, workflow_make: Make) -> Run:
    """Its first step is done, its second failed."""
    person_make("ana", end_date=END)
    workflow_make(steps=TWO)

    def act(ctx: Any, params: Any) -> Any:
        return Failed(reason="broken") if params["name"] == "two" else Done(summary="Done.")

    EffectAction.script = act
    run_due(now=DUE)
    EffectAction.script = None
    run = Run.objects.get()
    assert run.status == Run.Status.FAILED
    return run


def _again(run: Run, **values: Any) -> Run:
    chosen = {"on_live": False, "from_start": True, "reason": "Mended.", "actor": None, **values}
    return run_restart(run, now=LATER, **chosen)


def test_restart_is_a_new_row_that_points_back_and_erases_nothing(failed: Run) -> None:
    before = list(StepRun.objects.values("key", "status", "attempts").order_by("pk"))
    new = _again(failed)
    assert (new.restarted_from, new.version, new.anchor) == (failed, failed.version, failed.anchor)
    assert run_due(now=LATER).finished == 1
    failed.refresh_from_db()
    assert failed.status == Run.Status.FAILED
    assert list(failed.steps.values("key", "status", "attempts").order_by("pk")) == before
    assert [step.status for step in new.steps.all()] == ["done", "done"]
    assert len(EffectAction.effects) == 2
    entry = AuditEntry.objects.get(action="run.restarted")
    assert entry.detail["as"] == new.pk


def test_restart_happens_once_whoever_asks(failed: Run) -> None:
    new = _again(failed)
    with pytest.raises(RefusedError, match=f"as run {new.pk}"):
        _again(failed)
    with pytest.raises(RefusedError, match="go on there"):
        run_retry(failed, now=LATER, actor=None)
    step = failed.steps.get(key="two")
    with pytest.raises(RefusedError, match="go on there"):
        step_skip(step, reason="Not needed.", now=LATER, actor=None)
    assert Run.objects.count() == 2


def test_restart_of_the_rest_on_the_live_version_keeps_what_is_done(failed: Run) -> None:
    version = _publish(
        failed.workflow, steps=[*TWO, {"key": "three", "action": "test.effect", "params": {}}]
    )
    new = _again(failed, on_live=True, from_start=False)
    assert new.version == version
    run_due(now=LATER)
    new.refresh_from_db()
    assert new.status == Run.Status.DONE
    one = new.steps.get(key="one")
    assert (one.outcome["carried_from"], one.attempts) == (failed.pk, 0)
    assert len(EffectAction.effects) == 2


def test_restart_obeys_conditions_and_limits(failed: Run) -> None:
    rule = {"field": "person.worker_type", "operator": "is", "value": "eor_employee"}
    _publish(failed.workflow, conditions={"combinator": "and", "rules": [rule]})
    with pytest.raises(RefusedError, match="does not match now: Worker type is Contractor"):
        _again(failed, on_live=True)
    _publish_limit = {"hold_above": {"people": 1, "percent": 100, "per_hours": 24}}
    other = Person.objects.create(
        work_email="bob@acme.test", created_at=DUE, updated_at=DUE, worker_type="contractor"
    )
    Run.objects.create(
        workflow=failed.workflow, version=failed.version, person=other, trigger="manual",
        anchor="x", key="x", status="done", due_at=DUE, created_at=DUE,
    )  # fmt: skip
    WorkflowVersion.objects.filter(number=1).update(
        document={**failed.version.document, "limits": _publish_limit}
    )
    new = _again(failed)
    assert new.status == Run.Status.HELD
    assert "the limit is 1" in new.reason


@pytest.mark.parametrize("status", ["queued", "running", "waiting", "held"])
def test_restart_of_an_open_run_is_refused(failed: Run, status: str) -> None:
    Run.objects.update(status=status)
    with pytest.raises(RefusedError, match="Only a run that has ended"):
        _again(failed)
    assert Run.objects.count() == 1


def test_skipped_step_is_passed_over_and_says_so(failed: Run) -> None:
    step = failed.steps.get(key="two")
    step_skip(step, reason="Not needed here.", now=LATER, actor=None)
    run_due(now=LATER)
    step.refresh_from_db()
    failed.refresh_from_db()
    assert (step.status, step.reason) == ("skipped", "Skipped by hand: Not needed here.")
    assert step.tries.count() == 1
    assert failed.status == Run.Status.DONE
    with pytest.raises(RefusedError, match="The run is done"):
        step_skip(step, reason="Again.", now=LATER, actor=None)


def test_decision_can_be_neither_skipped_nor_done_by_hand(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    EffectAction.script = lambda ctx, params: Wait(reason="asked")
    run_due(now=DUE)
    StepRun.objects.update(action="approval.request")
    step = StepRun.objects.get()
    with pytest.raises(RefusedError, match="cannot be skipped"):
        step_skip(step, reason="In a hurry.", now=LATER, actor=None)
    with pytest.raises(RefusedError, match="Only what an action does"):
        step_by_hand(step, role="it", reason="In a hurry.", now=LATER, actor=None)
    step.refresh_from_db()
    assert step.status == StepRun.Status.WAITING


def test_run_held_for_another_reason_is_not_released_by_a_skip(failed: Run) -> None:
    Run.objects.update(status=Run.Status.HELD, reason="Too many people.")
    with pytest.raises(RefusedError, match="held for another reason"):
        step_skip(failed.steps.get(key="two"), reason="x", now=LATER, actor=None)
    assert Run.objects.get().status == Run.Status.HELD


def test_step_by_hand_waits_for_its_task_and_then_goes_on(failed: Run) -> None:
    step = failed.steps.get(key="two")
    task = step_by_hand(step, role="it", reason="Do it in the console.", now=LATER, actor=None)
    assert Role.objects.get(name="it") == task.role
    assert task.title == "By hand: make the effect two"
    assert run_due(now=LATER).finished == 0
    assert Run.objects.get().status == Run.Status.WAITING
    task_done(task.pk, by=None, by_label="it@acme.test", comment="Seen.", now=LATER)
    assert run_due(now=LATER).finished == 1
    step.refresh_from_db()
    assert (step.status, step.outcome["summary"]) == ("done", "Done by hand by it@acme.test.")
    assert EffectAction.effects == []


def test_cancelled_task_by_hand_leaves_the_step_failed(failed: Run) -> None:
    step = failed.steps.get(key="two")
    task = step_by_hand(step, role="it", reason="By hand.", now=LATER, actor=None)
    Task.objects.filter(pk=task.pk).update(status=Task.Status.CANCELLED)
    Run.objects.update(wake_at=LATER)
    run_due(now=LATER)
    step.refresh_from_db()
    assert (step.status, step.error) == ("failed", "The task by hand was cancelled.")
    second = step_by_hand(step, role="it", reason="Once more.", now=LATER, actor=None)
    assert second.pk != task.pk


def test_task_by_hand_says_what_to_do_for_whom_and_what_went_wrong(failed: Run) -> None:
    application = Application.objects.create(key="github", name="GitHub")
    AppAccess.objects.create(
        application=application, person=failed.person, state="failed", since=DUE, run_id=failed.pk
    )
    step = failed.steps.get(key="two")
    task = step_by_hand(step, role="it", reason="Do it there.", now=LATER, actor=None)
    told = task.body.splitlines()
    assert told[0] == "Do it there."
    assert "GitHub: failed" in told
    assert any(line.startswith("What went wrong: ") for line in told)
    assert told[-1] == f"Workflow: {failed.workflow.name}."


def test_refused_by_hand_fails_the_step_and_may_be_given_again(failed: Run) -> None:
    step = failed.steps.get(key="two")
    task = step_by_hand(step, role="it", reason="By hand.", now=LATER, actor=None)
    task_refuse(task.pk, by=None, by_label="it@acme.test", reason="No right.", now=LATER)
    run_due(now=LATER)
    step.refresh_from_db()
    assert step.status == "failed"
    assert step.error == "It could not be done by hand, says it@acme.test: No right."
    assert step_by_hand(step, role="hr", reason="Once more.", now=LATER, actor=None) != task


def test_revocation_done_by_hand_settles_the_access(failed: Run) -> None:
    application = Application.objects.create(key="github", name="GitHub")
    access = AppAccess.objects.create(
        application=application, person=failed.person, state="revoking", aim="gone", since=DUE,
        run_id=failed.pk,
    )  # fmt: skip
    StepRun.objects.filter(key="two").update(action="apps.revoke")
    step = failed.steps.get(key="two")
    task = step_by_hand(step, role="it", reason="By hand.", now=LATER, actor=None)
    task_done(task.pk, by=None, by_label="it@acme.test", comment="Did it.", now=LATER)
    run_due(now=LATER)
    access.refresh_from_db()
    assert (access.state, access.ended_at) == ("revoked", LATER)


def test_uncertain_step_is_taken_over_from_a_held_run(
    person_make: Make, workflow_make: Make
) -> None:
    person_make("ana", end_date=END)
    workflow_make()
    EffectAction.script = lambda ctx, params: Uncertain(reason="No answer.")
    run_due(now=DUE)
    assert Run.objects.get().status == Run.Status.HELD
    step_by_hand(StepRun.objects.get(), role="it", reason="Look.", now=LATER, actor=None)
    assert Run.objects.get().status == Run.Status.WAITING


def test_each_act_wants_a_reason(failed: Run) -> None:
    step = failed.steps.get(key="two")
    for act in (
        lambda: _again(failed, reason=" "),
        lambda: step_skip(step, reason="", now=LATER, actor=None),
        lambda: step_by_hand(step, role="it", reason="", now=LATER, actor=None),
    ):
        with pytest.raises(RefusedError, match="Say why"):
            act()


def test_second_of_two_at_once_is_refused_by_the_row_not_by_the_page(failed: Run) -> None:
    """Both read the failed step before either writes."""
    first, second = failed.steps.get(key="two"), failed.steps.get(key="two")
    step_by_hand(first, role="it", reason="Mine.", now=LATER, actor=None)
    with pytest.raises(RefusedError):
        step_by_hand(second, role="hr", reason="Mine too.", now=LATER, actor=None)
    assert Task.objects.count() == 1


def test_selection_goes_on_past_a_refusal(failed: Run, person_make: Make) -> None:
    other = Run.objects.create(
        workflow=failed.workflow, version=failed.version, person=person_make("bob"),
        trigger="manual", anchor="x", key="x", status="queued", due_at=DUE, created_at=DUE,
    )  # fmt: skip
    report = runs_each(
        [failed, other],
        lambda run: run_cancel(run, reason="Wrong list.", now=LATER, actor=None),
    )
    assert report.done == (other,)
    assert [(run, "Only a queued" in why) for run, why in report.refused] == [(failed, True)]
