"""The workflow document: read, write, validate, describe, compare."""

from __future__ import annotations

from dataclasses import replace

from workflows.document.describe import describe_document
from workflows.document.diff import diff_documents
from workflows.document.parse import parse_document
from workflows.document.shape import (
    FORMAT,
    OUTCOMES,
    ActionStep,
    BranchStep,
    HoldAbove,
    Lane,
    Limits,
    Step,
    TriggerSpec,
    WaitFor,
    WaitStep,
    WaitUntil,
    WorkflowDocument,
)
from workflows.document.timing import COMMON_PARAMS, Timing, own_params, parse_timing, timing_of
from workflows.document.validate import Entry, References, Vocabulary, validate_document
from workflows.document.yaml_io import read_text, write_yaml
from workflows.problems import DocumentError, Problem

__all__ = [
    "COMMON_PARAMS",
    "FORMAT",
    "OUTCOMES",
    "ActionStep",
    "BranchStep",
    "DocumentError",
    "Entry",
    "HoldAbove",
    "Lane",
    "Limits",
    "Problem",
    "References",
    "Step",
    "Timing",
    "TriggerSpec",
    "Vocabulary",
    "WaitFor",
    "WaitStep",
    "WaitUntil",
    "WorkflowDocument",
    "check_text",
    "describe_document",
    "diff_documents",
    "dump_yaml",
    "load_document",
    "own_params",
    "parse_document",
    "parse_timing",
    "timing_of",
    "validate_document",
]


def load_document(text: str | bytes) -> WorkflowDocument:
    """Read a document from YAML or JSON text. Raises DocumentError with every problem."""
    found = read_text(text)
    try:
        return parse_document(found.data)
    except DocumentError as exc:
        problems = _with_lines(exc.problems, found.lines)
        raise DocumentError(problems, partial=exc.partial) from None


def check_text(
    text: str | bytes, vocabulary: Vocabulary
) -> tuple[WorkflowDocument | None, list[Problem]]:
    """Read and validate at once: the document if its shape is right, and all that is wrong."""
    try:
        found = read_text(text)
    except DocumentError as exc:
        return None, list(exc.problems)
    try:
        document = parse_document(found.data)
    except DocumentError as exc:
        problems = list(exc.problems)
        if isinstance(exc.partial, WorkflowDocument):
            # What could not be read stands at its default, which is not worth a second problem.
            unread = tuple(problem.path for problem in problems)
            meant = validate_document(exc.partial, vocabulary)
            problems += [problem for problem in meant if not problem.path.startswith(unread)]
        return None, _with_lines(problems, found.lines)
    return document, _with_lines(validate_document(document, vocabulary), found.lines)


def dump_yaml(document: WorkflowDocument) -> str:
    """The document as YAML; loading it gives an equal document."""
    return write_yaml(document.to_data())


def _with_lines(
    problems: list[Problem] | tuple[Problem, ...], lines: dict[str, int]
) -> list[Problem]:
    """Each problem with the line of its path, or of the nearest place around it."""
    located = []
    for problem in problems:
        path = problem.path
        while path and path not in lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        line = problem.line or lines.get(path)
        located.append(replace(problem, line=line) if line else problem)
    return located
