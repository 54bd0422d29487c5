"""The catalogue of applications: pages, the rule's rows, differences, what is done about them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.access_reading import reported_take_over
from integrations.connectors.base import RemoteAccount
from integrations.models import (
    AccessEvent,
    AccessReading,
    Account,
    AppAccess,
    Application,
    Connection,
    ReportedAccess,
)
from integrations.services import connection_save
from people.models import Person, Role, Team
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.access.drift import drift_count_changed, drift_of
from workflows.access.looking_after import access_look_after
from workflows.access.mending import planned_forget
from workflows.access.should import directory_today
from workflows.engine.service import run_due
from workflows.models import Hold, Run, Task
from workflows.runs import run_cancel

pytestmark = pytest.mark.django_db
RULE = {
    "combinator": "and",
    "rules": [{"field": "person.team", "operator": "is", "value": "Design"}],
}


@pytest.fixture
def company() -> Company:
    return small_company()


def _client(company: Company, who: str = "it") -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def _form(**values: str) -> dict[str, str]:
    return {
        "application": "",
        "name": "Figma",
        "provision_by": "task",
        "active": "on",
        "rule": "",
        **values,
    }


def _idp() -> Connection:
    return Connection.objects.create(
        key="idp", name="Okta", connector="scim", status="ready", created_at=clock.now()
    )


def test_application_is_made_with_its_rule_and_audited(company: Company) -> None:
    owner = company.people["manager"]
    posted = _form(
        owner=f"{owner.full_name} ({owner.work_email})",
        category="Design",
        rule=json.dumps(RULE),
        sensitive="on",
    )
    answer = _client(company).post(reverse("application-new"), posted)
    assert answer.status_code == 302
    made = Application.objects.get(key="figma")
    assert (made.owner, made.category, made.sensitive, made.active) == (
        owner, "Design", True, True,
    )  # fmt: skip
    assert made.entitle == RULE
    assert AuditEntry.objects.filter(action="application.saved", object_key="figma").exists()


def test_bad_application_is_refused_with_words_and_nothing_is_kept(company: Company) -> None:
    half = {"combinator": "and", "rules": [{"field": "", "operator": "is"}]}
    posted = _form(provision_by="group", owner="Nobody at all", rule=json.dumps(half))
    answer = _client(company).post(reverse("application-new"), posted)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Nobody is called that" in page
    posted["owner"] = ""
    page = _client(company).post(reverse("application-new"), posted).content.decode()
    assert "Choose the connection" in page
    assert "Name the group" in page
    assert not Application.objects.filter(key="figma").exists()


def test_assigned_application_needs_a_provider_that_has_applications(company: Company) -> None:
    idp, client = _idp(), _client(company)
    posted = _form(provision_by="app", connection=idp.key, place="Figma")
    page = client.post(reverse("application-new"), posted).content.decode()
    assert "has no applications to assign" in page
    okta = connection_save(
        key="okta",
        connector="okta",
        config={"base_url": "https://acme.okta.test"},
        secrets={"api_token": "any"},
    )
    posted["connection"] = okta.key
    page = client.post(reverse("application-new"), posted | {"place": ""}).content.decode()
    assert "as the connection calls it" in page
    assert client.post(reverse("application-new"), posted).status_code == 302
    made = Application.objects.get(key="figma")
    assert (made.provision_by, made.provision) == ("app", {"app": "Figma"})
    Connection.objects.filter(pk=okta.pk).update(status="ready")
    page = client.get(reverse("application", args=["figma"])).content.decode()
    assert "By the application Figma at Okta" in page
    edit = reverse("application-edit", args=["figma"])
    assert 'name="place" value="Figma"' in client.get(edit).content.decode()
    client.post(edit, posted | {"application": "figma", "provision_by": "group", "place": "f"})
    made.refresh_from_db()
    assert (made.provision_by, made.provision) == ("group", {"group": "f"})


def test_differences_are_counted_again_by_a_press_and_after_each_change(company: Company) -> None:
    person = company.people["report"]
    figma = Application.objects.create(
        key="figma", name="Figma", entitle=RULE, connection=_idp(), provision_by="group",
        provision={"group": "figma"},
    )  # fmt: skip
    client, url = _client(company), reverse("applications")
    assert "Differences are not counted yet" in client.get(url).content.decode()
    counting = reverse("applications-count")
    answer = client.post(counting, {"application": ["figma", "nothing"], "query": "category=x"})
    assert answer["Location"] == f"{url}?category=x"
    reading = AccessReading.objects.get(application=figma)
    assert (reading.drift, reading.changed) == ({}, False)
    assert "Differences as of" in client.get(url).content.decode()
    _reported(figma, ("7", person.work_email))
    assert "Being counted" in client.get(url).content.decode()
    assert drift_count_changed(now=clock.now()) == 1
    assert drift_count_changed(now=clock.now()) == 0
    reading.refresh_from_db()
    assert reading.drift == {"unrecorded": 1}
    posted = {"act": "record", "pair": [f"figma:{person.pk}"], "reason": "Agreed"}
    client.post(reverse("access-mend"), posted)
    _reported(figma)
    AppAccess.objects.filter(application=figma).update(since=clock.now() - timedelta(days=1))
    client.post(reverse("access-mend"), posted | {"act": "strike", "reason": "Gone"})
    reading.refresh_from_db()
    assert (reading.drift, reading.changed) == ({}, False)


def test_rows_of_the_rule_are_those_of_the_designer_and_nothing_is_saved(
    company: Company,
) -> None:
    client = _client(company)
    url = reverse("application-rule", args=["add-conditions"]) + "?host=conditions"
    page = client.post(url, _form()).content.decode()
    assert 'name="row.0.field"' in page
    assert "Only for some people" not in page
    carried = json.dumps({"combinator": "and", "rules": [{"field": "", "operator": "is"}]})
    typed = _form(rule=carried) | {"row.0.field": "person.team"}
    page = client.post(reverse("application-rule", args=["save"]), typed).content.decode()
    assert 'name="row.0.value"' in page
    assert not Application.objects.filter(key="figma").exists()


def test_live_count_says_how_many_the_rule_fits(company: Company) -> None:
    team = Team.objects.get(name="Design")
    Person.objects.filter(pk=company.people["report"].pk).update(team=team)
    answer = _client(company).post(
        reverse("application-rule", args=["counts"]),
        _form(rule=json.dumps(RULE)),
        headers={"HX-Request": "true"},
    )
    page = answer.content.decode()
    assert f"<strong>1</strong> of {Person.objects.count()}" in page
    assert "1 ✓" in page


def test_rule_that_came_in_pieces_is_refused(company: Company) -> None:
    for broken in ("{", "[" * 50_000, '{"rules": 3}', "x" * 70_000):
        answer = _client(company).post(reverse("application-new"), _form(rule=broken))
        assert answer.status_code == 422
    assert not Application.objects.filter(key="figma").exists()


def _drift(application: Application) -> dict[str, int]:
    return drift_of(application, people=directory_today(clock.now())).counts()


def _reported(application: Application, *accounts: tuple[str, str]) -> None:
    having = [RemoteAccount(external_id=key, username=name, active=True) for key, name in accounts]
    reported_take_over(application, having, now=clock.now())


def test_each_difference_is_found_under_its_name(company: Company) -> None:
    people = company.people
    Person.objects.filter(pk=people["hr"].pk).update(team=Team.objects.get(name="Design"))
    # A rule about teams says nothing of who has none: that is no difference.
    Person.objects.filter(pk=people["owner"].pk).update(team=Team.objects.create(name="Sales"))
    Person.objects.filter(pk=people["employee"].pk).update(status="ended")
    figma = Application.objects.create(
        key="figma", name="Figma", entitle=RULE, connection=_idp(), provision_by="group",
        provision={"group": "figma"},
    )  # fmt: skip
    old = clock.now() - timedelta(days=1)
    for who, state, aim in (
        ("owner", "granted", "have"),
        ("employee", "granted", "have"),
        ("it", "failed", "have"),
    ):
        AppAccess.objects.create(
            application=figma, person=people[who], state=state, aim=aim, since=old
        )
    _reported(
        figma,
        ("1", people["owner"].work_email),
        ("2", people["employee"].work_email),
        ("3", "stranger@elsewhere.test"),
    )
    assert _drift(figma) == {"left": 1, "missing": 1, "beyond": 1, "stuck": 1, "unknown": 1}
    Application.objects.filter(pk=figma.pk).update(entitle=None)
    figma.refresh_from_db()
    _reported(figma, ("2", people["employee"].work_email), ("4", people["hr"].work_email))
    assert _drift(figma) == {"left": 1, "vanished": 1, "unrecorded": 1, "stuck": 1}
    gone = ReportedAccess.objects.get(external_id="1")
    assert gone.gone_at is not None


def test_what_is_ticked_becomes_runs_and_nobody_else_is_touched(company: Company) -> None:
    people = company.people
    github = company.objects["access"].application
    AppAccess.objects.create(
        application=github, person=people["hr"], state="granted", since=clock.now()
    )
    posted = {"application": "github", "act": "take", "pair": [f"github:{people['report'].pk}"]}
    client = _client(company)
    refused = client.post(reverse("access-mend"), posted, follow=True)
    assert "Say why" in refused.content.decode()
    assert not Run.objects.filter(workflow__key="access-changes").exists()
    done = client.post(reverse("access-mend"), posted | {"reason": "Changed team"}, follow=True)
    assert "One run started" in done.content.decode()
    run = Run.objects.get(workflow__key="access-changes")
    assert (run.person, run.status, run.started_by) == (people["report"], "queued", "it")
    assert run.document is not None
    assert run.document["steps"][0]["params"] == {"apps": ["github"]}
    assert AuditEntry.objects.filter(action="access.mended").exists()


def test_limits_hold_what_is_ticked_like_any_other_run(company: Company) -> None:
    github = company.objects["access"].application
    now = clock.now()
    crowd = [
        Person.objects.create(
            work_email=f"p{n}@acme.test", full_name=f"P {n}", status="active", created_at=now,
            updated_at=now,
        )
        for n in range(30)
    ]  # fmt: skip
    pairs = [f"github:{person.pk}" for person in crowd]
    posted = {"application": "github", "act": "give", "pair": pairs}
    page = _client(company).post(reverse("access-mend"), posted, follow=True).content.decode()
    assert "30 held" in page
    assert Hold.objects.filter(workflow__key="access-changes", status="open").count() == 1
    assert set(Run.objects.filter(person__in=crowd).values_list("status", flat=True)) == {"held"}
    planned = AppAccess.objects.filter(application=github, state="planned")
    assert planned.count() == 30
    for run in Run.objects.filter(person__in=crowd):
        run_cancel(run, reason="No.", now=now, actor=None)
    assert planned_forget(now=now) == 30
    assert not planned.exists()


def test_reported_is_written_down_and_what_is_reported_cannot_be_struck_out(
    company: Company,
) -> None:
    hr = company.people["hr"]
    figma = Application.objects.create(
        key="figma", name="Figma", connection=_idp(), provision_by="group",
        provision={"group": "figma"},
    )  # fmt: skip
    _reported(figma, ("1", hr.work_email))
    posted: dict[str, Any] = {"application": "figma", "pair": [f"figma:{hr.pk}"]}
    client = _client(company)
    client.post(reverse("access-mend"), posted | {"act": "record"})
    row = AppAccess.objects.get(application=figma)
    assert (row.state, row.events.get().by_label) == ("granted", "it")
    client.post(reverse("access-mend"), posted | {"act": "strike", "reason": "Gone"})
    row.refresh_from_db()
    assert row.state == "granted", "the connection says otherwise"
    _reported(figma)
    client.post(reverse("access-mend"), posted | {"act": "strike", "reason": "Gone"})
    row.refresh_from_db()
    assert (row.state, row.events.last().words) == ("revoked", "Gone")  # type: ignore[union-attr]


def test_unknown_account_is_matched_to_a_person_once(company: Company) -> None:
    figma = Application.objects.create(
        key="figma", name="Figma", connection=_idp(), provision_by="account"
    )
    _reported(figma, ("9", "odd-name"))
    stranger = ReportedAccess.objects.get(external_id="9")
    client, url = _client(company), reverse("access-match", args=[stranger.pk])
    client.post(url, {"email": "nobody@acme.test"})
    stranger.refresh_from_db()
    assert stranger.person is None
    client.post(url, {"email": company.people["hr"].work_email})
    stranger.refresh_from_db()
    assert (stranger.person, stranger.matched_by) == (company.people["hr"], "it")
    assert Account.objects.get().external_id == "9"
    _reported(figma, ("9", "odd-name"))
    stranger.refresh_from_db()
    assert stranger.person == company.people["hr"], "a reading does not forget whose it is"


def test_access_until_a_day_is_reminded_of_then_taken_by_a_run_once(company: Company) -> None:
    now = clock.now()
    access = company.objects["access"]
    client, url = _client(company), reverse("access-ends", args=[access.pk])
    client.post(url, {"day": (now - timedelta(days=3)).date().isoformat()})
    access.refresh_from_db()
    assert access.expires_at is None, "a day that is over ends nothing"
    client.post(url, {"day": (now + timedelta(days=3)).date().isoformat()})
    access.refresh_from_db()
    assert access.expires_at is not None
    for _ in range(2):
        assert access_look_after(now=now).ended == 0
    assert [sent.to for sent in mail.outbox] == [[access.application.owner.work_email]]
    late = access.expires_at + timedelta(minutes=1)
    assert access_look_after(now=late).ended == 1
    assert access_look_after(now=late).ended == 0
    run = Run.objects.get(workflow__key="access-changes")
    assert (run.person, run.started_by) == (access.person, "system")


def test_pages_need_the_same_number_of_queries_for_few_and_for_many(company: Company) -> None:
    github = company.objects["access"].application
    client = _client(company)
    pages = [
        reverse("applications"),
        reverse("application", args=["github"]) + "?show=people",
        reverse("application", args=["github"]) + "?show=beyond",
        reverse("person-access", args=[company.people["report"].pk]),
    ]
    for page in pages:
        client.get(page)
    before = [_queries(client, page) for page in pages]
    now = clock.now()
    for number in range(25):
        app = Application.objects.create(key=f"a{number}", name=f"App {number}", entitle=RULE)
        AccessReading.objects.create(application=app)
        person = Person.objects.create(
            work_email=f"p{number}@acme.test", full_name=f"P {number}", status="active",
            created_at=now, updated_at=now, team=Team.objects.get(name="Design"),
        )  # fmt: skip
        AppAccess.objects.create(application=github, person=person, state="granted", since=now)
        AppAccess.objects.create(
            application=app, person=company.people["report"], state="granted", since=now
        )
    after = [_queries(client, page) for page in pages]
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 0, 0, 0]


def _queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(database) as caught:
        assert client.get(page).status_code == 200
    return len(caught)


def test_owner_gets_the_task_and_a_leaving_owner_does_not(company: Company) -> None:
    github = company.objects["access"].application
    Role.objects.get_or_create(name="it")
    person = company.people["report"]
    posted = {
        "application": "github", "act": "take", "pair": [f"github:{person.pk}"], "reason": "x",
    }  # fmt: skip
    _client(company).post(reverse("access-mend"), posted)
    run = Run.objects.get(workflow__key="access-changes")
    # Nothing destructive happens on a directory that has not been read.
    company.objects["sync"].delete()
    Connection.objects.filter(key="remote").delete()
    run_due(now=clock.now())
    run.refresh_from_db()
    task = Task.objects.get(settles__access=company.objects["access"].pk)
    assert task.assignee == github.owner
    assert (run.status, run.reason.split(":")[0]) == ("waiting", "Waiting")
    assert "1 access still open: GitHub (waits for somebody)" in run.reason


def test_rule_cannot_be_used_to_learn_what_is_hidden(company: Company) -> None:
    born = {
        "combinator": "and",
        "rules": [{"field": "person.date_of_birth", "operator": "before", "value": "1990-01-01"}],
    }
    Person.objects.filter(pk=company.people["hr"].pk).update(date_of_birth="1980-02-03")
    client = _client(company)
    page = client.get(reverse("application-new")).content.decode()
    assert "person.date_of_birth" not in page
    answer = client.post(reverse("application-new"), _form(rule=json.dumps(born)))
    assert (answer.status_code, "hidden from you" in answer.content.decode()) == (422, True)
    counts = client.post(
        reverse("application-rule", args=["counts"]),
        _form(rule=json.dumps(born)),
        headers={"HX-Request": "true"},
    )
    assert "✓" not in counts.content.decode()
    Application.objects.create(key="figma", name="Figma", entitle=born)
    url = reverse("application", args=["figma"])
    seen = client.get(f"{url}?show=missing").content.decode()
    assert "Should have it" not in seen
    assert "whom it fits is not shown" in seen
    of_hr = client.get(reverse("person-access", args=[company.people["hr"].pk])).content.decode()
    assert "Figma" not in of_hr
    assert "Should have it" in _client(company, "hr").get(url).content.decode()


def test_looking_writes_nothing(company: Company) -> None:
    client = _client(company)
    client.get(reverse("application", args=["github"]))
    assert not AccessReading.objects.exists()
    access_look_after(now=clock.now())
    assert AccessReading.objects.get().drift_at is not None


def test_long_history_comes_in_pages_with_its_proofs_folded(company: Company) -> None:
    row = company.objects["access"]
    AccessEvent.objects.bulk_create(
        AccessEvent(
            access=row, at=clock.now(), state="granted", words=f"Turn {number}.",
            evidence={"read_back": f"seen {number}"},
        )
        for number in range(60)
    )  # fmt: skip
    client, url = _client(company), reverse("access", args=[row.pk])
    first = client.get(url).content.decode()
    assert "Turn 59." in first
    assert "Turn 30." not in first
    assert first.count("<details") - first.count('class="more"') == client.get("/").content.count(
        b"<details"
    ), "each proof is folded"
    assert "Turn 30." in client.get(url, {"page": 2}).content.decode()


def test_what_differs_comes_first_on_a_persons_page(company: Company) -> None:
    person = company.people["report"]
    for name, state in (("Aaa", "granted"), ("Zzz", "failed")):
        made = Application.objects.create(key=name.lower(), name=name)
        AppAccess.objects.create(application=made, person=person, state=state, since=clock.now())
    page = _client(company).get(reverse("person-access", args=[person.pk])).content.decode()
    assert page.index("/applications/zzz/") < page.index("/applications/aaa/")
