"""Whether a condition makes sense: known fields, fitting operators, values that can occur."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.conditions.tree import Group, Rule
from workflows.conditions.values import Refused, wanted
from workflows.fields import FIELDS, NO_TYPES, FieldTypes, choice_problem, field_spec
from workflows.problems import Problem, did_you_mean, join, shown

_ENOUGH = 100


def check_group(
    group: Group, path: str = "conditions", *, types: FieldTypes = NO_TYPES
) -> list[Problem]:
    """The problems of a condition, at most about a hundred; [] if it can be published."""
    problems = [
        Problem(where, "Add a rule, or take the group away.")
        for where, inner in group.walk_groups(path)
        if not inner.rules
    ]
    for where, rule in group.walk_rules(path):
        problems.extend(_check_rule(rule, where, types))
        if len(problems) >= _ENOUGH:  # each suggestion takes time, and nobody reads on
            problems.append(Problem(path, "There are more problems: mend these first."))
            break
    return problems


def _check_rule(rule: Rule, path: str, types: FieldTypes) -> Iterator[Problem]:
    if not rule.field:
        yield Problem(join(path, "field"), "Choose a field.")
        return
    spec = field_spec(rule.field, types)
    if spec is None:
        hint = did_you_mean(rule.field, FIELDS)
        yield Problem(join(path, "field"), f"There is no field {shown(rule.field)}.{hint}")
        return
    if not rule.operator:
        yield Problem(join(path, "operator"), "Choose how to compare.")
        return
    try:
        want = wanted(rule, spec)
    except Refused as refused:
        yield Problem(join(path, refused.part), refused.message)
        return
    if not want.values and rule.value is not None:
        yield Problem(join(path, "value"), f"{rule.operator} compares with nothing: no value here.")
    values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
    for index, value in enumerate(values):
        message = choice_problem(spec, value) if isinstance(value, str) else ""
        if message:
            place = f"value[{index}]" if isinstance(rule.value, tuple) else "value"
            yield Problem(join(path, place), message)
