"""Read workflow documents into the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from siit_remote.lib import clock
from siit_remote.management.base import SiitCommand
from workflows.document import load_document
from workflows.problems import DocumentError, Problem
from workflows.services import workflow_import

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiitCommand):
    """All or nothing per file; every problem with its place."""

    help = "Import workflow documents (YAML or JSON) as drafts, or publish them."
    example = "manage.py import_workflows workflows/gallery/birthday.yaml --publish"
    time_travel = True

    def add_own_arguments(self, parser: ArgumentParser) -> None:
        """Files."""
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--publish", action="store_true", help="Make them live.")

    def perform(self, **options: Any) -> dict[str, Any]:
        """Each file on its own: a broken one changes nothing and stops no other."""
        return {
            "workflows": [
                _import(Path(name), publish=options["publish"]) for name in options["files"]
            ]
        }

    def present(self, document: dict[str, Any]) -> None:
        """A line a file, its problems below."""
        for row in document["workflows"]:
            version = f" v{row['version']}" if row["version"] else ""
            self.stdout.write(f"{row['key']}{version}: {row['status']}")
            for problem in row["problems"]:
                self.stdout.write(f"    {problem['path'] or 'document'}: {problem['message']}")

    def failed(self, document: dict[str, Any]) -> bool:
        """Any error in any file, or a draft that was to be published."""
        return any(
            problem["level"] == "error"
            for row in document["workflows"]
            for problem in row["problems"]
        )


def _import(path: Path, *, publish: bool) -> dict[str, Any]:
    try:
        document = load_document(path.read_bytes())
    except OSError as error:
        return _refused(path, [Problem("", f"{path} cannot be read: {error.strerror}.")])
    except DocumentError as error:
        return _refused(path, error.problems)
    saved = workflow_import(document, publish=publish, now=clock.now())
    return {
        "key": saved.workflow.key,
        "version": saved.version,
        "status": saved.workflow.status,
        "problems": [_problem(problem) for problem in saved.problems],
    }


def _refused(path: Path, problems: Any) -> dict[str, Any]:
    return {
        "key": path.stem,
        "version": None,
        "status": "refused",
        "problems": [_problem(problem) for problem in problems],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {"path": problem.path, "message": problem.message, "level": problem.level}
