"""A company of one workflow and a few people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from people.models import Person
from workflows.document.parse import parse_document
from workflows.models import Workflow, WorkflowVersion
from workflows.services import digest_of
from workflows.tests.engine import nodes

T0 = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nodes() -> Iterator[None]:
    nodes.install()
    nodes.EffectAction.effects = []
    nodes.EffectAction.script = None
    yield
    nodes.EffectAction.script = None


@pytest.fixture
def person_make() -> Callable[..., Person]:
    """Make a person whose dates are known since T0 minus an hour, outside any first import."""

    def make(name: str, **values: Any) -> Person:
        known = values.pop("known", "2026-11-01T07:00:00+00:00")
        fields = ("start_date", "end_date")
        values.setdefault("worker_type", "contractor")
        values.setdefault("status", "active")
        return Person.objects.create(
            work_email=f"{name}@acme.test",
            full_name=name.title(),
            timezone=values.pop("timezone", "Europe/Paris"),
            created_at=T0,
            updated_at=T0,
            known_at={field: known for field in fields if values.get(field)},
            **values,
        )

    return make


@pytest.fixture
def workflow_make() -> Callable[..., Workflow]:
    """Publish a document without asking the vocabulary; live since T0."""

    def make(key: str = "offboard", **document: Any) -> Workflow:
        data = {
            "format": "siit.workflow/1",
            "key": key,
            "name": key,
            "trigger": {"type": "test.day"},
            "steps": [{"key": "one", "action": "test.effect"}],
            **document,
        }
        parsed = parse_document(data).to_data()
        workflow = Workflow.objects.create(
            key=key, name=key, draft=parsed, draft_saved_at=T0, created_at=T0
        )
        version = WorkflowVersion.objects.create(
            workflow=workflow,
            number=1,
            document=parsed,
            digest=digest_of(parsed),
            published_at=T0,
        )
        Workflow.objects.filter(pk=workflow.pk).update(
            live_version=version, live_since=T0, status=Workflow.Status.LIVE
        )
        workflow.refresh_from_db()
        return workflow

    return make


END = date(2026, 11, 24)
DUE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""09:00 in Paris on END."""
