"""The list of runs, its selection, and the page of one run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from integrations.models import Connection, Delivery, MailEvent
from people.models import Role, Team
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Run, StepRun, Task


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _run(company: Company, name: str, **values: Any) -> Run:
    first = company.objects["run"]
    now = clock.now()
    values = {"status": "failed", "due_at": now, **values}
    return Run.objects.create(
        workflow=first.workflow, version=first.version, person=company.people[name],
        trigger="manual", anchor="manual:now", key=f"key-{name}", created_at=now, **values,
    )  # fmt: skip


def _listed(company: Company, query: str) -> set[int]:
    response = _as(company, "it").get(f"/runs/{query}")
    assert response.status_code == 200
    return {run.pk for run in response.context["page"].object_list}


def test_runs_are_found_by_each_filter(company: Company) -> None:
    first = company.objects["run"]
    Run.objects.exclude(pk=first.pk).delete()
    team = Team.objects.create(name="Sales")
    company.people["it"].team = team
    company.people["it"].save()
    yesterday = clock.now() - timedelta(days=1)
    mine = _run(company, "it", late=True, due_at=yesterday)
    assert _listed(company, "") == {first.pk, mine.pk}
    assert _listed(company, "?q=it+example") == {mine.pk}
    assert _listed(company, f"?team={team.pk}") == {mine.pk}
    assert _listed(company, "?late=on") == {mine.pk}
    assert _listed(company, "?errors_only=on") == {first.pk}
    assert _listed(company, f"?due_to={yesterday.date()}") == {mine.pk}
    assert _listed(company, f"?due_from={clock.now().date()}") == {first.pk}
    assert _listed(company, "?workflow=offboarding&version=1") == {first.pk, mine.pk}
    assert _listed(company, "?version=2") == set()
    assert _listed(company, "?state=failed") == {mine.pk}


@pytest.mark.parametrize(
    "query",
    ["?team=x", "?version=-1", "?due_from=soon", "?due_to=9999-12-31", "?workflow=%00", "?page=z"],
)
def test_filter_that_cannot_be_read_is_left_out(company: Company, query: str) -> None:
    assert company.objects["run"].pk in _listed(company, query)


def test_selection_is_asked_first_and_then_carried_out_for_each(company: Company) -> None:
    held, failed = company.objects["run"], _run(company, "it")
    client = _as(company, "it")
    chosen = {"runs": [held.pk, failed.pk], "act": "retry", "next": "/runs/?state=failed"}
    page = client.post("/runs/selection/", chosen)
    assert b"Try the failed step of these runs again?" in page.content
    assert Run.objects.get(pk=failed.pk).status == "failed"
    refused = client.post("/runs/selection/", {**chosen, "confirmed": "1"})
    assert refused.status_code == 422
    done = client.post("/runs/selection/", {**chosen, "confirmed": "1", "reason": "Mended."})
    assert done["Location"] == "/runs/?state=failed"
    assert Run.objects.get(pk=failed.pk).status == "queued"
    assert Run.objects.get(pk=held.pk).status == "held"
    said = " ".join(str(item) for item in client.get("/runs/").context["messages"])
    assert "1 run is tried again." in said
    assert "Only a run that failed" in said


def test_selection_never_leads_to_another_site(company: Company) -> None:
    data = {
        "runs": [company.objects["run"].pk], "act": "cancel", "confirmed": "1", "reason": "x",
        "next": "https://evil.test/runs/",
    }  # fmt: skip
    response = _as(company, "it").post("/runs/selection/", data)
    assert response["Location"] == "/runs/"


def test_run_page_shows_calls_history_and_what_was_known(company: Company) -> None:
    run, step = company.objects["run"], company.objects["step"]
    Delivery.objects.create(
        idempotency_key=f"{step.idempotency_key}:github", operation="POST /Users",
        started_at=clock.now(), outcome="failed", status_code=503, request_id="req-77",
    )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(
        snapshot={"person.job_title": "Designer", "person.date_of_birth": "1990-05-17"}
    )
    client = _as(company, "it")
    client.post(f"/runs/{run.pk}/release/", {"reason": "Looked at it."})
    html = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Designer" in html
    assert "1990" not in html
    assert "Looked at it." in html
    StepRun.objects.filter(pk=step.pk).update(status="failed")
    step.tries.create(number=1, phase="ended", started_at=clock.now(), outcome="failed")
    html = client.get(f"/runs/{run.pk}/").content.decode()
    assert "req-77" in html
    assert "503" in html


def test_reason_of_a_private_condition_is_hidden_with_its_value(company: Company) -> None:
    Run.objects.update(
        reason="No longer matches: Date of birth is 17 May 1990",
        trace={
            "result": "matched", "text": "date of birth is before 1 January 1995",
            "field": "person.date_of_birth", "value": "1990-05-17", "actual": "17 May 1990",
        },
    )  # fmt: skip
    run = company.objects["run"]
    assert b"17 May 1990" in _as(company, "hr").get(f"/runs/{run.pk}/").content
    assert b"17 May 1990" not in _as(company, "it").get(f"/runs/{run.pk}/").content


def test_step_is_given_to_a_role_and_skipped_from_the_page(company: Company) -> None:
    run, step = company.objects["run"], company.objects["step"]
    Role.objects.create(name="it")
    StepRun.objects.filter(pk=step.pk).update(action="apps.revoke", status="failed")
    Run.objects.filter(pk=run.pk).update(status="failed")
    client = _as(company, "it")
    html = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Do it by hand instead" in html
    client.post(f"/steps/{step.pk}/by-hand/", {"role": "nobody", "reason": "x"})
    assert Task.objects.count() == 1
    client.post(f"/steps/{step.pk}/by-hand/", {"role": "it", "reason": "In the console."})
    step.refresh_from_db()
    assert (step.status, Task.objects.filter(step=step, status="open").count()) == ("waiting", 1)
    client.post(f"/steps/{step.pk}/skip/", {"reason": "Has none."})
    step.refresh_from_db()
    assert (step.status, Task.objects.filter(step=step, status="open").count()) == ("skipped", 0)
    acts = AuditEntry.objects.filter(object_type="run", object_key=str(run.pk)).order_by("pk")
    assert [entry.action for entry in acts] == ["step.by_hand", "step.skipped"]


def test_run_page_tells_what_became_of_a_mail(company: Company) -> None:
    run, step = company.objects["run"], company.objects["step"]
    StepRun.objects.filter(pk=step.pk).update(status="done", outcome={"message": "id-1"})
    connection = Connection.objects.get(key="remote")
    for number, (kind, why) in enumerate(
        [("deferred", ""), ("bounced", "The address does not exist or is badly written.")]
    ):
        MailEvent.objects.create(
            connection=connection, message_id="id-1", kind=kind, why=why,
            digest=str(number), received_at=clock.now(),
        )  # fmt: skip
    html = _as(company, "it").get(f"/runs/{run.pk}/").content.decode()
    assert "Delayed" in html
    assert "Bounced" in html
    assert "The address does not exist" in html
    assert "tell them another way" in html
