"""Settings → People → Fields in the browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from people.models import FieldPolicy, FieldProposal
from people.sources import SourceInfo
from people.tests.build import NOW, boss, feed, person, worker
from people.tests.test_fields_policy import from_idp

pytestmark = pytest.mark.django_db
SOURCES = (SourceInfo(key="remote", name="Remote"), SourceInfo(key="idp", name="Okta"))


@pytest.fixture
def admin(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("people.sources._providers", [lambda: SOURCES])
    feed([boss(), worker("w1", job_title="Engineer")])
    feed([from_idp("x1", "w1", job_title="Developer")], now=NOW + timedelta(hours=1))
    user = User.objects.create(username="hr")
    group = Group.objects.create(name="HR admin")
    names = ["view_person", "view_fieldpolicy", "change_fieldpolicy"]
    group.permissions.set(Permission.objects.filter(codename__in=names))
    user.groups.add(group)
    client.force_login(user)
    return client


def test_page_shows_coverage_and_who_disagrees(admin: Client) -> None:
    page = admin.get(reverse("fields")).content.decode()
    assert "Okta first" in page
    assert "1 person" in " ".join(page.split())
    detail = admin.get(reverse("field", kwargs={"key": "job_title"})).content.decode()
    assert "Developer" in detail
    assert "Engineer" in detail
    assert admin.get(reverse("field", kwargs={"key": "nonsense"})).status_code == 404


def test_choice_is_previewed_then_saved(admin: Client) -> None:
    answer = admin.post(reverse("fields"), {"job_title": "idp"})
    proposal = FieldProposal.objects.get()
    assert answer.headers["Location"] == reverse("fields-proposal", kwargs={"pk": proposal.pk})
    page = admin.get(answer.headers["Location"]).content.decode()
    assert "1 person would change" in " ".join(page.split())
    assert "Developer" in page
    assert person("w1").job_title == "Engineer"
    admin.post(reverse("fields-proposal-apply", kwargs={"pk": proposal.pk}))
    assert person("w1").job_title == "Developer"
    assert FieldPolicy.objects.get().sources == ["idp"]
    # What was chosen is shown as chosen, and sending it again changes nothing.
    assert (
        admin.post(reverse("fields"), {"job_title": "idp"}).headers["Location"]
        == "/settings/fields/"
    )


def test_out_of_date_preview_answers_409_and_says_whom_it_concerns(admin: Client) -> None:
    admin.post(reverse("fields"), {"job_title": "idp"})
    proposal = FieldProposal.objects.get()
    feed([from_idp("x1", "w1", job_title="Architect")], now=NOW + timedelta(hours=2))
    answer = admin.post(reverse("fields-proposal-apply", kwargs={"pk": proposal.pk}))
    assert answer.status_code == 409
    assert "Nothing was saved." in answer.content.decode()
    assert "Differs" in answer.content.decode()
    admin.post(reverse("fields-proposal-again", kwargs={"pk": proposal.pk}))
    admin.post(reverse("fields-proposal-apply", kwargs={"pk": proposal.pk}))
    assert person("w1").job_title == "Architect"


def test_order_is_complete_and_names_each_source_once(admin: Client) -> None:
    url = reverse("field", kwargs={"key": "job_title"})
    twice = admin.post(url, {"place_0": "idp", "place_1": "idp"})
    assert twice.status_code == 422
    assert "already stands further up" in twice.content.decode()
    admin.post(url, {"place_0": "idp", "place_1": "remote", "visible_to": ["HR admin"]})
    assert FieldProposal.objects.get().changes == {
        "job_title": {"sources": ["idp", "remote"], "visible_to": ["HR admin"]}
    }


def test_values_hidden_from_the_reader_stay_hidden(admin: Client) -> None:
    FieldPolicy.objects.create(field="job_title", visible_to=["Owner"])
    detail = admin.get(reverse("field", kwargs={"key": "job_title"})).content.decode()
    assert "Developer" not in detail
    admin.post(reverse("fields"), {"job_title": "idp"})
    url = reverse("fields-proposal", kwargs={"pk": FieldProposal.objects.get().pk})
    page = admin.get(url).content.decode()
    assert "Hidden from you" in page
    assert "Developer" not in page


def test_discarded_proposal_is_gone(admin: Client) -> None:
    admin.post(reverse("fields"), {"job_title": "idp"})
    pk = FieldProposal.objects.get().pk
    admin.post(reverse("fields-proposal-discard", kwargs={"pk": pk}))
    assert admin.get(reverse("fields-proposal", kwargs={"pk": pk})).status_code == 404
    assert not FieldPolicy.objects.exists()
