"""Conditions, decided: pure, three-valued, compiled once, and never an exception.

A rule that makes no sense, or whose fact is missing, is UNKNOWN; and, or and not follow Kleene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from functools import lru_cache, partial
from typing import Any, Final

from workflows.conditions.generate import MAX_DEPTH, Writer, inlined
from workflows.conditions.tree import Group, Rule
from workflows.conditions.values import (
    Refused,
    Wanted,
    date_of,
    days_after,
    list_of,
    number_of,
    rule_spec,
    text_of,
    wanted,
)
from workflows.fields import NO_TYPES, FieldTypes


class Truth(Enum):
    """The three answers. There is no truth value to use by mistake: compare with `is`."""

    TRUE = "matched"
    FALSE = "not_matched"
    UNKNOWN = "cannot_tell"

    def __bool__(self) -> bool:
        """Refuse `if truth:`, which would take "cannot tell" for a yes."""
        raise TypeError("Compare a Truth with `is Truth.TRUE`.")

    def negate(self) -> Truth:
        """Kleene's not."""
        return _NEGATED[self]


# Names of the module are found faster than members of an Enum; this runs per person and rule.
TRUE: Final = Truth.TRUE
FALSE: Final = Truth.FALSE
UNKNOWN: Final = Truth.UNKNOWN
_NEGATED = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}

Facts = Mapping[str, object]
Condition = Callable[[Facts, date], Truth]
_Compare = Callable[[Any], bool]


def evaluate(group: Group, facts: Facts, *, today: date, types: FieldTypes = NO_TYPES) -> Truth:
    """Whether `facts` meet the group, on the person's own `today`."""
    return compile_group(group, types)(facts, today)


def compile_group(group: Group, types: FieldTypes = NO_TYPES) -> Condition:
    """The group as a function of (facts, today); compiled once and kept."""
    return _compile_cached(group, tuple(sorted(types.items())))


@lru_cache(maxsize=4096)
def _compile_cached(group: Group, types: tuple[tuple[str, Any], ...]) -> Condition:
    return _compile(group, dict(types))


def _compile(group: Group, types: FieldTypes) -> Condition:
    if group.depth > MAX_DEPTH:
        return _closures(group, types)
    writer = Writer(TRUE=TRUE, FALSE=FALSE, UNKNOWN=UNKNOWN, NEGATED=_NEGATED)
    return writer.function(_write(writer, group, types))


def _write(writer: Writer, group: Group, types: FieldTypes) -> str:
    """Write the group's lines; returns the variable that holds its answer."""
    if not group.rules:
        return "UNKNOWN"

    def member(rule: Group | Rule) -> Callable[[str], None]:
        def write(answer: str) -> None:
            if isinstance(rule, Group):
                inner = _write(writer, rule, types)
            else:
                want = _wanted_or_none(rule, types)
                if want is not None and inlined(want):
                    writer.text_rule(want, answer=answer, combinator=group.combinator)
                    return
                writer.line(f"a = {writer.name(compile_rule(rule, types))}(facts, today)")
                inner = "a"
            writer.settle(inner, answer=answer, combinator=group.combinator)

        return write

    answer = writer.group(group.combinator, [member(rule) for rule in group.rules])
    if group.negated:
        writer.line(f"{answer} = NEGATED[{answer}]")
    return answer


def _wanted_or_none(rule: Rule, types: FieldTypes) -> Wanted | None:
    try:
        return wanted(rule, rule_spec(rule, types))
    except Refused:
        return None


def _closures(group: Group, types: FieldTypes) -> Condition:
    tests = tuple(
        _closures(rule, types) if isinstance(rule, Group) else compile_rule(rule, types)
        for rule in group.rules
    )
    joined = join_tests(group.combinator, tests)
    if not group.negated:
        return joined
    return lambda facts, today: _NEGATED[joined(facts, today)]


def join_tests(combinator: str, tests: tuple[Condition, ...]) -> Condition:
    """Kleene's and / or over tests; nothing to test cannot be told."""
    if not tests:
        return _never_told
    if len(tests) == 1:
        return tests[0]
    decisive, otherwise = (FALSE, TRUE) if combinator == "and" else (TRUE, FALSE)

    def run(facts: Facts, today: date) -> Truth:
        result = otherwise
        for test in tests:
            answer = test(facts, today)
            if answer is decisive:
                return answer
            if answer is UNKNOWN:
                result = answer
        return result

    return run


def _never_told(facts: Facts, today: date) -> Truth:
    return UNKNOWN


def compile_rule(rule: Rule, types: FieldTypes = NO_TYPES) -> Condition:
    """One rule as a function of (facts, today)."""
    try:
        want = wanted(rule, rule_spec(rule, types))
    except Refused:
        return _never_told
    key = rule.field
    if want.operator in ("is_empty", "is_not_empty"):
        return _emptiness(key, wanted_empty=want.operator == "is_empty")
    if want.operator in ("in_next_days", "in_last_days"):
        return _near(key, want)
    return _comparison(key, _CAST[want.spec.type], _compare(want))


def is_missing(value: object) -> bool:
    """Whether a fact has no value: null, or text of nothing but space."""
    return value is None or (isinstance(value, str) and not value.strip())


def _emptiness(key: str, *, wanted_empty: bool) -> Condition:
    def run(facts: Facts, today: date) -> Truth:
        value = facts.get(key)
        # An empty list is known to hold nothing, and is empty all the same.
        empty = is_missing(value) or (
            isinstance(value, list | tuple | set | frozenset) and not value
        )
        return TRUE if empty is wanted_empty else FALSE

    return run


def _near(key: str, want: Wanted) -> Condition:
    days: int = want.first
    forward = want.operator == "in_next_days"

    def run(facts: Facts, today: date) -> Truth:
        day = date_of(facts.get(key))
        if day is None:
            return UNKNOWN
        if forward:
            return TRUE if today <= day <= days_after(today, days) else FALSE
        return TRUE if days_after(today, -days) <= day <= today else FALSE

    return run


def _comparison(key: str, cast: Callable[[object], Any], compare: _Compare) -> Condition:
    def run(facts: Facts, today: date) -> Truth:
        value = cast(facts.get(key))
        if value is None or value == "":
            return UNKNOWN
        return TRUE if compare(value) else FALSE

    return run


_CAST: dict[str, Callable[[object], Any]] = {
    "text": text_of,
    "choice": text_of,
    "reference": text_of,
    "date": date_of,
    "number": number_of,
    "list": list_of,
}

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda want, value: bool(value == want),
    "is_not": lambda want, value: bool(value != want),
    "contains": lambda want, value: want in value,
    "not_contains": lambda want, value: want not in value,
    "starts_with": lambda want, value: bool(value.startswith(want)),
    "ends_with": lambda want, value: bool(value.endswith(want)),
    "before": lambda want, value: bool(value < want),
    "after": lambda want, value: bool(value > want),
    "on_or_before": lambda want, value: bool(value <= want),
    "on_or_after": lambda want, value: bool(value >= want),
    "less_than": lambda want, value: bool(value < want),
    "greater_than": lambda want, value: bool(value > want),
    "at_most": lambda want, value: bool(value <= want),
    "at_least": lambda want, value: bool(value >= want),
    "has": lambda want, value: want in value,
    "has_not": lambda want, value: want not in value,
}
_COMPARE_SET: dict[str, Callable[[frozenset[Any], Any], bool]] = {
    "in": lambda want, value: value in want,
    "not_in": lambda want, value: value not in want,
    "has_any": lambda want, value: not want.isdisjoint(value),
    "has_all": lambda want, value: want <= value,
}


def _compare(want: Wanted) -> _Compare:
    if want.operator in _COMPARE_SET:
        return partial(_COMPARE_SET[want.operator], frozenset(want.values))
    return partial(_COMPARE[want.operator], want.first)


def clear_cache() -> None:
    """Forget compiled conditions (for measurements)."""
    _compile_cached.cache_clear()
