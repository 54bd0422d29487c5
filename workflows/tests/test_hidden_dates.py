"""No run, list, preview or task tells a date that its reader may not see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from integrations.models import Delivery
from people.models import FieldPolicy, Person
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.ledger_admin import RefusalAdmin
from workflows.models import Hold, Refusal, Run, StepRun, Task, Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db
DAYS_AGO = 43


@pytest.fixture
def company() -> Company:
    """The report had a birthday, and the run for it is done; its task is still open."""
    made = small_company()
    now = clock.now()
    due = (now - timedelta(DAYS_AGO)).replace(hour=8, minute=0, second=0)
    person = made.people["report"]
    Person.objects.filter(pk=person.pk).update(date_of_birth=due.date().replace(year=1992))
    document = {
        "format": "siit.workflow/1",
        "key": "cake",
        "name": "Cake",
        "trigger": {
            "type": "person.birthday",
            "params": {"direction": "same_day", "days": 0, "at": "09:00"},
        },
        "steps": [],
    }
    workflow = Workflow.objects.create(
        key="cake", name="Cake", status="live", draft=document, draft_saved_at=now,
        created_at=now, live_since=now - timedelta(90),
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=document, digest="c",
        published_at=now - timedelta(90),
    )  # fmt: skip
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    hold = Hold.objects.create(
        workflow=workflow,
        version=version,
        kind="limit",
        people=1,
        reason="Many",
        created_at=due,
        expires_at=now,
    )
    run = Run.objects.create(
        workflow=workflow, version=version, person=person, trigger="person.birthday",
        anchor=due.date().isoformat(), key="cake-1", status="done", due_at=due, created_at=due,
        started_at=due, finished_at=due, hold=hold,
    )  # fmt: skip
    step = StepRun.objects.create(
        run=run, key="bake", action="task.create", position=1, idempotency_key="cake-step",
        status="done", created_at=due, finished_at=due,
    )  # fmt: skip
    task = Task.objects.create(step=step, title="Bake a cake", subject=person, created_at=due)
    Refusal.objects.create(
        workflow=workflow, version=version, person=person, key="cake-0",
        anchor=due.date().isoformat(), due_at=due, verdict="late", noted_at=due,
    )  # fmt: skip
    Delivery.objects.create(
        connection=made.objects["connection"], idempotency_key="cake-step", operation="smtp.send",
        purpose="Cake: mail", run_id=run.pk, person=person, started_at=due, outcome="ok",
    )  # fmt: skip
    made.objects.update(cake=run, cake_step=step, cake_task=task, cake_hold=hold, cake_day=due)
    return made


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _paths(company: Company) -> list[str]:
    person, run = company.people["report"].pk, company.objects["cake"].pk
    return [
        "/runs/",
        "/runs/?state=done",
        f"/runs/?q={company.people['report'].work_email}",
        f"/runs/{run}/",
        f"/people/{person}/",
        f"/people/{person}/?tab=workflows",
        f"/people/{person}/?tab=timeline",
        "/workflows/",
        "/workflows/next-runs/",
        "/workflows/cake/",
        "/workflows/cake/preview/",
        f"/workflows/cake/preview/{person}/",
        "/workflows/cake/backtest/?version=live",
        f"/workflows/cake/why/?person={person}",
        f"/workflows/cake/why/?person={person}&at={company.objects['cake_day']:%Y-%m-%d}",
        "/tasks/?state=all",
        f"/tasks/{company.objects['cake_task'].pk}/",
        "/forecast/?view=list",
        "/admin/workflows/run/",
        "/admin/workflows/steprun/",
        "/admin/workflows/refusal/",
    ]


def _told(company: Company, who: str) -> list[str]:
    """Pages that show ``who`` the day, or the person beside the run's name."""
    client, day = _as(company, who), company.objects["cake_day"]
    words = (f"{day:%-d %b}", f"{day:%-d %B}", f"{day:%Y-%m-%d}", f"{day:%B} {day.day}")
    found = []
    for path in _paths(company):
        html = client.get(path).content.decode()
        asked = path.endswith(f"at={day:%Y-%m-%d}")
        if any(word in html for word in words) and not asked:
            found.append(path)
        if f'href="/runs/{company.objects["cake"].pk}/"' in html or "Bake a cake" in html:
            found.append(path)
    return found


@pytest.mark.slow
def test_runs_on_a_hidden_date_are_shown_to_who_may_see_the_date_alone(company: Company) -> None:
    for who in ("owner", "hr"):
        told = _told(company, who)
        run = company.objects["cake"].pk
        assert {"/runs/", f"/runs/{run}/", "/workflows/cake/", "/tasks/?state=all"} <= {*told}, who
    for who in ("it", "manager", "employee"):
        assert _told(company, who) == [], who


def test_call_for_such_a_run_names_nobody(company: Company) -> None:
    """When something was called may be known; for whom would tell the date."""
    url, name = "/settings/integrations/remote/calls/", str(company.people["report"])
    assert name in _as(company, "hr").get(url).content.decode()
    page = _as(company, "it").get(url).content.decode()
    assert "smtp.send" in page
    assert name not in page
    assert "Cake" not in page


@pytest.mark.slow
def test_another_field_is_hidden_by_its_policy_alike(company: Company) -> None:
    Run.objects.filter(pk=company.objects["cake"].pk).update(trigger="person.start_date")
    assert f"/runs/{company.objects['cake'].pk}/" in _told(company, "it")
    FieldPolicy.objects.create(field="start_date", visible_to=["HR admin"])
    client = _as(company, "it")
    assert client.get(f"/runs/{company.objects['cake'].pk}/").status_code == 404
    assert b"Cake" not in client.get("/runs/?state=done").content.partition(b"<tbody>")[2]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/runs/{run}/cancel/", {"reason": "x"}),
        ("/runs/{run}/retry/", {}),
        ("/runs/{run}/undo/", {}),
        ("/steps/{step}/skip/", {"reason": "x"}),
        ("/held/{hold}/", None),
        ("/held/{hold}/list.csv", None),
    ],
)
def test_nothing_is_done_to_what_does_not_exist_for_the_reader(
    company: Company, path: str, form: dict[str, Any] | None
) -> None:
    made = company.objects
    url = path.format(run=made["cake"].pk, step=made["cake_step"].pk, hold=made["cake_hold"].pk)
    client = _as(company, "it")
    answer = client.get(url) if form is None else client.post(url, form)
    assert answer.status_code in (403, 404), url
    made["cake"].refresh_from_db()
    assert made["cake"].status == "done"


def test_why_answers_the_same_on_every_day_where_the_date_is_hidden(company: Company) -> None:
    """Else asking day by day would find the birthday."""
    client, person = _as(company, "it"), company.people["report"]
    shown = set()
    for ago in (0, DAYS_AGO - 1, DAYS_AGO, DAYS_AGO + 1, 200):
        day = (clock.now() - timedelta(ago)).date()
        page = client.get(f"/workflows/cake/why/?person={person.pk}&at={day}")
        why = page.context["why"]
        shown.add((why.result, why.headline, tuple(rung.detail for rung in why.rungs), why.runs))
    assert len(shown) == 1


def test_refusal_whose_version_is_gone_is_listed_unless_its_workflow_would_tell_the_date(
    company: Company,
) -> None:
    now, person = clock.now(), company.people["report"]
    plain = Workflow.objects.get(key="offboarding")
    Workflow.objects.filter(pk=plain.pk).update(draft={})
    for workflow in (plain, Workflow.objects.get(key="cake")):
        Refusal.objects.create(
            workflow=workflow, version=None, person=person, key=f"{workflow.key}-gone",
            anchor="2026-11-01", due_at=now, verdict=f"of-{workflow.key}", noted_at=now,
        )  # fmt: skip
    shown = {}
    for who in ("hr", "it"):
        request = RequestFactory().get("/")
        request.user = company.users[who]
        rows = RefusalAdmin(Refusal, admin.site).get_queryset(request)
        shown[who] = {*rows.filter(version=None).values_list("verdict", flat=True)}
    assert shown == {"hr": {"of-offboarding", "of-cake"}, "it": {"of-offboarding"}}
