"""Which workflows and approver policies ask for a value of the directory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from workflows.models import Workflow


def workflows_using(field: str, value: str) -> list[Workflow]:
    """Live and paused workflows whose conditions compare ``field`` with ``value``.

    ``field`` is a key of the vocabulary, as ``person.worker_type``.
    """
    rows = (
        Workflow.objects.filter(status__in=(Workflow.Status.LIVE, Workflow.Status.PAUSED))
        .exclude(live_version=None)
        .select_related("live_version")
        .order_by("name")
    )
    return [
        row
        for row in rows
        if row.live_version is not None and value in values_of(row.live_version.document, field)
    ]


def values_of(document: Any, field: str) -> Collection[str]:
    """Every value that the conditions in ``document`` compare ``field`` with."""
    return {
        str(value)
        for rule in _rules(document)
        if rule.get("field") == field
        for value in _listed(rule.get("value"))
    }


def _rules(document: Any) -> Iterator[dict[str, Any]]:
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(node.get("field"), str) and "operator" in node:
                yield node
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
