"""Asking the sources of selected people for a sync, from the list of people."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from people.models import SourceRecord
from siit_remote.audit.models import AuditEntry
from siit_remote.tests.people_with_roles import Company, small_company

pytestmark = pytest.mark.django_db
LIST = "/admin/people/person/"


@pytest.fixture
def company() -> Company:
    made = small_company()
    now = made.people["report"].created_at
    SourceRecord.objects.create(
        source="remote", external_id="e1", person=made.people["report"], digest="d",
        first_seen_at=now, changed_at=now,
    )  # fmt: skip
    return made


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr("integrations.people_actions.ring", lambda *args: calls.append(args))
    return calls


def ask(company: Company, who: str, name: str) -> str:
    client = Client()
    client.force_login(company.users[who])
    data = {"action": "resync", "_selected_action": [company.people[name].pk]}
    return client.post(LIST, data, follow=True).content.decode()


def test_source_of_the_selected_people_is_asked_and_it_is_written_down(
    company: Company, rung: list[tuple[Any, ...]]
) -> None:
    html = ask(company, "hr", "report")
    assert "A sync of Remote is asked for" in html
    connection = company.objects["connection"]
    assert rung == [("integrations.tasks.sync_one", connection.pk, company.users["hr"].pk)]
    entry = AuditEntry.objects.get(action="sync.requested")
    assert entry.detail == {"selected_people": 1}


def test_nobody_is_asked_for_people_without_a_source_or_by_who_may_not(
    company: Company, rung: list[tuple[Any, ...]]
) -> None:
    assert "No connection delivers" in ask(company, "hr", "manager")
    assert "is asked for" not in ask(company, "it", "report")
    assert rung == []
