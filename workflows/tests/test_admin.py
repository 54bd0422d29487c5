"""Rows made in the site admin are judged like rows of a workspace document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import ApproverPolicy, MessageTemplate, Service


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


def _service(fields: Any) -> dict[str, Any]:
    return {
        "key": "badge",
        "name": "New badge",
        "icon": "id-card",
        "active": "on",
        "fields": json.dumps(fields),
    }


def test_good_service_is_saved(hr: Client) -> None:
    fields = [{"name": "why", "label": "Why?", "type": "text", "required": True}]
    response = hr.post("/admin/workflows/service/add/", _service(fields))
    assert response.status_code == 302
    assert Service.objects.get(key="badge").fields == fields


@pytest.mark.parametrize("fields", [[{"type": "text"}], [{"name": "a", "type": "magic"}], {"a": 1}])
def test_service_with_a_bad_field_is_refused_beside_the_input(fields: Any, hr: Client) -> None:
    response = hr.post("/admin/workflows/service/add/", _service(fields))
    assert response.status_code == 200
    assert "fields" in response.context["adminform"].form.errors
    assert not Service.objects.filter(key="badge").exists()


def test_template_with_an_unknown_name_is_refused(hr: Client) -> None:
    variants = [{"language": "en", "default": True, "subject": "Hi", "body": "{{ person.salary }}"}]
    form = {"key": "hello", "name": "Hello", "variants": json.dumps(variants)}
    response = hr.post("/admin/workflows/messagetemplate/add/", form)
    assert response.status_code == 200
    assert not MessageTemplate.objects.filter(key="hello").exists()


def test_policy_with_an_unknown_approver_is_refused(hr: Client) -> None:
    form = {"key": "p", "name": "P", "rules": "[]", "baseline": json.dumps({"type": "oracle"})}
    response = hr.post("/admin/workflows/approverpolicy/add/", form)
    assert response.status_code == 200
    assert not ApproverPolicy.objects.filter(key="p").exists()


def test_ledger_is_read_only_even_for_a_superuser(company: Company) -> None:
    user = company.users["owner"]
    user.is_superuser = True
    user.save()
    client = Client()
    client.force_login(user)
    for model in ("workflow", "run", "approval", "request", "task"):
        pk = company.objects[model].pk
        assert client.get(f"/admin/workflows/{model}/{pk}/change/").status_code == 200
        assert client.get(f"/admin/workflows/{model}/add/").status_code == 403
        assert client.post(f"/admin/workflows/{model}/{pk}/change/", {}).status_code == 403
        assert client.post(f"/admin/workflows/{model}/{pk}/delete/", {}).status_code == 403
