"""Publish with its effect, versions, the panel's figures, a test with a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrations.models import Connection
from people.models import CustomField, Person
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.roles import HR_ADMIN, roles_set_up, user_roles_set
from workflows.conditions.tree import Group, Rule
from workflows.designer.effect import effect_of, runs_movable
from workflows.designer.matching import Directory, directory, row_counts
from workflows.designer.panel import next_runs, rehearsals
from workflows.designer.rehearse import rehearse
from workflows.designer.warnings import warnings_of
from workflows.document import parse_document
from workflows.models import Run, Service, StepRun, Workflow
from workflows.services import draft_save, workflow_publish

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 1)
ASK = {
    "key": "ask",
    "action": "approval.request",
    "params": {
        "approver": {"type": "manager"},
        "fallback": {"type": "person", "email": "a@acme.test"},
    },
}


@pytest.fixture
def hr(client: Client) -> Client:
    roles_set_up()
    user = User.objects.create_user("hr", "hr@acme.test", "x")
    user_roles_set(user, roles=[HR_ADMIN])
    client.force_login(user)
    return client


def _person(name: str, **values: Any) -> Person:
    now = clock.now()
    given = {"status": "active", "worker_type": "contractor", "timezone": "UTC"} | values
    return Person.objects.create(
        work_email=f"{name}@acme.test",
        full_name=name.title(),
        created_at=now,
        updated_at=now,
        **given,
    )


def _data(*rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "format": "siit.workflow/1",
        "key": "leave",
        "name": "Leave",
        "trigger": {"type": "person.end_date", "params": {"at": "18:00"}},
        "steps": [{"key": "revoke", "action": "apps.revoke", "params": {"apps": "all"}}],
    }
    if rules:
        data["conditions"] = {"combinator": "and", "rules": list(rules)}
    return data | more


CONTRACTOR = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
FRANCE = {"field": "person.country", "operator": "is", "value": "FRA"}


def _saved(data: dict[str, Any]) -> Workflow:
    return draft_save(parse_document(data), now=clock.now())


def test_counts_of_each_row_are_what_the_lists_hold() -> None:
    _person("ana", country="FRA")
    _person("ben", country="ESP")
    _person("cem", country="", worker_type="direct_employee")
    _person("gone", country="FRA", status="ended")
    document = parse_document(_data(CONTRACTOR, FRANCE))
    both = directory(TODAY).count(document.conditions)
    assert (both.matched, both.missed, both.unknown, both.everybody) == (1, 2, 0, 3)
    rows = row_counts(document, people=directory(TODAY))
    assert {path: row.matched for path, row in rows.items()} == {"0": 2, "1": 1}
    assert rows["1"].unknown == 1
    matched, unknown = directory(TODAY).split(document.conditions)
    assert (len(matched), len(unknown)) == (1, 0)
    everybody = directory(TODAY).count(None)
    assert everybody.matched == 3


def test_a_condition_the_database_cannot_decide_is_counted_all_the_same() -> None:
    _person("ana", job_title="Größe")
    _person("ben", job_title="grosse")
    group = Group(rules=(Rule("person.job_title", "is", "GRÖSSE"),))
    assert directory(TODAY).count(group).matched == 1


def test_a_large_directory_is_asked_in_the_database_with_the_same_answers() -> None:
    _person("ana", country="FRA", job_title="Größe")
    _person("ben", country="ESP", job_title="grosse")
    _person("cem", country="")
    read, asked = directory(TODAY), Directory(today=TODAY, facts=None)
    for rule in (Rule("person.country", "is", "FRA"), Rule("person.job_title", "is", "GRÖSSE")):
        group = Group(rules=(rule,))
        assert read.split(group) == asked.split(group)
        assert read.count(group) == asked.count(group)
    assert read.split(None) == asked.split(None)


def test_a_large_directory_that_was_read_beforehand_has_the_same_answers() -> None:
    for name, country, title in (
        ("ana", "FRA", "Größe"),
        ("ben", "ESP", "grosse"),
        ("cem", "", ""),
    ):
        _person(name, country=country, job_title=title)
    rules = (Rule("person.country", "is", "FRA"), Rule("person.job_title", "is_not", "GRÖSSE"))
    groups = [Group(rules=(rule,)) for rule in rules] + [Group(combinator="or", rules=rules)]
    groups.append(Group(rules=(Rule("change.field", "is", "team"),)))
    plain, large = directory(TODAY), Directory(today=TODAY, facts=None)
    large.prepare([*groups, None])
    documents = [replace(parse_document(_data(CONTRACTOR)), conditions=group) for group in groups]
    for group, document in zip(groups, documents, strict=True):
        assert large.split(group) == plain.split(group)
        assert large.eligible(document) == plain.eligible(document)
        assert [large.shared(document, other) for other in documents] == [
            len(plain.eligible(document) & plain.eligible(other)) for other in documents
        ]
    assert large.counts(groups) == plain.counts(groups)
    assert large.everybody() == plain.everybody() == 3
    # What was not read beforehand is asked in the database.
    other = Group(rules=(Rule("person.work_email", "starts_with", "ana"),))
    assert large.split(other) == plain.split(other)


def test_next_runs_are_those_of_who_matches() -> None:
    now = clock.now()
    soon = (now + timedelta(days=10)).date()
    ana = _person("ana", end_date=soon)
    _person("ben", end_date=soon, worker_type="direct_employee")
    document = parse_document(_data(CONTRACTOR))
    found = next_runs(document, key="leave", live_since=None, now=now, people=directory(now.date()))
    assert (found.known, found.total) == (True, 1)
    assert found.first[0].person == ana.full_name
    by_hand = parse_document(_data(trigger={"type": "manual"}))
    assert not next_runs(
        by_hand, key="l", live_since=None, now=now, people=directory(now.date())
    ).known


def test_rehearsal_of_approvers_counts_who_would_be_asked_and_why_nobody() -> None:
    boss = _person("boss", worker_type="direct_employee")
    _person("ana", manager=boss)
    _person("ben")
    (found,) = rehearsals(
        parse_document(_data(CONTRACTOR, steps=[ASK])), now=clock.now(), people=directory(TODAY)
    )
    assert (found.found, found.asked, found.of) == (1, 2, 2)
    assert sum(number for _, number in found.reasons) == 1
    assert found.busiest == (("Boss", 1),)


def test_effect_names_who_comes_and_who_goes_and_counts_moved_starts() -> None:
    now = clock.now()
    soon = (now + timedelta(days=20)).date()
    _person("ana", country="FRA", end_date=soon)
    _person("ben", country="ESP", end_date=soon)
    live = parse_document(_data(FRANCE))
    later = {"type": "person.end_date", "params": {"at": "20:00"}}
    draft = parse_document(_data(CONTRACTOR, trigger=later))
    effect = effect_of(_saved(_data()), draft, live, now=now, people=directory(now.date()))
    assert (effect.added.names, effect.removed.count) == (("Ben",), 0)
    assert (effect.starts_new, effect.starts_gone, effect.starts_moved) == (1, 0, 1)
    back = effect_of(_saved(_data()), live, draft, now=now, people=directory(now.date()))
    assert (back.removed.names, back.starts_gone) == (("Ben",), 1)


def _publish(hr: Client, workflow: Workflow, **sent: str) -> Any:
    workflow.refresh_from_db()
    revision = {"revision": str(workflow.draft_revision)}
    return hr.post(f"/workflows/{workflow.key}/publish/", revision | sent, follow=True)


def test_errors_block_publishing_and_the_page_names_them(hr: Client) -> None:
    workflow = _saved(_data(CONTRACTOR, steps=[{"key": "ask", "action": "approval.request"}]))
    page = hr.get(f"/workflows/{workflow.key}/publish/").content.decode()
    assert "Step 1, Who is asked: Missing: fill this in." in page
    assert f'href="/workflows/{workflow.key}/edit/#step-ask-params-approver-type"' in page
    assert '<input type="hidden" name="revision"' not in page
    _publish(hr, workflow)
    workflow.refresh_from_db()
    assert workflow.live_version is None


def test_everybody_has_to_be_said(hr: Client) -> None:
    workflow = _saved(_data())
    answer = _publish(hr, workflow)
    assert answer.status_code == 422
    assert "meant for everybody" in answer.content.decode()
    _publish(hr, workflow, everybody="yes")
    workflow.refresh_from_db()
    assert workflow.live_version is not None


def test_a_draft_changed_since_the_page_was_shown_is_not_published(hr: Client) -> None:
    workflow = _saved(_data(CONTRACTOR))
    draft_save(parse_document(_data(CONTRACTOR, name="Other")), now=clock.now())
    answer = hr.post(f"/workflows/{workflow.key}/publish/", {"revision": "0"})
    assert answer.status_code == 409
    workflow.refresh_from_db()
    assert workflow.live_version is None


def _run(workflow: Workflow, person: Person, key: str, **values: Any) -> Run:
    now = clock.now()
    given = {"status": "waiting"} | values
    assert workflow.live_version is not None
    return Run.objects.create(
        workflow=workflow, version=workflow.live_version, person=person, trigger="person.end_date",
        anchor=key, key=key, due_at=now, created_at=now, **given,
    )  # fmt: skip


@pytest.mark.parametrize(("choice", "moved"), [("finish", 0), ("move", 1)])
def test_running_cases_finish_where_they_began_or_move_where_they_can(
    hr: Client, choice: str, moved: int
) -> None:
    workflow = _saved(_data(CONTRACTOR, steps=[ASK, {"key": "gone", "wait": {"for": {"days": 2}}}]))
    first = workflow_publish(workflow, now=clock.now())
    at_ask = _run(workflow, _person("ana"), "one")
    at_gone = _run(workflow, _person("ben"), "two")
    held = _run(workflow, _person("cem"), "three", status="held")
    for run, step in ((at_ask, "ask"), (at_gone, "gone")):
        StepRun.objects.create(
            run=run, key=step, action="x", position=0, status="waiting",
            idempotency_key=run.key, created_at=clock.now(),
        )  # fmt: skip
    draft = parse_document(_data(CONTRACTOR, steps=[ASK]))
    draft_save(draft, now=clock.now())
    assert runs_movable(workflow, draft) == [at_ask.pk]
    page = hr.get(f"/workflows/{workflow.key}/publish/").content.decode()
    assert "3 cases running now" in page
    _publish(hr, workflow, running=choice)
    for run in (at_ask, at_gone, held):
        run.refresh_from_db()
    assert (at_gone.version, held.version) == (first, first)
    assert (at_ask.version != first) is bool(moved)
    assert AuditEntry.objects.filter(action="run.moved").count() == moved


def test_a_version_is_shown_and_brought_back_as_a_draft(hr: Client) -> None:
    workflow = _saved(_data(CONTRACTOR))
    workflow_publish(workflow, now=clock.now())
    draft_save(parse_document(_data(FRANCE)), now=clock.now())
    workflow_publish(Workflow.objects.get(), now=clock.now())
    page = hr.get("/workflows/leave/versions/1/").content.decode()
    assert "worker type is Contractor" in page
    assert "Bring back as a draft" in page
    hr.post("/workflows/leave/versions/1/restore/")
    workflow.refresh_from_db()
    assert workflow.draft["conditions"]["rules"] == [CONTRACTOR]
    assert workflow.live_version is not None
    assert workflow.live_version.number == 2


def test_panel_and_lists_are_shown(hr: Client) -> None:
    _person("ana", country="FRA")
    _person("ben", country="ESP", status="hired")
    workflow = _saved(_data(CONTRACTOR, FRANCE))
    panel = hr.get(f"/workflows/{workflow.key}/panel/").content.decode()
    assert 'id="count-only-if-conditions-row-1"' in panel
    passes = hr.get(f"/workflows/{workflow.key}/matching/?row=1").content.decode()
    assert "Ana" in passes
    assert "Ben" not in passes
    fails = hr.get(f"/workflows/{workflow.key}/matching/?row=1&who=missed").content.decode()
    assert "Ben" in fails
    assert "Spain" in fails


def test_test_with_a_person_fills_every_placeholder_and_does_nothing(hr: Client) -> None:
    person = _person("ana", end_date=(clock.now() + timedelta(days=4)).date())
    task = {"title": "Collect from {{ person.full_name }}", "body": "Dear {{ person.team }}"}
    document = parse_document(
        _data(CONTRACTOR, steps=[{"key": "t", "action": "task.create", "params": task}])
    )
    workflow = draft_save(document, now=clock.now())
    found = rehearse(document, person, key="leave", now=clock.now())
    assert found.matched == "matched"
    assert found.due_at is not None
    assert "Collect from Ana" in found.steps[0].step.summary
    assert [text.text for text in found.steps[0].texts] == ["Collect from Ana", "Dear "]
    page = hr.get(f"/workflows/{workflow.key}/test/", {"person": "Ana (ana@acme.test)"})
    assert "Collect from Ana" in page.content.decode()
    assert not Run.objects.exists()
    assert hr.get(f"/workflows/{workflow.key}/test/", {"person": "nobody"}).status_code == 422


def _warned(data: dict[str, Any]) -> list[str]:
    now = clock.now()
    found = warnings_of(parse_document(data), key="leave", now=now, people=directory(TODAY))
    return [f"{problem.path}: {problem.message}" for problem in found]


def test_warnings_name_what_is_right_but_perhaps_not_meant() -> None:
    boss = _person("boss", worker_type="direct_employee")
    _person("ana", job_title="", timezone="", manager=boss)
    _person("ben")
    task = {"title": "Collect {{ person.job_title }}"}
    data = _data(
        CONTRACTOR,
        steps=[
            {"key": "revoke", "action": "apps.revoke"},
            ASK,
            {"key": "slack", "action": "slack.close_access"},
            {"key": "task", "action": "task.create", "params": task},
        ],
    )
    assert _warned(data) == [
        "steps[0]: Takes something away without an approval or a wait before it.",
        "trigger.params.timezone: The time zone of 1 person is unknown: the workspace's stands in.",
        "steps[3].params.title: {{ person.job_title }} is empty for 2 people.",
        "steps[1].params.approver: Nobody is found to ask for 1 person: the fallback is asked.",
    ]


def test_warnings_about_who_matches_and_contradictions() -> None:
    _person("ana", country="FRA")
    quiet = {"steps": [{"key": "stop", "action": "flow.stop"}]}
    spain = {"field": "person.country", "operator": "is", "value": "ESP"}
    assert _warned(_data(CONTRACTOR, **quiet)) == [
        "conditions: Everybody matches today: the conditions leave nobody out."
    ]
    assert _warned(_data(FRANCE, spain, **quiet)) == [
        "conditions.rules[1]: Nobody can pass: Country cannot be two things at once.",
        "conditions: Nobody matches today.",
    ]


def test_conditions_on_the_request_leave_open_who_matches_and_approvers_are_rehearsed(
    hr: Client,
) -> None:
    boss = _person("boss", worker_type="direct_employee")
    _person("ana", manager=boss)
    about = {"field": "request.service", "operator": "is", "value": "laptop"}
    trigger = {"type": "request.submitted", "params": {}}
    data = _data(CONTRACTOR, about, trigger=trigger, steps=[ASK])
    document = parse_document(data)
    people = directory(TODAY)
    assert people.count(document.conditions).matched == 0
    assert len(people.eligible(document)) == 1
    (found,) = rehearsals(document, now=clock.now(), people=people)
    assert (found.found, found.asked) == (1, 1)
    assert _warned(data) == []
    assert list(row_counts(document, people=people)) == ["0"]
    workflow = _saved(data)
    panel = hr.get(f"/workflows/{workflow.key}/panel/").content.decode()
    assert "could match" in panel


def test_a_workflow_that_takes_from_the_same_people_is_named() -> None:
    _person("ana")
    other = _saved(_data(CONTRACTOR, key="other", name="Other"))
    workflow_publish(other, now=clock.now())
    assert "conditions: 1 person is in “Other” too, which does the same." in _warned(
        _data(CONTRACTOR)
    )


def test_custom_fields_and_questions_can_be_asked_about(hr: Client) -> None:
    CustomField.objects.create(key="level", label="Level", enabled=True, created_at=clock.now())
    CustomField.objects.create(key="old", label="Old thing", created_at=clock.now())
    Service.objects.create(
        key="laptop", name="Laptop", fields=[{"name": "model", "label": "Model"}]
    )
    trigger = {"type": "request.submitted", "params": {"service": "laptop"}}
    workflow = _saved(_data(CONTRACTOR, trigger=trigger))
    html = hr.get(f"/workflows/{workflow.key}/edit/").content.decode()
    assert '<option value="person.custom.level">Level</option>' in html
    assert '<option value="request.form.model">Model</option>' in html
    assert "Old thing" not in html


def test_a_step_over_a_disconnected_connection_cannot_be_published(hr: Client) -> None:
    Connection.objects.create(
        key="slack", connector="slack", name="Slack", status="disconnected", created_at=clock.now()
    )
    step = {"key": "close", "action": "slack.close_access", "params": {"connection": "slack"}}
    workflow = _saved(_data(CONTRACTOR, steps=[step]))
    page = hr.get(f"/workflows/{workflow.key}/publish/").content.decode()
    assert "Step 1, Connection: Slack is disconnected" in page
    _publish(hr, workflow)
    workflow.refresh_from_db()
    assert workflow.live_version is None
