"""What the buttons do, and for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from people.models import Person, Role
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Approval, Delegation, Request, Run, StepRun, Task, Workflow


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def test_manager_approves_as_the_signed_in_person(company: Company) -> None:
    approval = company.objects["approval"]
    client = _as(company, "manager")
    assert b"Approve" in client.get(f"/approvals/{approval.pk}/").content
    client.post(f"/approvals/{approval.pk}/decide/", {"decision": "approve"})
    approval.refresh_from_db()
    assert approval.status == Approval.Status.APPROVED
    assert approval.decided_by == company.people["manager"]
    assert AuditEntry.objects.filter(action="approval.decided").count() == 1


@pytest.mark.slow
def test_opening_an_approval_a_hundred_times_decides_nothing(company: Company) -> None:
    approval = company.objects["approval"]
    client = _as(company, "manager")
    entries = AuditEntry.objects.count()
    for _ in range(100):
        client.get(f"/approvals/{approval.pk}/")
        client.get(f"/approvals/{approval.pk}/decide/", {"decision": "approve"})
    approval.refresh_from_db()
    assert approval.status == Approval.Status.PENDING
    assert AuditEntry.objects.count() == entries


def test_an_admin_who_is_not_asked_sees_but_cannot_decide(company: Company) -> None:
    approval = company.objects["approval"]
    client = _as(company, "owner")
    assert b'value="approve"' not in client.get(f"/approvals/{approval.pk}/").content
    response = client.post(
        f"/approvals/{approval.pk}/decide/", {"decision": "approve"}, follow=True
    )
    assert b"decides this" in response.content
    approval.refresh_from_db()
    assert approval.status == Approval.Status.PENDING


def test_rejecting_needs_a_reason(company: Company) -> None:
    approval = company.objects["approval"]
    client = _as(company, "manager")
    url = f"/approvals/{approval.pk}/decide/"
    assert b"Say why" in client.post(url, {"decision": "reject"}, follow=True).content
    client.post(url, {"decision": "reject", "comment": "No budget."})
    approval.refresh_from_db()
    assert (approval.status, approval.comment) == ("rejected", "No budget.")


def test_delegate_sees_and_decides_while_the_approver_is_away(company: Company) -> None:
    approval, today = company.objects["approval"], clock.now().date()
    client = _as(company, "employee")
    assert client.get(f"/approvals/{approval.pk}/").status_code == 404
    Delegation.objects.create(
        approver=company.people["manager"],
        delegate=company.people["employee"],
        starts_on=today - timedelta(days=1),
        created_at=clock.now(),
    )
    assert client.get(f"/approvals/{approval.pk}/").status_code == 200
    client.post(f"/approvals/{approval.pk}/decide/", {"decision": "approve"})
    approval.refresh_from_db()
    assert approval.decided_by == company.people["employee"]


def test_task_is_finished_by_its_circle_and_by_nobody_else(company: Company) -> None:
    task = company.objects["task"]
    circle = Role.objects.create(name="facilities")
    Task.objects.filter(pk=task.pk).update(role=circle)
    client = _as(company, "employee")
    assert client.post(f"/tasks/{task.pk}/done/").status_code == 404
    circle.members.add(company.people["employee"])
    client.post(f"/tasks/{task.pk}/done/", {"comment": "In the cupboard."})
    task.refresh_from_db()
    assert (task.status, task.done_by) == ("done", company.people["employee"])


def test_second_click_on_done_is_refused_in_words(company: Company) -> None:
    task = company.objects["task"]
    client = _as(company, "it")
    client.post(f"/tasks/{task.pk}/done/", {"comment": "Collected."})
    response = client.post(f"/tasks/{task.pk}/done/", {"comment": "Again."}, follow=True)
    assert b"already" in response.content


def test_request_is_submitted_for_the_signed_in_person(company: Company) -> None:
    client = _as(company, "employee")
    response = client.post("/requests/new/software/", {"answer_app": "Figma"})
    made = Request.objects.latest("pk")
    assert response["Location"] == f"/requests/{made.pk}/"
    assert (made.requester, made.form) == (company.people["employee"], {"app": "Figma"})


def test_request_without_a_required_answer_is_shown_again(company: Company) -> None:
    before = Request.objects.count()
    response = _as(company, "employee").post("/requests/new/software/", {})
    assert response.status_code == 200
    assert b"required" in response.content
    assert Request.objects.count() == before


def test_held_run_is_released_only_with_a_reason(company: Company) -> None:
    run = company.objects["run"]
    client = _as(company, "it")
    assert b"Say why" in client.post(f"/runs/{run.pk}/release/", {}, follow=True).content
    run.refresh_from_db()
    assert run.status == Run.Status.HELD
    client.post(f"/runs/{run.pk}/release/", {"reason": "Checked with HR."})
    run.refresh_from_db()
    assert run.status == Run.Status.QUEUED


def test_run_is_cancelled_and_its_page_offers_nothing_more(company: Company) -> None:
    run = company.objects["run"]
    client = _as(company, "hr")
    client.post(f"/runs/{run.pk}/cancel/", {"reason": "Stays after all."})
    run.refresh_from_db()
    assert (run.status, run.reason) == ("cancelled", "Stays after all.")
    html = client.get(f"/runs/{run.pk}/").content.decode()
    assert f"/runs/{run.pk}/cancel/" not in html
    assert f"/runs/{run.pk}/release/" not in html


def test_retry_of_a_run_that_did_not_fail_is_refused_in_words(company: Company) -> None:
    run = company.objects["run"]
    response = _as(company, "it").post(f"/runs/{run.pk}/retry/", follow=True)
    assert b"Only a run that failed" in response.content


def test_uncertain_step_is_settled_by_a_person(company: Company) -> None:
    step = company.objects["step"]
    form = {"happened": "yes", "reason": "Seen in the admin console."}
    _as(company, "it").post(f"/steps/{step.pk}/resolve/", form)
    step.refresh_from_db()
    assert step.status == StepRun.Status.DONE


def test_workflow_is_paused_and_resumed(company: Company) -> None:
    client = _as(company, "hr")
    client.post("/workflows/offboarding/act/pause/", {"reason": "Audit week."})
    workflow = Workflow.objects.get(key="offboarding")
    assert (workflow.status, workflow.status_reason) == ("paused", "Audit week.")
    client.post("/workflows/offboarding/act/resume/")
    workflow.refresh_from_db()
    assert workflow.status == "live"
    assert client.post("/workflows/offboarding/act/explode/").status_code == 404


def test_import_saves_a_draft_and_shows_every_problem(company: Company) -> None:
    client = _as(company, "hr")
    response = client.post("/import-workflow/", {"document": "format: nonsense"})
    assert b"form-errors" in response.content or b"errorlist" in response.content
    document = """
format: siit.workflow/1
key: hello
name: Hello
trigger: {type: person.start_date, params: {direction: same_day, days: 0, at: "09:00"}}
steps:
  - {key: hi, action: task.create, params: {title: Say hello, role: it}}
"""
    response = client.post("/import-workflow/", {"document": document})
    assert response["Location"] == "/workflows/hello/"
    workflow = Workflow.objects.get(key="hello")
    assert (workflow.status, workflow.live_version) == ("draft", None)
    assert client.get("/workflows/hello/").status_code == 200
    exported = client.get("/workflows/hello/document.yaml")
    assert exported["Content-Disposition"] == 'attachment; filename="hello.yaml"'
    assert b"key: hello" in exported.content


def test_a_held_list_is_shown_exactly_and_released_by_a_second_person(company: Company) -> None:
    hold = company.objects["hold"]
    client = _as(company, "hr")
    page = client.get(f"/held/{hold.pk}/")
    assert b"Employee Example" in page.content
    assert b"9 people within 24 hours" in page.content
    lines = client.get(f"/held/{hold.pk}/list.csv").content.decode()
    assert lines.splitlines()[1].startswith("Employee Example,employee@acme.test,Offboarding,")
    run = hold.runs.get()
    sent = {"runs": [run.pk], "seal": page.context["seal"], "reason": "It is meant."}
    assert b"badge" in client.get("/held/").content
    stale = client.post(f"/held/{hold.pk}/release/", sent | {"seal": "x"}, follow=True)
    assert b"has changed since you saw it" in stale.content
    client.post(f"/held/{hold.pk}/release/", sent)
    run.refresh_from_db()
    assert run.status == Run.Status.QUEUED
    entry = AuditEntry.objects.get(action="run.released")
    assert entry.detail == {"runs": [run.pk], "reason": "It is meant."}


def test_limits_are_changed_with_a_reason_and_recorded(company: Company) -> None:
    client = _as(company, "hr")
    fields = client.get("/settings/limits/").context["form"].initial
    sent = {name: "" if value is None else value for name, value in fields.items()}
    refused = client.post("/settings/limits/", sent | {"workflow_limit_percent": 101})
    assert refused.status_code == 422
    assert b"At most 100 percent." in refused.content
    client.post("/settings/limits/", sent | {"workflow_limit_people": 30, "reason": "We grow."})
    entry = AuditEntry.objects.get(action="limits.changed")
    assert entry.actor == company.users["hr"]
    assert entry.detail == {"changes": {"workflow_limit_people": [20, 30]}, "reason": "We grow."}


def test_the_list_says_owner_problems_runs_and_what_comes_next(company: Company) -> None:
    hr = Client()
    hr.force_login(company.users["hr"])
    Workflow.objects.filter(key="offboarding").update(owner="manager@acme.test")
    Run.objects.update(due_at=clock.now() - timedelta(days=1))
    count = Run.objects.filter(workflow__key="offboarding").count()
    page = " ".join(hr.get(reverse("workflows")).content.decode().split())
    assert "Manager Example" in page
    assert "problem" in page
    assert f"{count} run" in page
    report = company.people["report"]
    now = clock.now()
    report.end_date = (now + timedelta(days=5)).date()
    report.worker_type, report.known_at = "contractor", {"end_date": now.isoformat()}
    report.save(update_fields=["end_date", "worker_type", "known_at"])
    soon = hr.get(reverse("workflows-next-runs")).content.decode()
    assert 'id="next-offboarding" hx-swap-oob="innerHTML"' in soon
    assert "1 within 90 days" in soon
    one = reverse("workflows-next-runs") + "?workflow="
    assert "1 within 90 days" in hr.get(f"{one}offboarding").content.decode()
    assert "next-offboarding" not in hr.get(f"{one}another").content.decode()
    workflow = hr.get(reverse("workflow", args=["offboarding"])).content.decode()
    assert "owned by Manager Example" in " ".join(workflow.split())
    assert f'hx-get="{one}offboarding"' in workflow
    Person.objects.filter(pk=report.pk).update(end_date=None)
    cache.clear()
    assert "Nobody within 90 days" in hr.get(f"{one}offboarding").content.decode()
