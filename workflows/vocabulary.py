"""The registries as the documents' validator sees them, with what exists in the workspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.models import Application, Bundle, Connection
from people.models import Role
from workflows.document.timing import own_params
from workflows.document.validate import References
from workflows.field_types import field_types_now
from workflows.fields import NO_TYPES, FieldTypes
from workflows.models import ApproverPolicy, MessageTemplate, Service
from workflows.nodes import ACTIONS, APPROVERS, TRIGGERS, Action, Approver, Trigger
from workflows.problems import Problem


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One node as a document is judged by it."""

    node: Action | Trigger | Approver

    @property
    def takes_timing(self) -> bool:
        """Whether days before or after mean anything: what just happens is due at once."""
        node = self.node
        return not isinstance(node, Trigger) or node.forecastable or bool(node.offset)

    @property
    def only_after(self) -> bool:
        """Whether nobody can know of it before it happens."""
        return isinstance(self.node, Trigger) and self.node.offset == "after"

    def validate(self, params: dict[str, Any], path: str) -> list[Problem]:
        """Problems of the node's own params."""
        own = own_params(params) if isinstance(self.node, Trigger) else params
        problems: list[Problem] = self.node.Params.validate(own, path)
        return problems

    def sentence(self, params: Mapping[str, Any]) -> str:
        """The node in words."""
        return self.node.sentence(params)


@dataclass(frozen=True, slots=True)
class NodeVocabulary:
    """Everything a document may name."""

    references: References | None = None
    field_types: FieldTypes = field(default_factory=lambda: NO_TYPES)

    def trigger(self, key: str) -> NodeEntry | None:
        """The trigger with this key."""
        return _entry(TRIGGERS.get(key))

    def action(self, key: str) -> NodeEntry | None:
        """The action with this key."""
        return _entry(ACTIONS.get(key))

    def approver(self, key: str) -> NodeEntry | None:
        """The approver type with this key."""
        return _entry(APPROVERS.get(key))

    def keys(self, kind: str) -> Collection[str]:
        """All keys of a kind, for suggestions."""
        registries = {"trigger": TRIGGERS, "action": ACTIONS, "approver": APPROVERS}
        found: list[str] = registries[kind].keys()  # type: ignore[attr-defined]
        return found


def _entry(node: Action | Trigger | Approver | None) -> NodeEntry | None:
    return NodeEntry(node) if node is not None else None


VOCABULARY = NodeVocabulary()
"""What this installation knows, without a look at the workspace."""


def vocabulary_now() -> NodeVocabulary:
    """The vocabulary with every key that exists in the workspace now."""
    return NodeVocabulary(
        field_types=field_types_now(),
        references=References(
            connections=set(Connection.objects.values_list("key", flat=True)),
            templates=set(MessageTemplate.objects.values_list("key", flat=True)),
            applications=set(Application.objects.values_list("key", flat=True)),
            bundles=set(Bundle.objects.values_list("key", flat=True)),
            policies=set(ApproverPolicy.objects.values_list("key", flat=True)),
            services=set(Service.objects.values_list("key", flat=True)),
            roles=set(Role.objects.values_list("name", flat=True)),
        ),
    )
