"""What a document means, judged: everything that stands between a draft and publishing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from workflows.conditions.check import check_group
from workflows.conditions.tree import Group
from workflows.document.shape import (
    OUTCOMES_OF,
    ActionStep,
    BranchStep,
    WaitStep,
    WaitUntil,
    WorkflowDocument,
)
from workflows.document.timing import own_params, parse_timing
from workflows.fields import NO_TYPES, FieldTypes, custom_name, field_spec, is_dynamic
from workflows.problems import Problem, did_you_mean, join, shown


class Entry(Protocol):
    """A trigger, action or approver, as far as a document is concerned."""

    def validate(self, params: dict[str, Any], path: str) -> list[Problem]:
        """Every problem with its params. A trigger is not given the common params."""

    def sentence(self, params: dict[str, Any]) -> str:
        """What it does with all these params, in words, beginning in lower case."""

    @property
    def label(self) -> str:
        """What people call it."""

    @property
    def destructive(self) -> bool:
        """Whether it takes something away."""

    def chosen(self, params: dict[str, Any]) -> dict[str, str]:
        """What is chosen by name, by the words of its input."""

    def worded(self, params: dict[str, Any]) -> dict[str, Any]:
        """The params by the words of their inputs, with names where keys stood."""


@dataclass(frozen=True, slots=True)
class References:
    """Keys that exist in this workspace; None: not known here, so not checked."""

    connections: Collection[str] | None = None
    templates: Collection[str] | None = None
    applications: Collection[str] | None = None
    bundles: Collection[str] | None = None
    policies: Collection[str] | None = None
    services: Collection[str] | None = None
    roles: Collection[str] | None = None


class Vocabulary(Protocol):
    """Everything a document may name. An unknown key gives None."""

    @property
    def references(self) -> References | None:
        """Keys that exist, or None where nothing is known of them."""

    @property
    def field_types(self) -> FieldTypes:
        """Types of custom and form fields by full key; others are text."""

    def trigger(self, key: str) -> Entry | None: ...

    def action(self, key: str) -> Entry | None: ...

    def approver(self, key: str) -> Entry | None: ...

    def keys(self, kind: str) -> Collection[str]:
        """All keys of "trigger", "action" or "approver", for suggestions."""


# param of an action → the kind of thing it names
_PARAM_KINDS = {
    "connection": "connections",
    "template": "templates",
    "bundle": "bundles",
    "apps": "applications",
    "except": "applications",
}
_KIND_WORDS = {
    "connections": "connection",
    "templates": "template",
    "applications": "application",
    "bundles": "bundle",
    "policies": "policy",
    "services": "service",
    "roles": "role",
}
_ANCHORS = ("person.start_date", "person.end_date", "person.probation_end_date")


def validate_document(document: WorkflowDocument, vocabulary: Vocabulary) -> list[Problem]:
    """Every problem of a document; those of level "error" block publishing."""
    return list(_Validator(document, vocabulary).problems())


class _Validator:
    def __init__(self, document: WorkflowDocument, vocabulary: Vocabulary) -> None:
        self.document = document
        self.vocabulary = vocabulary
        self.types = vocabulary.field_types or NO_TYPES

    def problems(self) -> Iterator[Problem]:
        document = self.document
        if not document.name.strip():
            yield Problem("name", "Give the workflow a name.")
        yield from self._trigger()
        for path, group in document.walk_conditions():
            yield from check_group(group, path, types=self.types)
            yield from self._unmade_fields(group, path)
        if document.conditions is None:
            yield Problem("conditions", "No conditions: this is for everybody.", "warning")
        if not document.steps:
            yield Problem("steps", "Add at least one step.")
        for path, step in document.walk():
            if isinstance(step, ActionStep):
                yield from self._action(step, path)
            elif isinstance(step, BranchStep):
                yield from self._branch(step, path)
            else:
                yield from self._wait(step, path)

    def _unmade_fields(self, group: Group, path: str) -> Iterator[Problem]:
        """Fields that nobody made can hold no value, so that a rule about one is never met."""
        if self.vocabulary.references is None:
            return
        for where, rule in group.walk_rules(path):
            if not is_dynamic(rule.field) or rule.field in self.types:
                continue
            if custom_name(rule.field):
                words = "No custom field {} is in use. Take it into use under Settings → Fields."
            else:
                words = "No service has a field {} in its form."
            hint = did_you_mean(rule.field, self.types)
            yield Problem(join(where, "field"), words.format(shown(rule.field)) + hint)

    def _trigger(self) -> Iterator[Problem]:
        trigger = self.document.trigger
        if not trigger.type:
            yield Problem("trigger", "Choose when the workflow starts.")
            return
        path = "trigger.params"
        yield from parse_timing(trigger.params, path)[1]
        entry = self.vocabulary.trigger(trigger.type)
        if entry is None:
            yield self._unknown("trigger", trigger.type, "trigger.type")
        else:
            yield from entry.validate(own_params(trigger.params), path)
            if trigger.params.get("days") and not getattr(entry, "takes_timing", True):
                message = "This starts at once, not days later: make the first step a wait."
                yield Problem(join(path, "days"), message)
            if trigger.params.get("direction") == "before" and getattr(entry, "only_after", False):
                message = "Nobody knows of it before it happens: say after, or the same day."
                yield Problem(join(path, "direction"), message)
        if "service" in trigger.params:
            yield from self._named("services", trigger.params["service"], f"{path}.service")

    def _unknown(self, kind: str, key: str, path: str) -> Problem:
        hint = did_you_mean(key, self.vocabulary.keys(kind))
        return Problem(path, f"The {kind} {shown(key)} is not supported here.{hint}")

    def _action(self, step: ActionStep, path: str) -> Iterator[Problem]:
        entry = self.vocabulary.action(step.action)
        params_path = join(path, "params")
        told: list[Problem] = []
        if not step.action:
            yield Problem(join(path, "action"), "Choose what the step does.")
        elif entry is None:
            yield self._unknown("action", step.action, join(path, "action"))
        else:
            told = entry.validate(dict(step.params), params_path)
            yield from told
        for name, kind in _PARAM_KINDS.items():
            if name in step.params:
                yield from self._named(kind, step.params[name], join(params_path, name))
        if step.action == "approval.request":
            seen = {problem.path for problem in told}
            approval = self._approval(step.params, params_path)
            yield from (problem for problem in approval if problem.path not in seen)
        yield from _outcomes(step, path)

    def _named(self, kind: str, value: object, path: str) -> Iterator[Problem]:
        """Whether the key, or each key of a list, names something that exists."""
        references = self.vocabulary.references
        known = getattr(references, kind) if references is not None else None
        if known is None:
            return
        for index, key in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(key, str) or not key or (kind == "applications" and key == "all"):
                continue
            if key not in known:
                here = f"{path}[{index}]" if isinstance(value, list) else path
                hint = did_you_mean(key, known)
                yield Problem(here, f"There is no {_KIND_WORDS[kind]} {shown(key)}.{hint}")

    def _approval(self, params: Mapping[str, Any], path: str) -> Iterator[Problem]:
        for name in ("approver", "fallback"):
            here = join(path, name)
            if params.get(name) in (None, {}, ""):
                why = "who is asked" if name == "approver" else "who is asked if nobody is found"
                yield Problem(here, f"Missing: choose {why}.")
            else:
                yield from self._approver(params[name], here)
        also = params.get("also", [])
        for index, stage in enumerate(also if isinstance(also, list) else []):
            here = f"{join(path, 'also')}[{index}]"
            nested = isinstance(stage, Mapping) and "approver" in stage
            spec = stage["approver"] if nested else stage
            yield from self._approver(spec, join(here, "approver") if nested else here)

    def _approver(self, spec: object, path: str) -> Iterator[Problem]:
        key = spec.get("type") if isinstance(spec, Mapping) else None
        if not isinstance(spec, Mapping) or not isinstance(key, str):
            yield Problem(
                path, "Expected an approver like {type: manager}, " + f"found {shown(spec)}."
            )
            return
        entry = self.vocabulary.approver(key)
        if entry is None:
            yield self._unknown("approver", key, join(path, "type"))
            return
        params = {name: value for name, value in spec.items() if name != "type"}
        yield from entry.validate(params, path)
        if key == "policy":
            yield from self._named("policies", params.get("key"), join(path, "key"))
        elif key == "role":
            yield from self._named("roles", params.get("name"), join(path, "name"))

    def _branch(self, step: BranchStep, path: str) -> Iterator[Problem]:
        here = join(path, "branch.lanes")
        if not step.lanes:
            yield Problem(here, "Add at least one lane.")
        for index, lane in enumerate(step.lanes):
            if not lane.name.strip():
                yield Problem(f"{here}[{index}].name", "Give the lane a name.")
            if lane.when is None:
                yield Problem(f"{here}[{index}].when", "Choose who takes this lane.")
            earlier = [other.when for other in step.lanes[:index]]
            if step.mode == "first_match" and lane.when is not None and lane.when in earlier:
                message = "Nobody comes here: a lane above has the same condition."
                yield Problem(f"{here}[{index}]", message)

    def _wait(self, step: WaitStep, path: str) -> Iterator[Problem]:
        wait = step.wait
        if not isinstance(wait, WaitUntil):
            return
        spec = field_spec(wait.anchor, self.types)
        custom_date = spec is not None and spec.type == "date" and spec.key not in _BIRTH
        if wait.anchor not in _ANCHORS and not custom_date:
            hint = did_you_mean(wait.anchor, _ANCHORS)
            known = ", ".join(_ANCHORS)
            yield Problem(
                join(path, "wait.until.anchor"), f"Expected a date to wait for: {known}.{hint}"
            )


def _outcomes(step: ActionStep, path: str) -> Iterator[Problem]:
    """Lanes only of actions that end in that way, and of tasks only where the run waits."""
    known = OUTCOMES_OF.get(step.action, ())
    where = join(path, "outcomes")
    if step.outcomes and not known:
        yield Problem(where, f"Only {' and '.join(OUTCOMES_OF)} have outcomes.")
        return
    for name in step.outcomes:
        if name not in known:
            words = f"{step.action} ends {' or '.join(known)}, never {name}."
            yield Problem(join(where, name), words)
    if step.outcomes and step.action == "task.create" and not step.params.get("wait_until_done"):
        yield Problem(where, "Nobody waits for this task: go on only when it is done.")


_BIRTH = ("person.date_of_birth",)
