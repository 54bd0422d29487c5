"""The list of tasks and one task's page, as the one who has it, a colleague and a stranger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from people.models import Role
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Task
from workflows.tasks_by_hand import task_open


@pytest.fixture
def company(db: None) -> Company:
    company = small_company()
    Role.objects.create(name="it").members.add(company.people["it"], company.people["employee"])
    return company


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _task(company: Company, **values: object) -> Task:
    given = {"key": "mine", "title": "Grant Figma", "role": "it", "now": clock.now(), **values}
    return task_open(subject=company.people["report"], **given)  # type: ignore[arg-type]


def test_a_member_of_the_role_takes_it_ticks_and_says_what_was_done(company: Company) -> None:
    task = _task(company, checklist=["Invite"])
    client = _as(company, "employee")
    assert b"Grant Figma" in client.get("/tasks/").content
    client.post(f"/tasks/{task.pk}/take/", {"seen": ""})
    client.post(f"/tasks/{task.pk}/tick/", {"point": "0", "done": "yes"})
    assert client.post(f"/tasks/{task.pk}/done/", {"comment": " "}).status_code == 422
    client.post(f"/tasks/{task.pk}/done/", {"comment": "Invited to the team Design."})
    task.refresh_from_db()
    assert (task.status, task.done_by) == ("done", company.people["employee"])
    assert b"Invited to the team Design." in client.get(f"/tasks/{task.pk}/").content
    assert b"Invited to the team" in client.get("/tasks/?show=ended").content


def test_what_somebody_else_did_meanwhile_is_said(company: Company) -> None:
    task = _task(company)
    Task.objects.filter(pk=task.pk).update(status="done", done_by_label="it@acme.test")
    client = _as(company, "employee")
    answer = client.post(f"/tasks/{task.pk}/done/", {"comment": "Did it"}, follow=True)
    assert b"done already, by it@acme.test" in answer.content


def test_refused_with_a_reason(company: Company) -> None:
    task = _task(company)
    client = _as(company, "it")
    assert client.post(f"/tasks/{task.pk}/refuse/", {"reason": ""}).status_code == 422
    client.post(f"/tasks/{task.pk}/refuse/", {"reason": "No licence left."})
    task.refresh_from_db()
    assert (task.status, task.comment) == ("refused", "No licence left.")


def test_handed_over_to_one_person_or_one_role(company: Company) -> None:
    task = _task(company)
    client, url = _as(company, "it"), f"/tasks/{task.pk}/hand-over/"
    assert client.post(url, {"reason": "x"}).status_code == 422
    both = {"to": "manager@acme.test", "role": "it", "reason": "x"}
    assert client.post(url, both).status_code == 422
    assert client.post(url, {"to": "no@acme.test", "reason": "x"}).status_code == 422
    client.post(url, {"to": "manager@acme.test", "reason": "Their report"})
    task.refresh_from_db()
    assert task.assignee == company.people["manager"]
    assert _as(company, "manager").get(f"/tasks/{task.pk}/").status_code == 200


def test_files_are_refused_with_a_word(company: Company) -> None:
    task = _task(company)
    client = _as(company, "it")
    for verb, field in (("done", "comment"), ("comment", "text")):
        data = {field: "See the file", "file": SimpleUploadedFile("a.txt", b"x")}
        answer = client.post(f"/tasks/{task.pk}/{verb}/", data, follow=True)
        assert b"Files are not taken" in answer.content
    task.refresh_from_db()
    assert (task.status, task.notes.count()) == ("open", 0)


def test_a_stranger_sees_nothing_and_acts_on_nothing(company: Company) -> None:
    task = _task(company)
    client = _as(company, "manager")
    assert client.get(f"/tasks/{task.pk}/").status_code == 404
    for verb in ("done", "refuse", "take", "hand-over", "comment", "tick"):
        assert client.post(f"/tasks/{task.pk}/{verb}/").status_code == 404
    client.post("/tasks/selection/", {"task": [task.pk], "do": "done", "word": "Mine"})
    task.refresh_from_db()
    assert task.status == "open"


def test_a_colleague_of_the_role_reads_but_does_not_end_what_is_taken(company: Company) -> None:
    task = _task(company)
    Task.objects.filter(pk=task.pk).update(assignee=company.people["it"])
    client = _as(company, "employee")
    assert client.get(f"/tasks/{task.pk}/").status_code == 200
    assert client.post(f"/tasks/{task.pk}/done/", {"comment": "x"}).status_code == 403


def test_several_at_once_each_with_its_own_answer(company: Company) -> None:
    easy, hard = _task(company, key="a"), _task(company, key="b", title="B", checklist=["One"])
    client = _as(company, "it")
    empty = client.post("/tasks/selection/", {"do": "done", "word": "x"}, follow=True)
    assert b"Tick the tasks first" in empty.content
    answer = client.post(
        "/tasks/selection/", {"task": [easy.pk, hard.pk], "do": "done", "word": "Both"}, follow=True
    )
    assert b"1 done." in answer.content
    assert b"1 of 1 points are not ticked" in answer.content
    given = {"task": [hard.pk], "do": "assign", "word": "Yours", "to": "hr@acme.test"}
    client.post("/tasks/selection/", given)
    hard.refresh_from_db()
    assert (hard.status, hard.assignee) == ("open", company.people["hr"])


def test_list_is_narrowed_by_words_role_and_due_day(company: Company) -> None:
    _task(company, key="a", title="Grant Figma")
    _task(company, key="b", title="Take back Slack", role="hr")
    late = _task(company, key="c", title="Collect a phone")
    today = clock.now().date()
    Task.objects.filter(pk=late.pk).update(due_on=today - timedelta(days=3))
    client = _as(company, "owner")

    def shown(query: str) -> list[str]:
        page = client.get(f"/tasks/?{query}").context["page"]
        return sorted(item.title for item in page.object_list)

    everything = ["Collect a phone", "Collect the laptop", "Grant Figma", "Take back Slack"]
    assert shown("show=all") == everything
    assert shown("show=overdue") == ["Collect a phone"]
    assert shown("show=all&q=report+figma") == ["Grant Figma"]
    assert shown("show=all&role=hr") == ["Take back Slack"]
    assert shown("show=all&due=none") == ["Collect the laptop"]
    assert shown("show=all&due=overdue") == ["Collect a phone"]
    assert shown("show=all&workflow=offboarding") == []
    assert shown("show=nonsense&due=nonsense") == everything


def test_sidebar_counts_what_waits_for_me(company: Company) -> None:
    _task(company, key="a")
    taken = _task(company, key="b")
    Task.objects.filter(pk=taken.pk).update(assignee=company.people["it"])
    answer = _as(company, "employee").get("/tasks/")
    assert answer.context["waiting"] == 1
    assert b"(1) Tasks" in answer.content
