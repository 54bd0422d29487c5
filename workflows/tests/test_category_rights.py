"""Rights by category: every page and every service, for every right."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from integrations.models import AccessEvent, Delivery
from people.models import Person
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.category_rights import category_rights_save, rights_of
from workflows.document.parse import parse_document
from workflows.drafts import draft_write
from workflows.holds import held_rows, hold_release, list_seal
from workflows.models import (
    CategoryRights,
    Hold,
    Run,
    Shipment,
    StepRun,
    Task,
    Workflow,
    WorkflowVersion,
)
from workflows.runs import run_cancel
from workflows.services import workflow_act, workflow_publish

pytestmark = pytest.mark.django_db
CATEGORY = "Payroll"


@pytest.fixture
def company() -> Company:
    made = small_company()
    workflow = Workflow.objects.get(key="offboarding")
    draft = workflow.draft | {"category": CATEGORY}
    Workflow.objects.filter(pk=workflow.pk).update(category=CATEGORY, draft=draft)
    return made


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _grant(company: Company, **rights: Any) -> None:
    category_rights_save(CATEGORY, rights, actor=company.users["owner"])


def _pages(company: Company) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Right → (method, address, parts) of everything that needs it on one workflow."""
    key, run = {"key": "offboarding"}, {"pk": company.objects["run"].pk}
    step, hold = {"pk": company.objects["step"].pk}, {"pk": company.objects["hold"].pk}
    person = {**key, "pk": company.people["report"].pk}
    version = {**key, "number": 1}
    return {
        "view": [
            ("get", "workflow", key),
            ("get", "workflow-document", key),
            ("get", "workflow-print", key),
            ("get", "workflow-version", version),
            ("get", "workflow-preview", key),
            ("get", "workflow-preview-person", person),
            ("get", "workflow-why", key),
            ("get", "workflow-backtest", key),
            ("get", "run", run),
        ],
        "edit": [
            ("get", "designer", key),
            ("post", "designer-verb", {**key, "verb": "save"}),
            ("get", "designer-panel", key),
            ("get", "designer-matching", key),
            ("get", "workflow-test", key),
            ("post", "version-restore", version),
        ],
        "publish": [
            ("get", "workflow-publish", key),
            ("post", "workflow-publish", key),
            ("post", "workflow-act", {**key, "verb": "pause"}),
        ],
        "run": [
            ("post", "run-retry", run),
            ("get", "workflow-start", key),
            ("post", "workflow-start", key),
            ("post", "run-cancel", run),
            ("post", "run-release", run),
            ("post", "run-restart", run),
            ("get", "run-undo", run),
            ("post", "run-undo", run),
            ("post", "step-skip", step),
            ("post", "step-by-hand", step),
            ("post", "step-resolve", step),
        ],
        "release": [
            ("get", "hold", hold),
            ("get", "hold-csv", hold),
            ("post", "hold-release", hold),
            ("post", "hold-discard", hold),
        ],
    }


@pytest.mark.parametrize("right", ["view", "edit", "publish", "run", "release"])
def test_a_right_that_names_others_closes_every_page_of_it(company: Company, right: str) -> None:
    _grant(company, **{right: ["Owner"]})
    hr, owner = _as(company, "hr"), _as(company, "owner")
    for method, name, kwargs in _pages(company)[right]:
        url = reverse(name, kwargs=kwargs)
        assert getattr(hr, method)(url).status_code == 403, name
        if method == "get":
            assert owner.get(url).status_code == 200, name


@pytest.mark.parametrize("right", ["edit", "publish", "release"])
def test_a_right_that_names_a_role_opens_its_pages_to_it(company: Company, right: str) -> None:
    it = _as(company, "it")
    gets = [row for row in _pages(company)[right] if row[0] == "get"]
    for _, name, kwargs in gets:
        assert it.get(reverse(name, kwargs=kwargs)).status_code == 403, name
    _grant(company, **{right: ["IT staff"]})
    for _, name, kwargs in gets:
        assert it.get(reverse(name, kwargs=kwargs)).status_code == 200, name


def test_other_rights_and_other_categories_stay_as_they_were(company: Company) -> None:
    _grant(company, publish=["Owner"])
    hr = _as(company, "hr")
    assert hr.get(reverse("designer", args=["offboarding"])).status_code == 200
    rights = rights_of(company.users["hr"])
    assert not rights.may("publish", " payroll ")
    assert rights.may("publish", "IT")


def test_who_may_edit_may_see(company: Company) -> None:
    _grant(company, view=["Owner"], edit=["IT staff"])
    assert rights_of(company.users["it"]).may("view", CATEGORY)
    assert not rights_of(company.users["hr"]).may("view", CATEGORY)
    assert not rights_of(company.users["employee"]).may("view", CATEGORY)


@pytest.mark.parametrize("name", ["workflows", "runs", "forecast", "gaps"])
def test_lists_leave_out_what_is_closed(company: Company, name: str) -> None:
    _grant(company, view=["Owner"])
    assert "Offboarding" not in _as(company, "hr").get(reverse(name)).content.decode()


def test_lists_of_held_runs_and_profiles_leave_it_out_too(company: Company) -> None:
    profile = reverse("person", args=[company.people["report"].pk])
    assert "Offboarding" in _as(company, "hr").get(reverse("holds")).content.decode()
    assert "Offboarding" in _as(company, "hr").get(profile).content.decode()
    _grant(company, view=["Owner"], release=["Owner"])
    assert "Offboarding" not in _as(company, "hr").get(reverse("holds")).content.decode()
    assert "Offboarding" not in _as(company, "hr").get(profile).content.decode()


def _page(company: Company, who: str, name: str, **kwargs: Any) -> str:
    answer = _as(company, who).get(reverse(name, kwargs=kwargs))
    return answer.content.decode() if answer.status_code == 200 else f"{answer.status_code}"


def test_evidence_of_a_leaver_counts_what_is_closed_and_says_nothing_of_it(
    company: Company,
) -> None:
    leaver = company.people["report"].pk
    run = company.objects["run"]
    Person.objects.filter(pk=leaver).update(status="offboarding", end_date=clock.now().date())
    Run.objects.filter(pk=run.pk).update(trigger="person.end_date", reason="A secret reason.")
    StepRun.objects.filter(run=run).update(action="approval.request")
    for who in ("hr", "it"):
        shown = _page(company, who, "leaver", pk=leaver)
        for words in ("Offboarding", "A secret reason.", "Ship a laptop", "No answer came."):
            assert words in shown
    _grant(company, view=["Owner"])
    shown = _page(company, "hr", "leaver", pk=leaver)
    for words in ("Offboarding", "A secret reason.", "Ship a laptop", "No answer came."):
        assert words not in shown
    assert "Left out: 1" in shown
    assert "Its workflow is not open to you" in shown  # that something is open is not kept back
    taken_out = _page(company, "hr", "leaver-csv", pk=leaver)
    assert "Left out" in taken_out
    assert "Offboarding" not in taken_out
    assert "Offboarding" in _page(company, "owner", "leaver", pk=leaver)


def test_tasks_of_a_closed_workflow_are_open_to_whose_they_are_alone(company: Company) -> None:
    task = company.objects["task"]
    Task.objects.filter(pk=task.pk).update(step=company.objects["step"])
    link = reverse("run", args=[company.objects["run"].pk])
    assert link in _page(company, "hr", "task", pk=task.pk)
    assert task.title in _page(company, "hr", "tasks")
    _grant(company, view=["Owner"])
    assert _page(company, "hr", "task", pk=task.pk) == "404"
    assert task.title not in _page(company, "hr", "tasks")
    assert link in _page(company, "owner", "task", pk=task.pk)
    Task.objects.filter(pk=task.pk).update(assignee=company.people["hr"])
    theirs = _page(company, "hr", "task", pk=task.pk)
    assert task.title in theirs
    assert link not in theirs
    own = Task.objects.create(key="own", title="Water the plants", created_at=clock.now())
    assert own.title in _page(company, "hr", "task", pk=own.pk)


def test_equipment_and_access_lead_to_no_run_that_is_closed(company: Company) -> None:
    shipment, access = company.objects["shipment"].pk, company.objects["access"]
    Shipment.objects.filter(pk=shipment).update(step=company.objects["step"])
    AccessEvent.objects.create(
        access=access, state="granted", at=clock.now(), run_id=company.objects["run"].pk
    )
    pages = [("shipment", {"pk": shipment}), ("access", {"pk": access.pk})]
    link = reverse("run", args=[company.objects["run"].pk])
    for name, kwargs in pages:
        assert link in _page(company, "hr", name, **kwargs), name
    _grant(company, view=["Owner"])
    for name, kwargs in pages:
        shown = _page(company, "hr", name, **kwargs)
        assert "Offboarding" not in shown, name
        assert link not in shown, name
        assert link in _page(company, "owner", name, **kwargs), name


def test_approvals_of_a_closed_workflow_are_open_to_who_decides_alone(company: Company) -> None:
    approval = company.objects["approval"]
    Run.objects.filter(pk=company.objects["run"].pk).update(status="waiting")
    assert approval.title in _page(company, "hr", "approval", pk=approval.pk)
    assert approval.title in _page(company, "hr", "approvals-stuck")
    _grant(company, view=["Owner"])
    assert approval.title not in _page(company, "hr", "approval", pk=approval.pk)
    assert approval.title not in _page(company, "hr", "approvals-stuck")
    assert approval.title in _page(company, "owner", "approvals-stuck")
    assert approval.title in _page(company, "manager", "approval", pk=approval.pk)


def test_pages_that_say_what_uses_a_thing_name_no_closed_workflow(company: Company) -> None:
    steps = [
        {
            "key": "tell",
            "action": "message.send",
            "params": {"to": "person", "template": "welcome"},
        },
        {
            "key": "ask",
            "action": "approval.request",
            "params": {
                "approver": {"type": "policy", "key": "by-entity"},
                "also": [{"type": "manager"}],
                "fallback": {"type": "role", "name": "hr"},
            },
        },
    ]
    trigger = {"type": "request.submitted", "params": {"service": "software"}}
    workflow = Workflow.objects.get(key="offboarding")
    document = workflow.draft | {"steps": steps, "trigger": trigger}
    Workflow.objects.filter(pk=workflow.pk).update(draft=document)
    WorkflowVersion.objects.filter(workflow=workflow).update(document=document)
    pages = [
        ("message-templates", {}),
        ("message-template", {"key": "welcome"}),
        ("policies", {}),
        ("policy-edit", {"key": "by-entity"}),
        ("policy-rehearsal", {"key": "by-entity"}),
        ("services", {}),
        ("service-edit", {"key": "software"}),
    ]
    for name, kwargs in pages:
        assert "Offboarding" in _page(company, "hr", name, **kwargs), name
    _grant(company, view=["Owner"])
    for name, kwargs in pages:
        shown = _page(company, "hr", name, **kwargs)
        assert "Offboarding" not in shown, name
        if name != "policy-rehearsal":
            assert "a workflow that is not open to you" in shown, name


def test_calls_say_nothing_of_a_closed_run(company: Company) -> None:
    Delivery.objects.create(
        connection=company.objects["connection"], operation="people.read", started_at=clock.now(),
        purpose="Offboarding: revoke", run_id=company.objects["run"].pk, outcome="ok",
    )  # fmt: skip
    assert "Offboarding: revoke" in _page(company, "it", "connection-calls", key="remote")
    _grant(company, view=["Owner"])
    shown = _page(company, "it", "connection-calls", key="remote")
    assert "people.read" in shown
    assert "Offboarding" not in shown


def test_buttons_follow_the_rights(company: Company) -> None:
    url = reverse("workflow", args=["offboarding"])
    assert "Edit draft" in _as(company, "hr").get(url).content.decode()
    _grant(company, edit=["Owner"])
    assert "Edit draft" not in _as(company, "hr").get(url).content.decode()


def test_services_ask_again(company: Company) -> None:
    hr, now = company.users["hr"], clock.now()
    workflow, run = Workflow.objects.get(key="offboarding"), company.objects["run"]
    run, hold = Run.objects.get(pk=run.pk), Hold.objects.get(pk=company.objects["hold"].pk)
    rows = held_rows(hold)
    _grant(company, edit=["Owner"], publish=["Owner"], run=["Owner"], release=["Owner"])
    document = parse_document(workflow.draft)
    with pytest.raises(PermissionDenied):
        draft_write(workflow, document, now=now, actor=hr)
    with pytest.raises(PermissionDenied):
        workflow_publish(workflow, now=now, actor=hr)
    with pytest.raises(PermissionDenied):
        workflow_act(workflow, "pause", reason="", now=now, actor=hr)
    with pytest.raises(PermissionDenied):
        run_cancel(run, reason="x", now=now, actor=hr)
    with pytest.raises(PermissionDenied):
        hold_release(
            hold,
            run_ids=[row.run.pk for row in rows],
            seal=list_seal(rows),
            named="",
            reason="x",
            now=now,
            actor=hr,
        )


def test_nobody_moves_a_workflow_to_where_they_would_not_be_let_in(company: Company) -> None:
    """Nor publishes one out of a category that is closed to them, by renaming it in the draft."""
    hr, now = company.users["hr"], clock.now()
    workflow = Workflow.objects.get(key="offboarding")
    category_rights_save("Secret", {"edit": ["Owner"]}, actor=None)
    there = parse_document(workflow.draft | {"category": "Secret"})
    with pytest.raises(PermissionDenied):
        draft_write(workflow, there, now=now, actor=hr)
    _grant(company, publish=["Owner"])
    free = parse_document(workflow.draft | {"category": "Anything"})
    draft_write(workflow, free, now=now, actor=hr)
    workflow.refresh_from_db()
    with pytest.raises(PermissionDenied):
        workflow_publish(workflow, now=now, actor=hr)


def test_owner_sets_rights_in_the_browser_and_it_is_noted(company: Company) -> None:
    owner = _as(company, "owner")
    url = reverse("category-rights-set")
    answer = owner.post(
        url, {"category": CATEGORY, "view": "both", "edit": "hr", "publish": "owner"}, follow=True
    )
    assert "The rights on “Payroll” are saved." in answer.content.decode()
    assert CategoryRights.objects.get(category="payroll").rights == {
        "view": ["HR admin", "IT staff"],
        "edit": ["HR admin"],
        "publish": ["Owner"],
    }
    assert AuditEntry.objects.filter(action="category.rights_changed").count() == 1
    page = owner.get(reverse("category-rights")).content.decode()
    assert "Payroll" in page
    owner.post(url, {"category": CATEGORY})
    assert CategoryRights.objects.get(category="payroll").rights == {}
    refused = owner.post(url, {"category": CATEGORY, "edit": "everybody"}, follow=True)
    assert "Choose who may" in refused.content.decode()


def test_a_right_or_role_that_cannot_be_named_is_refused() -> None:
    with pytest.raises(ValueError, match="Employee"):
        category_rights_save("IT", {"edit": ["Employee"]}, actor=None)
    with pytest.raises(ValueError, match="destroy"):
        category_rights_save("IT", {"destroy": ["Owner"]}, actor=None)
    assert not CategoryRights.objects.exists()
