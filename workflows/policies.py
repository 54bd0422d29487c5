"""Which workflows and policies ask by a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.document.parse import parse_document
from workflows.document.shape import ActionStep
from workflows.models import ApproverPolicy, Workflow
from workflows.params import listed
from workflows.problems import DocumentError
from workflows.question import ACTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One approval step that asks by a policy."""

    workflow: Workflow
    step: str
    stages: tuple[Mapping[str, Any], ...]


def policy_uses(key: str) -> list[Use]:
    """Every approval step, live or in a draft, that names the policy."""
    found: list[Use] = []
    rows = Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).select_related("live_version")
    for workflow in rows:
        data = workflow.live_version.document if workflow.live_version else workflow.draft
        for name, params in _approvals(data):
            specs = tuple(_specs(params))
            if any(_names(spec, key) for spec in (*specs, params.get("fallback"))):
                found.append(Use(workflow=workflow, step=name, stages=specs))
    return found


def policies_using(key: str) -> list[ApproverPolicy]:
    """Other policies that go on to this one."""
    return [
        policy
        for policy in ApproverPolicy.objects.exclude(key=key)
        if any(
            _names(spec, key)
            for spec in (policy.baseline, *(rule.get("approver") for rule in policy.rules))
        )
    ]


def _approvals(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        document = parse_document(data)
    except DocumentError:
        return
    for _, step in document.walk():
        if isinstance(step, ActionStep) and step.action == ACTION:
            yield step.key, step.params


def _specs(params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in (params.get("approver"), *listed(params.get("also"))):
        if isinstance(item, Mapping):
            inner = item.get("approver", item)
            if isinstance(inner, Mapping):
                yield inner


def _names(spec: Any, key: str) -> bool:
    return isinstance(spec, Mapping) and spec.get("type") == "policy" and spec.get("key") == key
