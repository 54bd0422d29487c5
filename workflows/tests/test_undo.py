"""Taking a run back: previewed, as a run of its own, once, and only what that run did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.models import AppAccess, Application
from people.models import Person
from siit_remote.audit.models import AuditEntry
from workflows.engine.service import run_due
from workflows.models import Run, StepRun, Task, Workflow, WorkflowVersion
from workflows.nodes import ACTIONS, UndoContext
from workflows.services import RefusedError
from workflows.undo import run_undo, undo_plan, undo_refusal

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
STEPS = [
    {"key": "take", "action": "apps.revoke", "params": {"apps": "all"}},
    {"key": "tell", "action": "message.send", "params": {"to": "person", "body": "x"}},
    {"key": "end", "action": "flow.stop"},
]


def _person() -> Person:
    return Person.objects.create(
        work_email="ana@acme.test", full_name="Ana Lopez", status="active", created_at=NOW,
        updated_at=NOW,
    )  # fmt: skip


def _run(steps: list[dict[str, Any]] | None = None, **values: Any) -> Run:
    document = {
        "format": "siit.workflow/1", "key": "leave", "name": "Leave",
        "trigger": {"type": "manual"}, "steps": steps or STEPS,
    }  # fmt: skip
    workflow = Workflow.objects.create(
        key="leave", name="Leave", status="live", draft=document, draft_saved_at=NOW,
        created_at=NOW, live_since=NOW,
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=document, digest="d", published_at=NOW
    )
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    defaults = {"status": "done", "finished_at": NOW}
    return Run.objects.create(
        workflow=workflow, version=version, person=_person(), trigger="manual", anchor="manual:1",
        key="k", due_at=NOW, created_at=NOW, **{**defaults, **values},
    )  # fmt: skip


def _done(run: Run, key: str, action: str, position: int, **outcome: Any) -> StepRun:
    return StepRun.objects.create(
        run=run, key=key, action=action, position=position, status="done", created_at=NOW,
        finished_at=NOW, idempotency_key=f"{run.pk}{key}",
        outcome={"summary": f"{key} happened", **outcome},
    )  # fmt: skip


def _app(key: str, person: Person, state: str, run_id: int | None) -> Application:
    application = Application.objects.create(key=key, name=key.title(), provision_by="task")
    AppAccess.objects.create(
        application=application, person=person, state=state, since=NOW, run_id=run_id
    )
    return application


def _left() -> Run:
    """A run that took GitHub, told the person, and ended; Figma was lost before it."""
    run = _run()
    _app("github", run.person, "revoked", run.pk)
    _app("figma", run.person, "revoked", None)
    _done(run, "take", "apps.revoke", 0, applications=["figma", "github"])
    _done(run, "tell", "message.send", 1)
    _done(run, "end", "flow.stop", 2)
    return run


def test_the_preview_names_what_is_taken_back_what_not_and_changes_nothing() -> None:
    run = _left()
    plan = undo_plan(run, now=NOW)
    assert [(step.action, step.params) for step in plan.steps] == [
        ("apps.assign", {"apps": ["github"]})
    ]
    assert plan.by_hand == ("Send a message: tell happened",)
    assert plan.nothing == ("Stop here: It changed nothing outside.",)
    assert Run.objects.count() == 1
    assert not Task.objects.exists()


def test_undone_twice_is_undone_once_with_keys_of_its_own() -> None:
    run = _left()
    made = run_undo(run, reason="The date was wrong.", now=NOW, actor=None)
    assert run_undo(run, reason="Again.", now=NOW, actor=None) == made
    run_due(now=NOW)
    made.refresh_from_db()
    assert (made.status, made.undoes, made.trigger) == (Run.Status.DONE, run, "undo")
    assert Run.objects.count() == 2
    assert list(made.steps.values_list("key", "action")) == [
        ("undo-take", "apps.assign"),
        ("undo-by-hand", "task.create"),
    ]
    assert AppAccess.objects.exclude(state="revoked").get().application.key == "github"
    assert "tell happened" in Task.objects.get(title__startswith="Take back by hand").body
    keys = set(StepRun.objects.values_list("idempotency_key", flat=True))
    assert len(keys) == 5
    entry = AuditEntry.objects.get(action="run.undone")
    assert entry.detail == {"by_run": made.pk, "reason": "The date was wrong."}
    run.refresh_from_db()
    assert (run.status, run.steps.count()) == (Run.Status.DONE, 3)


def test_a_paused_workflow_can_still_be_taken_back() -> None:
    run = _left()
    Workflow.objects.update(status=Workflow.Status.ARCHIVED)
    made = run_undo(run, reason="Wrong.", now=NOW, actor=None)
    run_due(now=NOW)
    made.refresh_from_db()
    assert made.status == Run.Status.DONE


@pytest.mark.parametrize(
    ("values", "now", "words"),
    [
        ({"status": "waiting", "finished_at": None}, NOW, "Cancel it first"),
        ({}, NOW + timedelta(days=91), "more than 90 days ago"),
        ({}, NOW, "did nothing"),
    ],
)
def test_what_cannot_be_undone_says_why(values: dict[str, Any], now: datetime, words: str) -> None:
    run = _run(**values)
    assert words in undo_refusal(run, now=now)
    with pytest.raises(RefusedError, match=words):
        run_undo(run, reason="Wrong.", now=now, actor=None)


def test_an_undo_needs_a_reason_and_is_not_undone_itself() -> None:
    run = _left()
    with pytest.raises(RefusedError, match="Say why"):
        run_undo(run, reason="  ", now=NOW, actor=None)
    made = run_undo(run, reason="Wrong.", now=NOW, actor=None)
    run_due(now=NOW)
    made.refresh_from_db()
    assert "takes another one back" in undo_refusal(made, now=NOW)


def test_a_step_too_long_ago_becomes_a_task() -> None:
    run = _run([{"key": "ship", "action": "equipment.ship", "params": {"bundle": "laptop"}}])
    step = _done(run, "ship", "equipment.ship", 0)
    assert [item.action for item in undo_plan(run, now=NOW).steps] == ["equipment.collect"]
    StepRun.objects.filter(pk=step.pk).update(finished_at=NOW - timedelta(days=61))
    plan = undo_plan(run, now=NOW)
    assert plan.steps == ()
    assert "too long ago" in plan.by_hand[0]


@pytest.mark.parametrize(
    ("action", "outcome", "by"),
    [
        ("idp.suspend_account", {"account": "1", "connection": "idp"}, "idp.reactivate_account"),
        ("idp.create_account", {"created": True, "connection": "idp"}, "idp.suspend_account"),
        ("idp.create_account", {"created": False, "connection": "idp"}, "nothing"),
        ("idp.suspend_account", {"task": 4}, "by hand"),
        ("slack.close_access", {"member": "U1", "connection": "slack"}, "slack.reopen_access"),
        ("slack.close_access", {"task": 4}, "by hand"),
        ("idp.reactivate_account", {"account": "1", "connection": "i"}, "idp.suspend_account"),
        ("slack.reopen_access", {"member": "1", "connection": "s"}, "slack.close_access"),
        ("idp.update_account", {"changed": ["name"], "connection": "i"}, "nothing"),
        ("idp.update_account", {"task": 4}, "by hand"),
        ("apps.assign", {"applications": []}, "nothing"),
        ("message.send", {}, "by hand"),
        ("equipment.collect", {}, "by hand"),
        ("http.call", {}, "by hand"),
        ("approval.request", {}, "nothing"),
    ],
)
def test_each_action_says_what_takes_back_that_very_execution(
    action: str, outcome: dict[str, Any], by: str
) -> None:
    run = _run()
    step = _done(run, "one", action, 0, **outcome)
    node = ACTIONS.get(action)
    assert node is not None
    found = node.undo(UndoContext(run=run, step=step, person=run.person, params={}))
    kind = type(found).__name__
    expected = {"nothing": "NothingToUndo", "by hand": "ByHand"}.get(by, "Compensation")
    assert kind == expected
    assert getattr(found, "action", by) == by


def test_a_reversible_action_names_one_that_exists() -> None:
    for key in ACTIONS.keys():  # noqa: SIM118 - a registry is no mapping
        node = ACTIONS.get(key)
        assert node is not None
        if node.reversible is not None:
            assert ACTIONS.get(node.reversible.by) is not None or key.startswith("test."), key
            assert node.reversible.days > 0
            assert not node.harmless, key
