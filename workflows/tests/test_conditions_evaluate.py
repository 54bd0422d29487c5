from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.conditions.describe import describe_group
from workflows.conditions.evaluate import Truth, _closures, compile_group, evaluate
from workflows.conditions.generate import MAX_DEPTH
from workflows.conditions.trace import TraceNode, trace
from workflows.conditions.tree import Group, Rule
from workflows.fields import FieldTypes
from workflows.tests.oracle import oracle
from workflows.tests.strategies import TODAY, TYPES, facts, groups, odd_rules, rules

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


def decide(field: str, operator: str, value: Any, fact: object, **more: Any) -> Truth:
    group = Group(rules=(Rule(field, operator, value),))
    types: FieldTypes = more.get("types", {})
    return evaluate(group, {field: fact}, today=more.get("today", TODAY), types=types)


@pytest.mark.parametrize(
    ("field", "operator", "value", "fact", "expected"),
    [
        ("person.worker_type", "is", "contractor", "contractor", T),
        ("person.worker_type", "is", "Contractor ", "contractor", T),
        ("person.worker_type", "is_not", "contractor", "eor_employee", T),
        ("person.worker_type", "is_not", "contractor", "", U),
        ("person.worker_type", "not_in", ("contractor",), None, U),
        ("person.worker_type", "is_empty", None, None, T),
        ("person.worker_type", "is_not_empty", None, " ", F),
        ("person.legal_entity", "is", "acme sas", " Acme SAS", T),
        ("person.job_title", "contains", "ENGINEER", "Senior engineer", T),
        ("person.job_title", "not_contains", "lead", "Team Lead", F),
        ("person.job_title", "starts_with", "head", "Head of IT", T),
        ("person.job_title", "ends_with", "it ", "Head of IT", T),
        ("person.job_title", "is", "STRASSE", "straße", T),
        ("person.job_title", "is", "Sa\u0303o", "SÃO", T),
        ("person.country", "in", ("FRA", "ESP"), "esp", T),
        ("person.start_date", "is", "2026-03-01", TODAY, T),
        ("person.start_date", "before", "2026-03-01", TODAY, F),
        ("person.start_date", "on_or_before", "2026-03-01", TODAY, T),
        ("person.start_date", "after", "2026-02-28", "2026-03-01", T),
        ("person.start_date", "on_or_after", "2026-03-02", TODAY, F),
        ("person.start_date", "is", "2026-03-01", datetime(2026, 3, 1, 23, 59, tzinfo=UTC), T),
        ("person.start_date", "is", "2026-03-01", "soon", U),
        ("person.start_date", "in_next_days", 0, TODAY, T),
        ("person.start_date", "in_next_days", 7, date(2026, 3, 8), T),
        ("person.start_date", "in_next_days", 7, date(2026, 3, 9), F),
        ("person.start_date", "in_last_days", 7, date(2026, 2, 22), T),
        ("person.start_date", "in_last_days", 7, date(2026, 2, 21), F),
        ("person.apps", "has", "GitHub", ["github", "jira"], T),
        ("person.apps", "has", "github", [], F),
        ("person.apps", "has_not", "github", None, U),
        ("person.apps", "has_any", ("x", "jira"), ["jira"], T),
        ("person.apps", "has_all", ("x", "jira"), ["jira"], F),
        ("person.apps", "is_empty", None, [], T),
    ],
)
def test_operator_answers(
    field: str, operator: str, value: Any, fact: object, expected: Truth
) -> None:
    assert decide(field, operator, value, fact) is expected


@pytest.mark.parametrize(
    ("operator", "value", "fact", "expected"),
    [
        ("greater_than", 9, "10", T),
        ("less_than", 9, "10", F),
        ("greater_than", "9", 10, U),
        ("at_least", 10, 10.0, T),
        ("at_most", 0.1, "0.1", T),
        ("is", 1, True, U),
        ("is", 1, "NaN", U),
        ("is", 1, "1e999", U),
        ("is_not", 1, 2, T),
    ],
)
def test_number_is_compared_as_a_number(
    operator: str, value: Any, fact: object, expected: Truth
) -> None:
    types: FieldTypes = {"person.custom.level": "number"}
    assert decide("person.custom.level", operator, value, fact, types=types) is expected


@pytest.mark.parametrize(
    ("rule", "fact"),
    [
        (Rule("person.nothing", "is", "x"), "x"),
        (Rule("person.team", "matches", "x"), "x"),
        (Rule("person.team", "contains", "x"), "x"),
        (Rule("person.start_date", "is", "x"), TODAY),
        (Rule("person.start_date", "in_next_days", 10**9), TODAY),
        (Rule("person.start_date", "in_next_days", -1), TODAY),
        (Rule("person.team", "in", "x"), "x"),
        (Rule("person.team", "in", ()), "x"),
        (Rule("person.team", "is", None), "x"),
        (Rule("person.team", "is", True), True),
    ],
)
def test_rule_without_sense_cannot_be_told(rule: Rule, fact: object) -> None:
    facts_ = {rule.field: fact}
    assert evaluate(Group(rules=(rule,)), facts_, today=TODAY) is U
    node = trace(Group(rules=(rule,)), facts_, TODAY)
    assert node.result is U
    assert node.reasons()


@pytest.mark.parametrize("today", [date.min, date.max])
@pytest.mark.parametrize("operator", ["in_next_days", "in_last_days"])
def test_days_stop_at_the_ends_of_the_calendar(today: date, operator: str) -> None:
    assert decide("person.start_date", operator, 36_500, today, today=today) is T


def _fixed(truth: Truth) -> Rule:
    return {
        T: Rule("person.team", "is", "a"),
        F: Rule("person.team", "is", "b"),
        U: Rule("person.country", "is", "FRA"),
    }[truth]


@pytest.mark.parametrize("left", list(Truth))
@pytest.mark.parametrize("right", list(Truth))
def test_groups_follow_kleene(left: Truth, right: Truth) -> None:
    order = {F: 0, U: 1, T: 2}
    known = {"person.team": "a"}
    pair = (_fixed(left), _fixed(right))
    both = evaluate(Group("and", False, pair), known, today=TODAY)
    either = evaluate(Group("or", False, pair), known, today=TODAY)
    assert both is min(left, right, key=lambda truth: order[truth])
    assert either is max(left, right, key=lambda truth: order[truth])
    assert evaluate(Group("and", True, pair), known, today=TODAY) is both.negate()


def test_empty_group_is_not_everybody() -> None:
    assert evaluate(Group(), {}, today=TODAY) is U
    assert evaluate(Group(negated=True), {}, today=TODAY) is U
    assert trace(Group(), {}, TODAY).result is U


def test_truth_refuses_to_be_a_boolean() -> None:
    with pytest.raises(TypeError):
        bool(U)


@settings(max_examples=50, deadline=None)
@given(groups(), facts())
def test_evaluate_agrees_with_an_independent_reading(
    group: Group, known: dict[str, object]
) -> None:
    expected = {True: T, False: F, None: U}[oracle(group, known)]
    assert evaluate(group, known, today=TODAY, types=TYPES) is expected


def _nodes(node: TraceNode) -> list[TraceNode]:
    return [node, *(inner for child in node.children for inner in _nodes(child))]


@settings(max_examples=50, deadline=None)
@given(groups(st.one_of(rules(), odd_rules)), facts())
def test_trace_agrees_with_evaluate(group: Group, known: dict[str, object]) -> None:
    node = trace(group, known, TODAY, types=TYPES)
    assert node.result is evaluate(group, known, today=TODAY, types=TYPES)
    assert node.reasons()
    assert node.to_data()["result"] == node.result.value
    assert all(inner.text for inner in _nodes(node))
    assert set(node.missing_fields()) <= {rule.field for _, rule in group.walk_rules()}


def test_trace_says_what_was_found_and_wanted() -> None:
    rule = Rule("person.worker_type", "is", "contractor")
    group = Group(rules=(rule, Rule("person.country", "in", ("FRA", "ESP"))))
    known = {"person.worker_type": "eor_employee"}
    node = trace(group, known, TODAY)
    assert node.reasons() == ["Worker type is EOR Employee, wanted Contractor"]
    unknown = trace(group, {"person.worker_type": "contractor"}, TODAY)
    assert unknown.reasons() == ["Country is missing"]
    assert unknown.missing_fields() == ["person.country"]
    assert unknown.to_data()["rules"][1]["missing"] is True


def test_condition_is_described_in_words() -> None:
    group = Group(
        "and",
        False,
        (
            Rule("person.worker_type", "is", "contractor"),
            Rule("person.country", "in", ("FRA", "ESP")),
        ),
    )
    words = "worker type is Contractor and (country is France or Spain)"
    assert describe_group(group) == words
    assert describe_group(Group("or", True, (Rule("person.team", "is_empty"),))) == (
        "not (team is empty)"
    )
    near = Group(rules=(Rule("person.end_date", "in_next_days", 7),))
    assert describe_group(near) == "end date is today or in the next 7 days"


def test_values_that_only_python_calls_equal_are_different_rules() -> None:
    assert Rule("a", "is", 1) != Rule("a", "is", True)
    one, true = (Group(rules=(Rule("person.custom.n", "is", value),)) for value in (1, True))
    known = {"person.custom.n": 1}
    types: FieldTypes = {"person.custom.n": "number"}
    assert evaluate(one, known, today=TODAY, types=types) is T
    assert evaluate(true, known, today=TODAY, types=types) is U


def test_group_nested_without_end_is_refused() -> None:
    group = Group()
    with pytest.raises(ValueError, match="deeper"):
        for _ in range(1_000):
            group = Group(rules=(group,))


@pytest.mark.slow
def test_ten_thousand_rules_are_decided() -> None:
    wide = Group("or", False, tuple(Rule("person.team", "is", f"t{n}") for n in range(10_000)))
    condition = compile_group(wide)
    assert condition({"person.team": "t9999"}, TODAY) is T
    assert trace(wide, {"person.team": "x"}, TODAY).result is F


_ODD = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        1.5,
        float("nan"),
        [],
        ["sales"],
        {"a": 1},
        " ",
        "Sales",
        "\x00",
        "it's",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(groups(st.one_of(rules(), rules(), odd_rules)), facts(), _ODD)
def test_written_function_says_what_the_closures_say(
    group: Group, known: dict[str, object], odd: object
) -> None:
    for values in (known, dict.fromkeys(known, odd)):
        written = compile_group(group, TYPES)(values, TODAY)
        assert written is _closures(group, TYPES)(values, TODAY)


def test_nothing_a_person_wrote_becomes_source() -> None:
    nasty = "'); raise SystemExit; ('\n    t = 1 #{}"
    for operator in ("is", "is_not", "contains"):
        rule = Rule("person.job_title", operator, nasty)
        group = Group("or", True, (rule, Rule(nasty, "is", nasty), Group()))
        answer = compile_group(group)({"person.job_title": nasty}, TODAY)
        assert answer is trace(group, {"person.job_title": nasty}, TODAY).result


def test_groups_deeper_than_python_nests_are_still_decided() -> None:
    group = Group("and", False, (Rule("person.country", "is", "FRA"),))
    for _ in range(MAX_DEPTH + 20):
        group = Group("or", True, (group, Rule("person.team", "is", "x")))
    known = {"person.country": "FRA", "person.team": "y"}
    assert compile_group(group)(known, TODAY) is trace(group, known, TODAY).result
