"""The owner of an application without a role: sees and mends who has it, and nothing beyond."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from integrations.models import AccessReading, AppAccess, Application
from people.models import Person
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.access.looking_after import access_look_after
from workflows.models import Run

pytestmark = pytest.mark.django_db
GITHUB = "/applications/github/"


@pytest.fixture
def company() -> Company:
    made = small_company()
    # Somebody whom the owner sees nowhere else.
    Person.objects.filter(pk=made.people["hr"].pk).update(job_title="Payroll lead")
    AppAccess.objects.create(
        application=made.objects["access"].application, person=made.people["hr"],
        state="granted", since=clock.now(),
    )  # fmt: skip
    Application.objects.create(key="figma", name="Figma")
    return made


@pytest.fixture
def own(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["manager"])
    return client


def test_owner_finds_their_application_and_no_other(company: Company, own: Client) -> None:
    page = own.get("/applications/").content.decode()
    assert "GitHub" in page
    assert "Figma" not in page
    assert "New application" not in page
    assert 'href="/applications/"' in own.get("/").content.decode()
    for url in ("/applications/figma/", "/applications/none/", "/applications/github/edit/"):
        assert own.get(url).status_code == 403
    person = company.people["report"].pk
    assert own.get(f"/people/{person}/access/").status_code == 403


def test_owner_sees_who_has_it_by_name_alone(company: Company, own: Client) -> None:
    page = own.get(GITHUB, {"show": "people"}).content.decode()
    hr = company.people["hr"]
    assert str(hr) in page
    assert "Payroll lead" not in page
    assert f'href="/people/{hr.pk}/"' not in page
    assert "IT says whose they are" in own.get(GITHUB, {"show": "unknown"}).content.decode()


def test_owner_takes_it_from_whom_the_page_shows_and_from_nobody_else(
    company: Company, own: Client
) -> None:
    hr, stranger = company.people["hr"], company.people["it"]
    posted = {"application": "github", "act": "take", "reason": "Left the team"}
    own.post(reverse("access-mend"), posted | {"pair": [f"github:{hr.pk}"]})
    run = Run.objects.get(workflow__key="access-changes")
    assert (run.person, run.started_by) == (hr, "manager")
    other = posted | {"act": "give", "pair": [f"github:{stranger.pk}", f"figma:{hr.pk}"]}
    own.post(reverse("access-mend"), other)
    assert Run.objects.filter(workflow__key="access-changes").count() == 1
    only_other = {"application": "figma", "act": "give", "pair": [f"figma:{hr.pk}"]}
    assert own.post(reverse("access-mend"), only_other).status_code == 403


def test_owner_gives_themselves_nothing(company: Company, own: Client) -> None:
    github, manager = company.objects["access"].application, company.people["manager"]
    everybody = {
        "combinator": "and",
        "rules": [{"field": "person.country", "operator": "is", "value": "FRA"}],
    }
    Application.objects.filter(pk=github.pk).update(entitle=everybody)
    page = own.get(GITHUB, {"show": "missing"}).content.decode()
    assert f'value="github:{company.people["it"].pk}"' in page
    assert f'value="github:{manager.pk}"' not in page
    both = [f"github:{manager.pk}", f"github:{company.people['it'].pk}"]
    own.post(reverse("access-mend"), {"act": "give", "application": "github", "pair": both})
    run = Run.objects.get(workflow__key="access-changes")
    assert run.person == company.people["it"]
    mine = AppAccess.objects.create(
        application=github, person=manager, state="granted", since=clock.now()
    )
    answer = own.post(reverse("access-ends", args=[mine.pk]), {"day": ""})
    assert answer.status_code == 403


def test_rule_over_a_hidden_field_tells_the_owner_nothing(company: Company, own: Client) -> None:
    born = {
        "combinator": "and",
        "rules": [{"field": "person.date_of_birth", "operator": "before", "value": "1990-01-01"}],
    }
    Application.objects.filter(key="github").update(entitle=born)
    employee = company.people["employee"]
    Person.objects.filter(pk=employee.pk).update(date_of_birth="1980-02-03")
    page = own.get(GITHUB, {"show": "missing"}).content.decode()
    assert "whom it fits is not shown" in page
    assert str(employee) not in page
    pair = {"act": "give", "application": "github", "pair": [f"github:{employee.pk}"]}
    own.post(reverse("access-mend"), pair)
    assert not Run.objects.filter(workflow__key="access-changes").exists()


def test_owner_follows_the_reminder_and_lets_somebody_keep_it(
    company: Company, own: Client
) -> None:
    row = company.objects["access"]
    AppAccess.objects.filter(pk=row.pk).update(expires_at=clock.now() + timedelta(days=3))
    access_look_after(now=clock.now())
    (sent,) = mail.outbox
    assert sent.to == [company.people["manager"].work_email]
    url = reverse("access", args=[row.pk])
    assert url in str(sent.body)
    assert own.get(url).status_code == 200
    own.post(reverse("access-ends", args=[row.pk]), {"day": ""})
    row.refresh_from_db()
    assert row.expires_at is None


def test_owner_counts_again_what_they_own(company: Company, own: Client) -> None:
    own.post(reverse("applications-count"), {"application": ["github", "figma"]})
    assert [row.application.key for row in AccessReading.objects.all()] == ["github"]


def test_who_left_or_owns_nothing_has_no_such_page(company: Company, own: Client) -> None:
    Person.objects.filter(pk=company.people["manager"].pk).update(status="ended")
    for url in ("/applications/", GITHUB):
        assert own.get(url)["Location"].startswith("/sign-in/"), "who left is signed out"
    other = Client()
    other.force_login(company.users["employee"])
    assert 'href="/applications/"' not in other.get("/").content.decode()
