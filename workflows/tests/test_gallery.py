"""Every document of the gallery can be published in the demo's workspace, as it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from people.models import Person
from workflows.document import load_document
from workflows.document.yaml_io import read_text
from workflows.engine.outlook import preview
from workflows.engine.world import planned_version
from workflows.models import Workflow
from workflows.services import workflow_import
from workflows.workspace.apply import workspace_import

GALLERY = Path(__file__).resolve().parents[1] / "gallery"
DOCUMENTS = sorted(path for path in GALLERY.glob("*.yaml") if path.stem != "demo-workspace")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def workspace(db: None) -> None:
    """What the demo has: roles, a bundle, templates, a policy, and the people it names."""
    for name in ("it-lead", "hr-admin", "french-hr-lead"):
        Person.objects.create(work_email=f"{name}@acme.test", created_at=NOW, updated_at=NOW)
    workspace_import(read_text((GALLERY / "demo-workspace.yaml").read_bytes()).data)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_publishes_and_is_named_as_its_file(path: Path, workspace: None) -> None:
    document = load_document(path.read_bytes())
    saved = workflow_import(document, publish=True, now=NOW)
    assert [problem for problem in saved.problems if problem.level == "error"] == []
    assert saved.version == 1
    assert saved.workflow.key == path.stem
    assert document.description
    assert document.category


def test_gallery_covers_what_people_begin_with() -> None:
    triggers = {load_document(path.read_bytes()).trigger.type for path in DOCUMENTS}
    assert triggers == {
        "manual",
        "person.birthday",
        "person.changed",
        "person.end_date",
        "person.probation_end",
        "person.start_date",
        "person.work_anniversary",
        "request.submitted",
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_document_previews_without_a_run(path: Path, workspace: None) -> None:
    workflow_import(load_document(path.read_bytes()), publish=True, now=NOW)
    workflow = Workflow.objects.get(key=path.stem)
    assert workflow.live_version is not None
    seen = preview(planned_version(workflow.live_version), now=NOW)
    people = {item["person"] for item in seen["matched"] + seen["not_matched"]}
    people |= {item["person"] for item in seen["cannot_tell"]}
    assert len(people) == 3
    assert workflow.runs.count() == 0
