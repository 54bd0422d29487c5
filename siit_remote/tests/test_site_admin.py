"""The site admin: useful lists, and no way around the rules of a service."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import small_company
from workflows.models import ApproverPolicy, Delegation, MessageTemplate

BOUNDED = {
    "auth.Group", "people.Workspace", "people.WorkerTypeMapping", "people.ListColumns",
    "people.FieldProposal", "integrations.CustomReading", "integrations.WebhookSubscription",
    "workflows.CategoryRights", "workflows.ForecastSnapshot", "workflows.Installation",
}  # fmt: skip
"""A handful of rows, however long the company uses it."""
OURS = [
    model
    for model in apps.get_models()
    if model._meta.app_label in ("people", "integrations", "workflows", "audit")
]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_model_has_a_list_with_columns_and_a_way_to_find_a_row(model: Any) -> None:
    found = admin.site._registry[model]
    if model._meta.label in BOUNDED:
        return
    columns = found.list_display
    assert len(columns) > 1 or model._meta.label in ("people.Team", "people.Person")
    assert found.search_fields


@pytest.mark.django_db
def test_admin_pages_do_not_get_around_a_service() -> None:
    """Delegations are never retroactive; what is in use is not deleted."""
    company, client = small_company(), Client()
    client.force_login(company.users["hr"])
    template = MessageTemplate.objects.first()
    policy = ApproverPolicy.objects.get(key="by-entity")
    yesterday = (clock.now() - timedelta(days=1)).date()
    made = {
        "approver": company.people["manager"].pk,
        "delegate": company.people["report"].pk,
        "kind": "dates",
        "starts_on": yesterday,
        "ends_on": yesterday,
    }
    before = Delegation.objects.count()
    assert client.post(reverse("admin:workflows_delegation_add"), made).status_code == 403
    assert Delegation.objects.count() == before
    for row in filter(None, (template, policy)):
        name = f"admin:workflows_{row._meta.model_name}_delete"
        answer = client.post(reverse(name, args=[row.pk]), {"post": "yes"})
        assert answer.status_code == 403
        row.refresh_from_db()


@pytest.mark.slow
@pytest.mark.django_db
def test_every_list_answers_a_search_and_each_of_its_filters() -> None:
    company, client = small_company(), Client()
    owner = company.users["owner"]
    owner.is_superuser = True
    owner.save()
    client.force_login(owner)
    for model in OURS:
        meta = model._meta
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        for query in ("", "?q=example+acme", "?q=%00%F0%9F%98%80", "?nonsense=1&p=x&o=99"):
            answer = client.get(f"{url}{query}")
            assert answer.status_code in (200, 302, 400), (url, query)
