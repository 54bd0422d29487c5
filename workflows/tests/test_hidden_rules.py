"""A condition on any form never tells, by whom it fits, what is hidden from who edits it."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Application
from people.models import FieldPolicy
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Service

pytestmark = pytest.mark.django_db
LEVEL = {
    "combinator": "and",
    "rules": [{"field": "person.seniority", "operator": "is", "value": "Level 4"}],
}


@pytest.fixture
def company() -> Company:
    made = small_company()
    FieldPolicy.objects.update_or_create(field="seniority", defaults={"visible_to": ["Owner"]})
    Service.objects.create(key="desk", name="Desk")
    return made


def _hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


@pytest.mark.parametrize(
    "url",
    [
        reverse("service-edit", args=["desk"]),
        reverse("application-edit", args=["github"]),
    ],
)
def test_hidden_field_is_neither_offered_nor_taken_nor_counted(company: Company, url: str) -> None:
    client = _hr(company)
    assert "person.seniority" not in client.get(url).content.decode()
    posted = {"name": "Desk", "provision_by": "task", "rule": json.dumps(LEVEL)}
    page = client.post(url, posted).content.decode()
    assert "hidden from you" in page
    assert Service.objects.get(key="desk").audience != LEVEL
    assert Application.objects.get(key="github").entitle != LEVEL


def test_policys_rows_count_nothing_over_a_hidden_field(company: Company) -> None:
    url = reverse("policy-rule-rows", args=["by-entity", 0, "counts"])
    answer = (
        _hr(company)
        .post(url, {"rule": json.dumps(LEVEL)}, headers={"HX-Request": "true"})
        .content.decode()
    )
    assert "✓" not in answer
    owner = Client()
    owner.force_login(company.users["owner"])
    answer = owner.post(url, {"rule": json.dumps(LEVEL)}, headers={"HX-Request": "true"})
    assert "✓" in answer.content.decode()
