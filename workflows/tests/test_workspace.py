"""The workspace document, in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.models import Application
from people.models import LegalEntity, Person, Role
from workflows.document import write_yaml
from workflows.document.yaml_io import read_text
from workflows.models import MessageTemplate, Service
from workflows.problems import DocumentError
from workflows.workspace.apply import workspace_import
from workflows.workspace.export import workspace_export

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DEMO = Path(__file__).resolve().parents[1] / "gallery" / "demo-workspace.yaml"


@pytest.fixture(autouse=True)
def _people() -> None:
    for name in ("french-hr-lead", "it-lead", "hr-admin"):
        Person.objects.create(work_email=f"{name}@acme.test", created_at=NOW, updated_at=NOW)


def demo() -> Any:
    return read_text(DEMO.read_bytes()).data


def test_the_demo_workspace_is_applied_whole() -> None:
    changes = {(change.object, change.key): change.change for change in workspace_import(demo())}
    assert changes["application", "github"] == "created"
    lead = LegalEntity.objects.get(name="Acme SAS").lead
    assert lead is not None
    assert lead.work_email == "french-hr-lead@acme.test"
    members = Role.objects.get(name="it").members.values_list("work_email", flat=True)
    assert list(members) == ["it-lead@acme.test"]
    assert Application.objects.get(key="github").entitle["rules"][0]["value"] == "Engineering"
    assert MessageTemplate.objects.count() >= 2
    assert Service.objects.filter(key="application-access").exists()


def test_importing_twice_or_an_export_changes_nothing() -> None:
    workspace_import(demo())
    assert workspace_import(demo()) == []
    text = write_yaml(workspace_export())
    assert workspace_import(read_text(text).data) == []


def test_a_dry_run_names_changes_and_writes_nothing() -> None:
    assert workspace_import(demo(), dry_run=True)
    assert not Application.objects.exists()
    assert not Role.objects.exists()


@pytest.mark.parametrize(
    ("section", "value", "path"),
    [
        ("settings", {"timezone": "Europe/Pariss"}, "settings.timezone"),
        ("settings", {"sync_every_hours": 0}, "settings.sync_every_hours"),
        ("roles", [{"name": "it", "members": ["nobody@acme.test"]}], "roles[0].members[0]"),
        (
            "applications",
            [{"key": "x", "provision": {"by": "group"}}],
            "applications[0].connection",
        ),
        ("bundles", [{"key": "l", "connection": "no"}], "bundles[0].connection"),
        ("templates", [{"key": "t", "variants": []}], "templates[0].variants"),
        ("policies", [{"key": "p", "rules": []}], "policies[0].baseline"),
        (
            "services",
            [{"key": "s", "fields": [{"name": "a", "type": "file"}]}],
            "services[0].fields[0].type",
        ),
        ("mapping", {"worker_type": {"contractor": "pirate"}}, "mapping.worker_type.contractor"),
        ("colours", [], "colours"),
    ],
)
def test_a_wrong_value_names_its_place_and_nothing_is_applied(
    section: str, value: Any, path: str
) -> None:
    document = {
        "format": "siit.workspace/1",
        "employment_types": [{"key": "intern", "name": "Intern"}],
        section: value,
    }
    with pytest.raises(DocumentError) as caught:
        workspace_import(document)
    assert path in [problem.path for problem in caught.value.problems]
    assert not Role.objects.exists()
    assert not Application.objects.exists()
