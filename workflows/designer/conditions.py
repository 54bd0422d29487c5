"""A condition as rows: field, how to compare, value. Groups in groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workflows.conditions.describe import describe_rule
from workflows.conditions.tree import MAX_GROUP_DEPTH, Group, Rule
from workflows.designer.cards import row_name
from workflows.designer.controls import Choice, Control, Drawer, Findings
from workflows.designer.forms import value_param
from workflows.designer.picks import FIELD_PICKS
from workflows.designer.rules import mode_of
from workflows.designer.subjects import Subjects
from workflows.fields import NO_TYPES, FieldSpec, FieldTypes, field_spec
from workflows.operators import operators_for
from workflows.problems import Problem

MODE_WORDS = {
    "all": "All of",
    "any": "Any of",
    "none": "None of",
    "not_all": "Not all of",
}
_TRAP = (
    "Worker type is what Remote says: EOR Employee, Direct Employee or Contractor. For “is an "
    "employee” use Employment type, or tick both kinds of employee here."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A rule, or a group with rows of its own."""

    host: str
    path: str
    id: str
    index: int
    count: int
    errors: tuple[Problem, ...] = ()
    is_group: bool = False
    modes: tuple[Choice, ...] = ()
    rows: tuple[Row, ...] = ()
    may_nest: bool = True
    fields: tuple[tuple[str, tuple[Choice, ...]], ...] = ()
    operators: tuple[Choice, ...] = ()
    value: Control | None = None
    words: str = ""
    hint: str = ""

    @property
    def mode_name(self) -> str:
        """Name of the select that joins the rows."""
        return row_name(self.path, "mode")

    @property
    def field_name(self) -> str:
        """Name of the field's select."""
        return row_name(self.path, "field")

    @property
    def operator_name(self) -> str:
        """Name of the operator's select."""
        return row_name(self.path, "operator")

    @property
    def value_shown(self) -> str:
        """Name of the hidden input that says that the value was shown at all."""
        return f"{row_name(self.path, 'value')}.shown"

    @property
    def address(self) -> str:
        """What a row's buttons send."""
        return f"{self.host}:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsCard:
    """The conditions of a workflow, a step or a lane; `root` is None for everybody."""

    host: str
    id: str
    root: Row | None
    errors: tuple[Problem, ...] = ()


def conditions_card(
    group: Group | None,
    host: str,
    path: str,
    subjects: Subjects,
    findings: Findings,
    *,
    types: FieldTypes = NO_TYPES,
) -> ConditionsCard:
    """The rows of a condition with their inputs. ``types``: fields that somebody made."""
    card_id = f"only-if-{host.replace('/', '-')}"
    errors = findings.at(path, card_id)
    builder = _Rows(host, card_id, subjects, findings, types)
    root = builder.group(group, "", path, index=0, count=1) if group is not None else None
    return ConditionsCard(host=host, id=card_id, root=root, errors=errors)


class _Rows:
    def __init__(
        self,
        host: str,
        card_id: str,
        subjects: Subjects,
        findings: Findings,
        types: FieldTypes,
    ) -> None:
        self.types = types
        self.host, self.card_id, self.subjects, self.findings = host, card_id, subjects, findings
        self.drawer = Drawer(card_id, findings)

    def _id(self, path: str) -> str:
        return f"{self.card_id}-row{'-' if path else ''}{path.replace('.', '-')}"

    def group(self, group: Group, path: str, where: str, *, index: int, count: int) -> Row:
        """A group with its rows."""
        mode = mode_of(group.to_data())
        row_id = self._id(path)
        return Row(
            host=self.host,
            path=path,
            id=row_id,
            index=index,
            count=count,
            is_group=True,
            errors=self.findings.at(where, row_id) if path else (),
            modes=tuple(Choice(key, words, key == mode) for key, words in MODE_WORDS.items()),
            rows=tuple(self._rows(group, path, where)),
            may_nest=(len(path.split(".")) if path else 0) + 2 <= MAX_GROUP_DEPTH,
        )

    def _rows(self, group: Group, path: str, where: str) -> Iterator[Row]:
        for index, entry in enumerate(group.rules):
            below = f"{path}.{index}" if path else str(index)
            here = f"{where}.rules[{index}]"
            if isinstance(entry, Group):
                yield self.group(entry, below, here, index=index, count=len(group.rules))
            else:
                yield self._rule(entry, below, here, index=index, count=len(group.rules))

    def _rule(self, rule: Rule, path: str, where: str, *, index: int, count: int) -> Row:
        spec = field_spec(rule.field, self.types)
        row_id = self._id(path)
        param = value_param(spec, rule.operator, picks=FIELD_PICKS.get(rule.field, ""))
        value = None
        if param is not None and rule.field:
            stored = list(rule.value) if isinstance(rule.value, tuple) else rule.value
            name = row_name(path, "value")
            value = self.drawer.one(param, stored, name=name, path=f"{where}.value")
        self.findings.names.setdefault(
            where, describe_rule(rule, self.types).capitalize() if rule.field else "Condition"
        )
        errors = (
            *self.findings.at(where, row_id),
            *self.findings.at(f"{where}.field", f"{row_id}-field"),
            *self.findings.at(f"{where}.operator", f"{row_id}-operator"),
        )
        if value is None:
            errors += self.findings.at(f"{where}.value", row_id)
        return Row(
            host=self.host,
            path=path,
            id=row_id,
            index=index,
            count=count,
            errors=errors,
            fields=self._fields(rule.field, spec),
            operators=_operators(rule.operator, spec),
            value=value,
            words=describe_rule(rule, self.types),
            hint=_TRAP if rule.field == "person.worker_type" else "",
        )

    def _fields(
        self, chosen: str, spec: FieldSpec | None
    ) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
        groups = [
            (words, tuple(Choice(key, label, key == chosen) for key, label in fields))
            for words, fields in self.subjects
        ]
        if chosen and not any(choice.selected for _, choices in groups for choice in choices):
            label = spec.label if spec else f"{chosen} (no such field)"
            groups.append(("Further fields", (Choice(chosen, label, True),)))
        return tuple(groups)


def _operators(chosen: str, spec: FieldSpec | None) -> tuple[Choice, ...]:
    offered = operators_for(spec.type) if spec is not None else ()
    choices = [Choice(item.key, item.label, item.key == chosen) for item in offered]
    if chosen and not any(choice.selected for choice in choices):
        words = chosen.replace("_", " ")
        choices.insert(
            0, Choice(chosen, words if spec is None else f"{words} (does not fit)", True)
        )
    return tuple(choices)
