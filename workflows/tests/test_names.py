"""Documents hold keys, people read names: in sentences, differences, reasons."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from integrations.models import Application
from people.models import EmploymentType, Person
from workflows.conditions.trace import trace
from workflows.conditions.tree import Group, Rule
from workflows.designer.outline import outline
from workflows.document.describe import describe_document
from workflows.document.diff import diff_documents
from workflows.document.parse import parse_document
from workflows.models import ApproverPolicy, MessageTemplate
from workflows.vocabulary import VOCABULARY, vocabulary_now

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _workspace() -> None:
    """What the documents below name."""
    for name in ("ana", "bob"):
        Person.objects.create(
            work_email=f"{name}@acme.test",
            full_name=f"{name.title()} Lopez",
            created_at=NOW,
            updated_at=NOW,
        )
    Application.objects.create(key="gh", name="GitHub")
    Application.objects.create(key="fig", name="Figma")
    EmploymentType.objects.create(key="cdi", name="Permanent")
    ApproverPolicy.objects.create(
        key="by-entity", name="By legal entity", baseline={"type": "manager"}
    )
    MessageTemplate.objects.create(
        key="bye", name="A contractor has left", variants=[{"default": True, "body": "x"}]
    )


def _document(**changes: Any) -> Any:
    data: dict[str, Any] = {
        "format": "siit.workflow/1",
        "key": "w",
        "name": "W",
        "trigger": {"type": "person.end_date", "params": {"at": "18:00"}},
        "conditions": {
            "combinator": "and",
            "rules": [
                {"field": "person.manager", "operator": "is", "value": "ana@acme.test"},
                {"field": "person.apps", "operator": "has_any", "value": ["gh", "fig"]},
                {"field": "person.employment_type", "operator": "is", "value": "cdi"},
            ],
        },
        "steps": [
            {"key": "revoke", "action": "apps.revoke", "params": {"apps": ["gh"]}},
            {
                "key": "ask",
                "action": "approval.request",
                "params": {
                    "approver": {"type": "policy", "key": "by-entity"},
                    "fallback": {"type": "person", "email": "bob@acme.test"},
                },
            },
            {
                "key": "tell",
                "action": "message.send",
                "params": {"to": "bob@acme.test", "template": "bye"},
            },
        ],
    }
    return parse_document(data | changes)


def test_a_sentence_says_names_and_the_document_keeps_keys() -> None:
    document = _document()
    before = document.to_data()
    words = describe_document(document, vocabulary_now())
    assert "manager is Ana Lopez" in words
    assert "applications includes GitHub or Figma" in words
    assert "employment type is Permanent" in words
    assert "revoke GitHub" in words
    assert "ask whom the policy “By legal entity” names" in words
    assert "notify Bob Lopez" in words
    assert "@acme.test" not in words
    assert document.to_data() == before


def test_without_a_workspace_keys_stay(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        words = describe_document(_document(), VOCABULARY)
    assert "ana@acme.test" in words


def test_differences_are_told_by_number_label_and_name() -> None:
    old = _document()
    steps = [
        {"key": "revoke", "action": "apps.revoke", "params": {"apps": ["fig"]}},
        {"key": "tell", "action": "message.send", "params": {"to": "manager", "template": "bye"}},
        {"key": "later", "wait": {"for": {"days": 2}}},
    ]
    trigger = {"type": "person.birthday", "params": {"at": "09:00"}}
    lines = diff_documents(old, _document(steps=steps, trigger=trigger), vocabulary_now())
    assert lines == [
        "Starts on: End date → Birthday",
        "When, at: 18:00 → 09:00",
        "Step 2 removed: Ask for approval",
        "Step 3 added: wait 2 days",
        "Step 1 (Revoke app access), applications: GitHub → Figma",
        "Step 2 (Send a message), to: Bob Lopez → Their manager",
    ]


def test_an_unknown_key_is_shown_as_it_is() -> None:
    document = _document(
        conditions={
            "combinator": "and",
            "rules": [{"field": "person.manager", "operator": "is", "value": "gone@acme.test"}],
        }
    )
    assert "manager is gone@acme.test" in describe_document(document, vocabulary_now())


def test_names_never_change_an_answer() -> None:
    group = Group(rules=(Rule("person.manager", "is", "ana@acme.test"),))
    facts = {"person.manager": "ana@acme.test"}
    found = trace(group, facts, date(2026, 3, 4), types=vocabulary_now().field_types)
    assert found.result.value == "matched"
    assert found.reasons() == ["Manager is Ana Lopez"]


def test_a_card_says_what_is_chosen_besides_its_sentence() -> None:
    vocabulary = vocabulary_now()
    cards = {card.key: card for card in outline(_document(), [], vocabulary).steps}
    assert cards["tell"].sentence == "notify Bob Lopez"
    assert cards["tell"].detail == "Template: A contractor has left"
    assert cards["revoke"].detail == ""
