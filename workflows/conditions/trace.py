"""Why a condition came out as it did: the same tree with the answer and the value at each node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from workflows.conditions.describe import describe_group, describe_rule, value_words, wanted_words
from workflows.conditions.evaluate import (
    Condition,
    Facts,
    Truth,
    compile_rule,
    is_missing,
    join_tests,
)
from workflows.conditions.tree import Group, Rule
from workflows.conditions.values import Refused, rule_spec, wanted
from workflows.fields import NO_TYPES, FieldSpec, FieldTypes


@dataclass(frozen=True, slots=True)
class TraceNode:
    """One rule or group with its answer.

    `text` is the node in words. For a rule, `value` is the fact as it was, `actual` and `expected`
    say in words what was found and wanted; `missing` tells that no value was there.
    """

    result: Truth
    text: str
    field: str = ""
    value: object = None
    actual: str = ""
    expected: str = ""
    reason: str = ""
    missing: bool = False
    combinator: str = ""
    negated: bool = False
    children: tuple[TraceNode, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Plain data for storage and for `--json`."""
        data: dict[str, Any] = {"result": self.result.value, "text": self.text}
        if self.combinator:
            data["combinator"] = self.combinator
            data["not"] = self.negated
            data["rules"] = [child.to_data() for child in self.children]
            return data
        data.update(field=self.field, value=_plain(self.value), actual=self.actual)
        data.update(expected=self.expected, reason=self.reason, missing=self.missing)
        return data

    def reasons(self) -> list[str]:
        """Short reasons for the answer: what spoke for a match, else what stood against it."""
        seen = dict.fromkeys(leaf.reason for leaf in self._deciding(self.result) if leaf.reason)
        return list(seen)

    def walk(self) -> Iterator[TraceNode]:
        """This node and every node below."""
        yield self
        for child in self.children:
            yield from child.walk()

    def missing_fields(self) -> list[str]:
        """Keys of the fields without which it cannot be told; [] when it can."""
        if self.result is not Truth.UNKNOWN:
            return []
        leaves = self._deciding(Truth.UNKNOWN)
        return list(dict.fromkeys(leaf.field for leaf in leaves if leaf.missing))

    def _deciding(self, result: Truth) -> Iterator[TraceNode]:
        if not self.combinator:
            yield self
            return
        inner = result.negate() if self.negated else result
        for child in self.children:
            if child.result is inner:
                yield from child._deciding(inner)


def trace(group: Group, facts: Facts, today: date, *, types: FieldTypes = NO_TYPES) -> TraceNode:
    """Evaluate with every node's answer and reason; agrees with `evaluate` always."""
    return _trace(group, facts, today, tuple(sorted(types.items())) if types else ())


_Types = tuple[tuple[str, Any], ...]


def _trace(group: Group, facts: Facts, today: date, types: _Types) -> TraceNode:
    children = tuple(
        _trace(rule, facts, today, types)
        if isinstance(rule, Group)
        else _trace_rule(rule, facts, today, types)
        for rule in group.rules
    )
    # Children are already answered, so each becomes a test that gives its answer.
    tests = tuple((lambda *_args, answer=child.result: answer) for child in children)
    result = join_tests(group.combinator, tests)(facts, today)
    return TraceNode(
        result=result.negate() if group.negated else result,
        text=_group_words(group, types),
        combinator=group.combinator,
        negated=group.negated,
        children=children,
    )


@lru_cache(maxsize=4096)
def _group_words(group: Group, types: _Types) -> str:
    return describe_group(group, dict(types))


@dataclass(frozen=True, slots=True)
class _RuleWords:
    """What a trace says of a rule whatever the person."""

    test: Condition
    spec: FieldSpec | None
    label: str
    text: str
    expected: str
    refused: str


@lru_cache(maxsize=4096)
def _rule_words(rule: Rule, types: _Types) -> _RuleWords:
    known = dict(types)
    spec = rule_spec(rule, known)
    refused = ""
    try:
        wanted(rule, spec)
    except Refused as error:
        refused = error.message
    return _RuleWords(
        test=compile_rule(rule, known),
        spec=spec,
        label=spec.label if spec else rule.field or "The field",
        text=describe_rule(rule, known),
        expected=wanted_words(rule, spec),
        refused=refused,
    )


def _trace_rule(rule: Rule, facts: Facts, today: date, types: _Types) -> TraceNode:
    words = _rule_words(rule, types)
    spec, label, expected = words.spec, words.label, words.expected
    value = facts.get(rule.field)
    result = words.test(facts, today)
    missing = is_missing(value)
    actual = value_words(value, spec)
    reason = f"{label} is {actual}, wanted {_short(expected)}"
    if words.refused:
        missing, reason = False, words.refused
    elif result is Truth.TRUE:
        reason = f"{label} {expected}" if missing else f"{label} is {actual}"
    elif result is Truth.UNKNOWN and not missing:
        reason = f"{label} holds a value that is no {spec.type if spec else 'value'}"
    elif result is Truth.UNKNOWN:
        reason = f"{label} is missing"
    return TraceNode(
        result=result,
        text=words.text,
        field=rule.field,
        value=value,
        actual=actual,
        expected=expected,
        reason=reason,
        missing=missing,
    )


def _short(expected: str) -> str:
    """`Contractor` for "is Contractor": the sentence has its "is" already."""
    return expected.removeprefix("is ")


def _plain(value: object) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    return value
