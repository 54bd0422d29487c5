"""Print workflow documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from siit_remote.management.base import SiitCommand
from siit_remote.management.lookup import workflow_or_refuse
from workflows.document import dump_yaml
from workflows.document.parse import parse_document
from workflows.models import Workflow

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """Importing what this prints changes nothing."""

    help = "Print workflow documents: what is live, or the draft where nothing is."
    example = "manage.py export_workflows contractor-offboarding > offboarding.yaml"

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Which; all unless told."""
        parser.add_argument("keys", nargs="*", metavar="KEY")
        parser.add_argument("--draft", action="store_true", help="Drafts, not what is live.")

    def perform(self, **options: Any) -> list[dict[str, Any]]:
        """Documents as plain data."""
        chosen = (
            [workflow_or_refuse(key) for key in options["keys"]]
            if options["keys"]
            else list(Workflow.objects.select_related("live_version"))
        )
        documents: list[dict[str, Any]] = []
        for workflow in chosen:
            version = None if options["draft"] else workflow.live_version
            documents.append(version.document if version else workflow.draft)
        return documents

    def present(self, document: list[dict[str, Any]]) -> None:
        """YAML, one document after another."""
        self.stdout.write(
            "---\n".join(dump_yaml(parse_document(data)) for data in document), ending=""
        )

    def _finish(self, document: Any, *, as_json: bool) -> None:
        if as_json and len(document) == 1:
            self.stdout.write(json.dumps(document[0], ensure_ascii=False))
            return
        super()._finish(document, as_json=as_json)
