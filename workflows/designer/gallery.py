"""Documents to begin from: every workflow in the folder `workflows/gallery`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from workflows.document import WorkflowDocument, load_document
from workflows.document.yaml_io import read_text

_FOLDER = Path(__file__).resolve().parent.parent / "gallery"


@cache
def gallery() -> tuple[WorkflowDocument, ...]:
    """All of them, by category and name. Other documents of the folder are passed over."""
    found = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        data = read_text(text).data
        if isinstance(data, dict) and str(data.get("format", "")).startswith("siit.workflow/"):
            found.append(load_document(text))
    return tuple(sorted(found, key=lambda document: (document.category, document.name)))


def gallery_document(key: str) -> WorkflowDocument | None:
    """The document with this key."""
    return next((document for document in gallery() if document.key == key), None)
