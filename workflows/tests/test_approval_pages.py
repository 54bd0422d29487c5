"""The inbox, one question with all it takes to decide, and who is stuck with what."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from people.models import FieldPolicy, LegalEntity, Person
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Approval, Request, Run, WorkflowVersion

STEPS: list[dict[str, Any]] = [
    {
        "key": "ask",
        "action": "approval.request",
        "params": {
            "approver": {"type": "manager"},
            "fallback": {"type": "person", "email": "hr@acme.test"},
        },
        "outcomes": {
            "approved": [
                {
                    "key": "provide",
                    "action": "task.create",
                    "params": {"title": "Give {{ person.full_name }} access", "assignee": "it"},
                }
            ]
        },
    },
    {"key": "after", "action": "request.set_status", "params": {"status": "resolved"}},
]


@pytest.fixture
def company(db: None) -> Company:
    """The small company; its approval is about a request of the manager's report."""
    made = small_company()
    report = made.people["report"]
    entity = LegalEntity.objects.get()
    Person.objects.filter(pk=report.pk).update(legal_entity=entity, job_title="Designer")
    request = Request.objects.create(
        service=made.objects["service"],
        requester=report,
        form={"app": "Figma <b>"},
        created_at=clock.now(),
        updated_at=clock.now(),
    )
    WorkflowVersion.objects.update(
        document={
            "format": "siit.workflow/1",
            "key": "offboarding",
            "name": "Offboarding",
            "trigger": {"type": "request.submitted"},
            "steps": STEPS,
        }
    )
    Run.objects.update(request=request, person=report, status=Run.Status.WAITING)
    made.objects["asked"] = request
    return made


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _page(company: Company, who: str = "manager") -> str:
    return _as(company, who).get(f"/approvals/{company.objects['approval'].pk}/").content.decode()


def test_inbox_counts_in_title_and_menu(company: Company) -> None:
    html = _as(company, "manager").get("/approvals/").content.decode()
    assert "<title>(1) Approvals" in html
    assert "waiting for you" in html
    assert "<title>Approvals" in _as(company, "employee").get("/approvals/").content.decode()


def test_page_is_enough_to_decide(company: Company) -> None:
    html = _page(company)
    for words in (
        ">Software access</a>",
        "Figma &lt;b&gt;",
        "Designer",
        "Acme SAS",
        "Open a task for IT: Give Report Example access.",
        "The first of its kind",
    ):
        assert words in html, words
    assert "Resolved" not in html


def test_like_cases_are_counted_without_names(company: Company) -> None:
    now, row = clock.now(), company.objects["approval"]
    other = Run.objects.get(pk=company.objects["run"].pk)
    other.pk, other.key = None, "other"
    other.save()
    step = company.objects["step"]
    step.pk, step.run, step.idempotency_key = None, other, "other"
    step.save()
    Approval.objects.create(
        step=step, subject=company.people["employee"], approver=company.people["hr"],
        title="Secret title", asked_at=now, decided_at=now, status="rejected",
        decided_by=company.people["hr"], comment="Secret comment",
    )  # fmt: skip
    html = _as(company, "manager").get(f"/approvals/{row.pk}/").content.decode()
    assert "0 approved, 1 rejected" in html
    assert "Secret" not in html


def test_field_hidden_from_managers_is_not_on_the_page(company: Company) -> None:
    FieldPolicy.objects.update_or_create(
        field="legal_entity", defaults={"visible_to": ["HR admin"]}
    )
    assert "Acme SAS" not in _page(company)
    assert "Acme SAS" in _page(company, "hr")


def test_forwarded_link_opens_nothing_and_a_try_to_decide_is_written_down(
    company: Company,
) -> None:
    client, row = _as(company, "employee"), company.objects["approval"]
    assert client.get(f"/approvals/{row.pk}/").status_code == 404
    assert not AuditEntry.objects.filter(action="approval.refused").exists()
    answer = client.post(f"/approvals/{row.pk}/decide/", {"decision": "approve"})
    assert answer.status_code == 404
    entry = AuditEntry.objects.get(action="approval.refused")
    assert entry.actor_label == "employee"
    row.refresh_from_db()
    assert row.status == "pending"


def test_several_are_approved_from_the_inbox_where_the_step_allows_it(company: Company) -> None:
    client, row = _as(company, "manager"), company.objects["approval"]
    url, form = "/approvals/approve/", {"approval": [row.pk]}
    assert b"Approve those ticked" not in client.get("/approvals/").content
    assert b"own page only" in client.post(url, form, follow=True).content
    Approval.objects.update(bulk=True)
    assert b"Approve those ticked" in client.get("/approvals/").content
    client.post(url, form)
    row.refresh_from_db()
    assert row.status == "approved"


def test_question_goes_to_the_requester_and_the_answer_comes_back(company: Company) -> None:
    row, request = company.objects["approval"], company.objects["asked"]
    manager = _as(company, "manager")
    manager.post(f"/approvals/{row.pk}/ask/", {"question": "For which project?"})
    row.refresh_from_db()
    assert row.status == "info"
    assert "For which project?" in _page(company)
    assert list(request.notes.filter(kind="question").values_list("text", flat=True)) == [
        "For which project?"
    ]


def test_export_disarms_formulas_and_shows_ones_own(company: Company) -> None:
    Approval.objects.update(title="=HYPERLINK(1)")
    text = _as(company, "manager").get("/approvals/approvals.csv").content.decode()
    (row,) = csv.DictReader(text.splitlines())
    assert (row["question"], row["about"]) == ("'=HYPERLINK(1)", "report@acme.test")
    own = _as(company, "employee").get("/approvals/approvals.csv").content.decode()
    assert len(own.splitlines()) == 1


def test_hr_sees_who_is_stuck_and_moves_it(company: Company) -> None:
    row = company.objects["approval"]
    Approval.objects.update(due_at=clock.now() - timedelta(days=1), reminders=2)
    client = _as(company, "hr")
    html = client.get("/approvals/stuck/").content.decode()
    assert "Manager Example" in html
    assert "Overdue" in html
    assert "2 reminders" in html
    url = f"/approvals/{row.pk}/move/"
    assert (
        b"Nobody has"
        in client.post(url, {"to": "nobody@acme.test", "reason": "x"}, follow=True).content
    )
    client.post(url, {"to": "it@acme.test", "reason": "On leave"})
    assert Approval.objects.get(status="pending").approver == company.people["it"]


def test_suggestions_name_colleagues_who_are_here(company: Company) -> None:
    Person.objects.filter(full_name__startswith="Report").update(
        search_text="report example", status="ended"
    )
    Person.objects.filter(full_name__startswith="Manager").update(search_text="manager example")
    client = _as(company, "employee")
    assert b"manager@acme.test" in client.get("/person-options/", {"to": "mana"}).content
    for text in ("m", "report", ""):
        assert b"<option" not in client.get("/person-options/", {"to": text}).content


def test_delegation_is_made_seen_and_ended_on_its_page(company: Company) -> None:
    today = clock.now().date().isoformat()
    client = _as(company, "manager")
    form = {"delegate": "employee@acme.test", "kind": "permanent", "starts_on": today}
    assert client.post("/delegations/new/", form).status_code == 302
    assert "Employee Example" in client.get("/delegations/").content.decode()
    assert "in their place" in _page(company, "hr")
    seen = _as(company, "employee").get("/approvals/").content.decode()
    assert "<title>(1) Approvals" in seen
    back = {"delegate": "manager@acme.test", "kind": "permanent", "starts_on": today}
    refused = _as(company, "employee").post("/delegations/new/", back)
    assert refused.status_code == 422
    assert "circle" in refused.content.decode()


def test_nobody_delegates_for_others_but_hr(company: Company) -> None:
    today = clock.now().date().isoformat()
    form = {
        "approver": "manager@acme.test",
        "delegate": "it@acme.test",
        "kind": "permanent",
        "starts_on": today,
    }
    _as(company, "employee").post("/delegations/new/", form)
    made = company.people["employee"].delegations.get()
    assert made.delegate == company.people["it"], "it was made for the one signed in"
    _as(company, "hr").post("/delegations/new/", form)
    assert company.people["manager"].delegations.filter(kind="permanent").count() == 1


def test_comment_that_cannot_be_kept_is_said_and_nothing_is_decided(company: Company) -> None:
    client, pk = _as(company, "manager"), company.objects["approval"].pk
    for comment, said in (("x" * 3000, "at most 2000 characters"), ("a\x00b", "Null characters")):
        answer = client.post(
            f"/approvals/{pk}/decide/", {"decision": "reject", "comment": comment}, follow=True
        )
        html = answer.content.decode()
        assert "Nothing was decided. Your comment:" in html
        assert said in html
    assert Approval.objects.get(pk=pk).status == "pending"
