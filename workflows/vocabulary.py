"""The registries as the documents' validator sees them, with what exists in the workspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from integrations.models import Application, Bundle, Connection
from people.models import Role
from workflows.conditions.describe import lower_first
from workflows.designer.picks import RECIPIENTS
from workflows.document.timing import own_params
from workflows.document.validate import References
from workflows.field_types import field_types_now
from workflows.fields import NO_TYPES, FieldTypes
from workflows.models import ApproverPolicy, MessageTemplate, Service
from workflows.names import Names, employment_type_names, names_of
from workflows.nodes import ACTIONS, APPROVERS, TRIGGERS, Action, Approver, Trigger
from workflows.params import Param, in_words
from workflows.problems import Problem


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One node as a document is judged by it."""

    node: Action | Trigger | Approver
    names: Names = field(default_factory=Names)

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
        return self.node.sentence(self.names.params(self.node.Params, params))

    @property
    def label(self) -> str:
        """What people call it."""
        return self.node.label

    @property
    def destructive(self) -> bool:
        """Whether it takes something away; only actions can."""
        return isinstance(self.node, Action) and self.node.destructive

    def chosen(self, params: dict[str, Any]) -> dict[str, str]:
        """What is chosen by name, by the words of its input: {"Template": "Welcome"}."""
        fields, form = self.node.Params.names(), self.node.Params
        found = {}
        for key, value in self.names.params(form, params).items():
            param = form.base_fields.get(fields.get(key, ""))
            words = in_words(value)
            if isinstance(param, Param) and param.picks and words:
                found[str(param.label or key)] = words
        return found

    def worded(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The params by the words of their inputs, with names where keys stood."""
        fields, form = self.node.Params.names(), self.node.Params
        found = {}
        for key, value in self.names.params(form, params).items():
            param = form.base_fields.get(fields.get(key, ""))
            options = dict(param.options()) if isinstance(param, Param) else {}
            if isinstance(param, Param) and param.picks == "recipient":
                options |= dict(RECIPIENTS)
            label = str(param.label or "") if param is not None else ""
            words = options.get(value, value) if isinstance(value, str) else value
            found[lower_first(label) or key] = words
        return found


@dataclass(frozen=True, slots=True)
class NodeVocabulary:
    """Everything a document may name."""

    references: References | None = None
    field_types: FieldTypes = field(default_factory=lambda: NO_TYPES)
    names: Names = field(default_factory=Names)

    def trigger(self, key: str) -> NodeEntry | None:
        """The trigger with this key."""
        return self._entry(TRIGGERS.get(key))

    def action(self, key: str) -> NodeEntry | None:
        """The action with this key."""
        return self._entry(ACTIONS.get(key))

    def approver(self, key: str) -> NodeEntry | None:
        """The approver type with this key."""
        return self._entry(APPROVERS.get(key))

    def keys(self, kind: str) -> Collection[str]:
        """All keys of a kind, for suggestions."""
        registries = {"trigger": TRIGGERS, "action": ACTIONS, "approver": APPROVERS}
        found: list[str] = registries[kind].keys()  # type: ignore[attr-defined]
        return found

    def _entry(self, node: Action | Trigger | Approver | None) -> NodeEntry | None:
        return NodeEntry(node, self.names) if node is not None else None


VOCABULARY = NodeVocabulary()
"""What this installation knows, without a look at the workspace."""


def vocabulary_now() -> NodeVocabulary:
    """The vocabulary with every key that exists in the workspace now, and what it is called."""
    kinds: dict[str, QuerySet[Any]] = {
        "connection": Connection.objects.all(),
        "template": MessageTemplate.objects.all(),
        "application": Application.objects.all(),
        "bundle": Bundle.objects.all(),
        "policy": ApproverPolicy.objects.all(),
        "service": Service.objects.all(),
    }
    known = {kind: names_of(rows.values_list("key", "name")) for kind, rows in kinds.items()}
    names = Names(known={**known, "employment_type": employment_type_names()}, looks_up=True)
    return NodeVocabulary(
        field_types={**names.field_types(), **field_types_now()},
        references=References(
            connections=known["connection"],
            templates=known["template"],
            applications=known["application"],
            bundles=known["bundle"],
            policies=known["policy"],
            services=known["service"],
            roles=set(Role.objects.values_list("name", flat=True)),
        ),
        names=names,
    )
