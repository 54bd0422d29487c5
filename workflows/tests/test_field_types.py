"""Fields that somebody made, with their types, where conditions are written and checked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from people.models import CustomField
from workflows.conditions.check import check_group
from workflows.conditions.describe import describe_group
from workflows.conditions.tree import Group, Rule
from workflows.document import TriggerSpec, WorkflowDocument
from workflows.document.validate import validate_document
from workflows.field_types import field_types_now
from workflows.fields import field_spec
from workflows.models import Service, Workflow
from workflows.vocabulary import vocabulary_now

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def make(key: str, kind: str, *, options: list[str] | None = None, enabled: bool = True) -> None:
    CustomField.objects.create(
        key=key, label=key.title(), type=kind, options=options or [], enabled=enabled,
        created_at=NOW,
    )  # fmt: skip


def problems(rule: Rule) -> list[str]:
    types = vocabulary_now().field_types
    return [problem.message for problem in check_group(Group(rules=(rule,)), types=types)]


def test_custom_fields_have_their_types_and_choices() -> None:
    make("level", "number")
    make("review", "date")
    make("site", "choice", options=["Paris", "Rome"])
    make("laptop", "boolean")
    make("secret", "number", enabled=False)
    types = field_types_now()
    assert "person.custom.secret" not in types
    found = {key: field_spec(key, types) for key in types}
    kinds = {key: spec.type for key, spec in found.items() if spec is not None}
    assert kinds == {
        "person.custom.level": "number",
        "person.custom.review": "date",
        "person.custom.site": "choice",
        "person.custom.laptop": "choice",
    }
    assert problems(Rule("person.custom.level", "at_least", 3)) == []
    assert "without quotes" in problems(Rule("person.custom.level", "is", "3"))[0]
    assert "no operator" in problems(Rule("person.custom.level", "contains", "3"))[0]
    assert "never Oslo" in problems(Rule("person.custom.site", "is", "Oslo"))[0]
    assert problems(Rule("person.custom.review", "before", "2026-12-01")) == []
    assert problems(Rule("person.custom.laptop", "is", "true")) == []


def test_words_of_a_condition_use_names_and_choices() -> None:
    make("laptop", "boolean")
    group = Group(rules=(Rule("person.custom.laptop", "is", "true"),))
    assert describe_group(group, field_types_now()) == "laptop is Yes"


def test_form_fields_have_the_type_of_their_service() -> None:
    Service.objects.create(
        key="hardware",
        name="Hardware",
        fields=[
            {"name": "budget", "label": "Budget", "type": "number"},
            {"name": "until", "label": "Until", "type": "date"},
            {"name": "model", "label": "Model", "type": "choice", "choices": ["Air", "Pro"]},
            {"name": "note", "label": "Note", "type": "long_text"},
        ],
    )
    Service.objects.create(
        key="travel",
        name="Travel",
        fields=[
            {"name": "budget", "label": "Budget", "type": "text"},
            {"name": "model", "label": "Model", "type": "choice", "choices": ["Pro", "Max"]},
        ],
    )
    types = field_types_now()
    found = {key: field_spec(key, types) for key in types}
    kinds = {key: (spec.type, len(spec.choices)) for key, spec in found.items() if spec}
    assert kinds == {
        # Two services disagree on it: to conditions it is a text.
        "request.form.budget": ("text", 0),
        "request.form.until": ("date", 0),
        "request.form.model": ("choice", 3),
        "request.form.note": ("text", 0),
    }
    assert problems(Rule("request.form.until", "in_next_days", 7)) == []


def test_a_field_that_nobody_made_blocks_publishing() -> None:
    make("level", "number")
    rules = (
        Rule("person.custom.level", "at_least", 3),
        Rule("person.custom.levle", "is", "x"),
        Rule("request.form.model", "is", "Pro"),
    )
    document = WorkflowDocument(
        key="any", name="Any", trigger=TriggerSpec("person.end_date", {}),
        conditions=Group(rules=rules),
    )  # fmt: skip
    found = {
        problem.path: problem.message
        for problem in validate_document(document, vocabulary_now())
        if problem.path.startswith("conditions")
    }
    assert set(found) == {"conditions.rules[1].field", "conditions.rules[2].field"}
    assert "Did you mean" in found["conditions.rules[1].field"]
    assert "No service has a field" in found["conditions.rules[2].field"]


def test_designer_offers_custom_fields_with_inputs_of_their_type(client: Client) -> None:
    make("level", "number")
    make("site", "choice", options=["Paris", "Rome"])
    make("hidden", "number", enabled=False)
    client.force_login(User.objects.create_superuser("owner"))
    client.post("/new-workflow/", {"name": "By level"})
    workflow = Workflow.objects.get(key="by-level")

    def press(verb: str, query: str = "", **sent: str) -> str:
        workflow.refresh_from_db()
        sent["revision"] = str(workflow.draft_revision)
        answer = client.post(f"/workflows/by-level/edit/{verb}/{query}", sent, follow=True)
        workflow.refresh_from_db()
        return answer.content.decode()

    page = press("add-rule", "?row=conditions:", card="conditions")
    assert 'value="person.custom.level"' in page
    assert "person.custom.hidden" not in page
    page = press("save", card="conditions", **{"row.0.field": "person.custom.site"})
    assert "Paris" in page
    press("save", card="conditions", **{"row.0.field": "person.custom.level"})
    press("save", card="conditions", **{"row.0.operator": "at_least"})
    page = press("save", card="conditions", **{"row.0.value.shown": "1", "row.0.value": "3"})
    (rule,) = workflow.draft["conditions"]["rules"]
    assert rule == {"field": "person.custom.level", "operator": "at_least", "value": 3}
    assert "level is at least 3" in page
