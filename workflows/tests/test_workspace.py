"""The workspace document, in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.access_calls import group_of
from integrations.models import Application
from integrations.services import client_for, connection_save
from people.defaults import directory_defaults_ensure, workspace_get
from people.models import CustomField, FieldPolicy, LegalEntity, Person, Role, Workspace
from people.tests.build import feed, worker
from siit_remote.audit.models import AuditEntry
from workflows.category_rights import category_rights_save
from workflows.document import write_yaml
from workflows.document.yaml_io import read_text
from workflows.models import ApproverPolicy, CategoryRights, MessageTemplate, Service
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


def _with_fields() -> None:
    directory_defaults_ensure()
    connection_save(
        key="remote", connector="remote", name="Remote", config={}, secrets={"api_token": "t"}
    )
    CustomField.objects.create(
        key="shirt", label="Shirt", type="choice", options=["S", "M"], enabled=True, created_at=NOW
    )
    CustomField.objects.create(
        key="cost_centre", label="Cost centre", type="number", source="remote",
        external_id="cf-1", enabled=True, created_at=NOW,
    )  # fmt: skip
    CustomField.objects.create(
        key="desk", label="Desk", source="remote", external_id="cf-2", created_at=NOW
    )
    FieldPolicy.objects.create(field="custom.cost_centre", visible_to=["HR admin"])
    FieldPolicy.objects.create(field="preferred_name", sources=["remote"])
    LegalEntity.objects.create(name="Acme Oy", country="FIN", timezone="Europe/Helsinki")
    rule = {"field": "person.custom.cost_centre", "operator": "greater_than", "value": 5}
    ApproverPolicy.objects.create(
        key="by-cost", baseline={"type": "manager"},
        rules=[{"when": {"combinator": "and", "rules": [rule]}, "approver": {"type": "manager"}}],
    )  # fmt: skip


def test_everything_of_an_application_comes_back_without_loss() -> None:
    row = {
        "key": "figma",
        "name": "Figma",
        "description": "Drawings, also of łódź.",
        "category": "Design",
        "icon": "star",
        "provision": {"by": "task", "note": "kept"},
        "entitle": {
            "combinator": "or",
            "rules": [
                {"field": "person.team", "operator": "in", "value": ["Design", "Brand"]},
                {
                    "combinator": "and",
                    "not": True,
                    "rules": [
                        {"field": "person.employment_type", "operator": "is", "value": "contractor"}
                    ],
                },
            ],
        },
        "sensitive": True,
        "active": False,
    }
    workspace_import({"format": "siit.workspace/1", "applications": [row]})
    (back,) = workspace_export()["applications"]
    assert back == row
    assert workspace_import({"format": "siit.workspace/1", "applications": [back]}) == []


def test_application_that_is_assigned_at_its_provider_comes_back_and_is_found_there() -> None:
    connection = connection_save(
        key="okta", connector="okta", name="Okta", config={"base_url": "https://acme.okta.test"},
        secrets={"api_token": "any"},
    )  # fmt: skip
    row = {
        "key": "figma",
        "name": "Figma",
        "connection": "okta",
        "provision": {"by": "app", "app": "Figma"},
    }
    workspace_import({"format": "siit.workspace/1", "applications": [row]})
    (back,) = workspace_export()["applications"]
    assert {name: back[name] for name in row} == row
    assert workspace_import({"format": "siit.workspace/1", "applications": [back]}) == []
    found = Application.objects.get(key="figma")
    assert (found.connection, found.provision_by) == (connection, Application.Provision.APP)
    assert group_of(found, client_for(connection)) == "app: Figma"


def test_fields_and_their_terms_come_back_without_loss() -> None:
    _with_fields()
    exported = workspace_export()
    text = write_yaml(exported)
    assert workspace_import(read_text(text).data) == []
    for model in (CustomField, FieldPolicy, LegalEntity, ApproverPolicy):
        model.objects.all().delete()
    changes = {(one.object, one.key): one.change for one in workspace_import(read_text(text).data)}
    assert changes["custom_field", "shirt"] == "created"
    assert changes["field", "custom.cost_centre"] == "created"
    assert workspace_export() == exported
    assert workspace_import(read_text(text).data) == []


def test_rights_on_categories_come_back_without_loss() -> None:
    category_rights_save("Payroll", {"view": ["HR admin"], "publish": ["Owner"]}, actor=None)
    category_rights_save("", {"run": ["HR admin", "IT staff"]}, actor=None)
    exported = workspace_export()
    assert exported["category_rights"] == [
        {"category": "", "run": ["HR admin", "IT staff"]},
        {"category": "payroll", "publish": ["Owner"], "view": ["HR admin"]},
    ]
    text = write_yaml(exported)
    assert workspace_import(read_text(text).data) == []
    CategoryRights.objects.filter(category="payroll").update(rights={"edit": ["Owner"]})
    CategoryRights.objects.filter(category="").delete()
    changes = {(one.object, one.key): one.change for one in workspace_import(read_text(text).data)}
    assert changes == {
        ("category_rights", ""): "created",
        ("category_rights", "payroll"): "updated",
    }
    assert workspace_export()["category_rights"] == exported["category_rights"]
    assert AuditEntry.objects.filter(action="category.rights_changed").count() == 4


def test_every_setting_that_can_be_set_is_exported() -> None:
    """A new column of the settings has to be said in the document, or import would lose it."""
    row = workspace_get()
    numbers = [field for field in Workspace._meta.fields if field.name not in ("id", "name")]
    values = {field.name: 7 for field in numbers if field.get_internal_type() != "CharField"}
    values["calls_kept_days"] = 77  # seven days are too few
    Workspace.objects.filter(pk=row.pk).update(**values, timezone="Europe/Rome", language="it")
    text = write_yaml(workspace_export())
    Workspace.objects.all().delete()
    workspace_import(read_text(text).data)
    kept = Workspace.objects.values(*values, "timezone", "language").get()
    assert kept == {**values, "timezone": "Europe/Rome", "language": "it"}


def test_definition_of_a_source_is_found_by_its_id_and_use_goes_by_the_service() -> None:
    _with_fields()
    CustomField.objects.filter(key="desk").update(label="Place")
    person = Person.objects.get(work_email="it-lead@acme.test")
    Person.objects.filter(pk=person.pk).update(custom={"shirt": "M"})
    document = {
        "format": "siit.workspace/1",
        "custom_fields": [
            {"key": "seat", "label": "Seat", "source": "remote", "external_id": "cf-2"},
            {"key": "shirt", "label": "Shirt size", "type": "choice", "options": ["S", "M", "L"],
             "enabled": False},
        ],
    }  # fmt: skip
    changes = [one.to_data() for one in workspace_import(document)]
    assert changes == [
        {"object": "custom_field", "key": "desk", "change": "updated"},
        {"object": "custom_field", "key": "shirt", "change": "updated"},
    ]
    assert CustomField.objects.get(external_id="cf-2").enabled
    assert CustomField.objects.get(key="shirt").options == ["S", "M", "L"]
    assert AuditEntry.objects.filter(action="custom_field.dropped").count() == 1
    assert CustomField.objects.count() == 3


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"key": "Shirt!"}, "custom_fields[0].key"),
        ({"key": "shirt", "type": "colour"}, "custom_fields[0].type"),
        ({"key": "shirt", "type": "number"}, "custom_fields[0].type"),
        ({"key": "new", "type": "choice", "options": ["one"]}, "custom_fields[0].options"),
        ({"key": "new", "source": "nowhere"}, "custom_fields[0].source"),
        ({"key": "new", "label": " "}, "custom_fields[0].label"),
    ],
)
def test_wrong_definition_is_named_and_nothing_is_applied(row: dict[str, Any], path: str) -> None:
    _with_fields()
    before = list(CustomField.objects.values())
    document = {"format": "siit.workspace/1", "settings": {"name": "X"}, "custom_fields": [row]}
    with pytest.raises(DocumentError) as raised:
        workspace_import(document)
    assert path in {problem.path for problem in raised.value.problems}
    assert list(CustomField.objects.values()) == before


def test_changed_mapping_and_terms_reach_everybody() -> None:
    directory_defaults_ensure()
    feed([worker("w1", worker_type="contractor")])
    document = {
        "format": "siit.workspace/1",
        "mapping": {"worker_type": {"contractor": "employee"}},
    }
    workspace_import(document, dry_run=True)
    assert Person.objects.get(work_email="w1@acme.test").employment_type == "contractor"
    workspace_import(document)
    assert Person.objects.get(work_email="w1@acme.test").employment_type == "employee"


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
        (
            "applications",
            [{"key": "x", "provision": {"by": "app"}}],
            "applications[0].provision.app",
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
        ("category_rights", [{"edit": ["Owner"]}], "category_rights[0].category"),
        ("category_rights", [{"category": "x", "edit": ["Boss"]}], "category_rights[0].edit[0]"),
        ("category_rights", [{"category": "x", "edit": []}], "category_rights[0].edit"),
        ("category_rights", [{"category": "x", "burn": ["Owner"]}], "category_rights[0].burn"),
        (
            "category_rights",
            [{"category": "Pay"}, {"category": " pay"}],
            "category_rights[1]",
        ),
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
