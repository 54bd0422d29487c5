from __future__ import annotations

import json
import time
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.document import (
    ActionStep,
    BranchStep,
    DocumentError,
    Problem,
    WaitStep,
    WorkflowDocument,
    dump_yaml,
    load_document,
    parse_document,
)
from workflows.document.yaml_io import read_text, write_yaml
from workflows.tests.strategies import JSON, documents

EXAMPLE = """\
format: siit.workflow/1
key: contractor-offboarding
name: Contractor offboarding
description: Closes every door on a contractor's last day.
category: IT
owner: it-lead@acme.test
trigger:
  type: person.end_date
  params:
    direction: same_day
    days: 0
    at: "18:00"
    timezone: person
    weekend: keep
    late: {policy: run, within_days: 3}
conditions:
  combinator: and
  not: false
  rules:
    - {field: person.worker_type, operator: is, value: contractor}
    - combinator: or
      rules:
        - {field: person.country, operator: in, value: [FRA, ESP]}
        - {field: person.legal_entity, operator: is, value: Acme SAS}
limits:
  hold_above: {people: 5, percent: 10, per_hours: 24}
steps:
  - {key: revoke, action: apps.revoke, params: {apps: all, except: []}}
  - {key: pause, wait: {for: {days: 2}}}
  - key: fork
    branch:
      lanes:
        - name: French
          when: {combinator: and, rules: [{field: person.country, operator: is, value: FRA}]}
          steps:
            - key: ask
              action: approval.request
              params: {approver: {type: manager}, fallback: {type: role, name: it}}
              outcomes:
                rejected: [{key: stop, action: flow.stop, params: {reason: "No"}}]
      otherwise:
        - {key: later, wait: {until: {anchor: person.end_date, direction: after, days: 1}}}
  - key: tell
    action: message.send
    params: {to: manager, channels: [email, slack], template: contractor-left}
    on_error: continue
"""


def minimal(**more: Any) -> dict[str, Any]:
    return {"format": "siit.workflow/1", "key": "a", "name": "A", "steps": [], **more}


def step(**more: Any) -> dict[str, Any]:
    return {"key": "s", "action": "flow.stop", **more}


def problems_of(data: object) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        parse_document(data)
    return list(caught.value.problems)


def text_problem(text: str | bytes) -> Problem:
    with pytest.raises(DocumentError) as caught:
        load_document(text)
    return caught.value.problems[0]


def test_example_reads_into_its_parts() -> None:
    document = load_document(EXAMPLE)
    assert document.trigger.params["at"] == "18:00"
    assert document.conditions is not None
    assert [rule.field for _, rule in document.conditions.walk_rules()] == [
        "person.worker_type",
        "person.country",
        "person.legal_entity",
    ]
    walked = [(path, step.key) for path, step in document.walk()]
    assert walked == [
        ("steps[0]", "revoke"),
        ("steps[1]", "pause"),
        ("steps[2]", "fork"),
        ("steps[2].branch.lanes[0].steps[0]", "ask"),
        ("steps[2].branch.lanes[0].steps[0].outcomes.rejected[0]", "stop"),
        ("steps[2].branch.otherwise[0]", "later"),
        ("steps[3]", "tell"),
    ]
    kinds = [type(found) for _, found in document.walk()]
    assert kinds[:3] == [ActionStep, WaitStep, BranchStep]
    assert document.step("tell") == document.steps[3]
    assert document.step("nobody") is None


def test_export_of_the_example_imports_unchanged() -> None:
    document = load_document(EXAMPLE)
    assert load_document(dump_yaml(document)) == document
    assert load_document(json.dumps(document.to_data())) == document
    assert parse_document(document.to_data()).to_data() == document.to_data()
    assert load_document(dump_yaml(document).encode()) == document


@settings(max_examples=40, deadline=None)
@given(documents())
def test_export_of_any_document_imports_unchanged(document: WorkflowDocument) -> None:
    data = document.to_data()
    assert parse_document(data) == document
    text = dump_yaml(document)
    again = load_document(text)
    assert again == document
    assert json.dumps(again.to_data()) == json.dumps(data)
    assert dump_yaml(again) == text
    assert load_document(json.dumps(data)) == document


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.just("k"), JSON, min_size=1))
def test_yaml_means_what_was_written(data: dict[str, Any]) -> None:
    assert json.dumps(read_text(write_yaml(data)).data) == json.dumps(data)


def test_exported_data_is_a_copy() -> None:
    document = load_document(EXAMPLE)
    document.to_data()["trigger"]["params"]["late"]["policy"] = "skip"
    assert document.trigger.params["late"]["policy"] == "run"


def test_words_that_old_yaml_takes_for_booleans_stay_text() -> None:
    text = "format: siit.workflow/1\nkey: on\nname: No\nsteps: []\n"
    document = load_document(text)
    assert (document.key, document.name) == ("on", "No")
    assert load_document(dump_yaml(document)) == document


def test_time_without_quotes_stays_a_time() -> None:
    document = load_document(EXAMPLE.replace('"18:00"', "18:00"))
    assert document == load_document(EXAMPLE)


def test_dates_become_iso_text() -> None:
    params = {"date": date(2026, 5, 3), "moment": datetime(2026, 5, 3, 9)}
    document = parse_document(minimal(trigger={"type": "date.specific", "params": params}))
    assert document.trigger.params == {"date": "2026-05-03", "moment": "2026-05-03T09:00:00"}
    text = "format: siit.workflow/1\nkey: a\ntrigger: {type: t, params: {date: 2026-05-03}}\n"
    assert load_document(text).trigger.params == {"date": "2026-05-03"}


def test_all_problems_are_told_at_once_with_their_paths() -> None:
    found = problems_of(
        minimal(
            nmae="x",
            owner="nobody",
            limits={"hold_above": {"percent": 200}},
            conditions={"combinator": "xor", "rules": [{"field": 3, "operater": "is"}]},
            steps=[
                step(on_error="ignore"),
                step(),
                {"key": "b"},
                {"key": "c", "wait": {"for": {"days": 0}}},
                {"key": "Bad Key", "action": True, "params": []},
            ],
        )
    )
    by_path = {problem.path: problem.message for problem in found}
    assert set(by_path) == {
        "nmae",
        "owner",
        "limits.hold_above.percent",
        "conditions.combinator",
        "conditions.rules[0].field",
        "conditions.rules[0].operater",
        "steps[0].on_error",
        "steps[1].key",
        "steps[2]",
        "steps[3].wait.for.days",
        "steps[4].key",
        "steps[4].action",
        "steps[4].params",
    }
    assert 'Did you mean "name"?' in by_path["nmae"]
    assert 'Did you mean "operator"?' in by_path["conditions.rules[0].operater"]
    assert "taken by steps[0]" in by_path["steps[1].key"]
    assert "quotes" in by_path["steps[4].action"]


def test_problem_carries_its_line() -> None:
    problem = text_problem(EXAMPLE.replace("on_error: continue", "on_error: ignore"))
    assert problem.path == "steps[3].on_error"
    line = problem.line or 0
    assert EXAMPLE.splitlines()[line - 1].strip().startswith("on_error")


def test_step_keys_are_unique_across_lanes() -> None:
    text = EXAMPLE.replace("key: later", "key: revoke")
    assert text_problem(text).path == "steps[2].branch.otherwise[0].key"


@pytest.mark.parametrize("data", [None, 1, "x", [], [1], {}, {"format": "siit.workflow/2"}])
def test_what_is_no_document_is_refused(data: object) -> None:
    assert problems_of(data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("a: [", "Not valid YAML"),
        ("a: 1\na: 2", '"a" stands twice'),
        ('{"a": 1, "a": 2}', '"a" stands twice'),
        ("a: &x [1]\nb: *x", "Anchors"),
        ("b: *x", "Aliases"),
        ("a: !!python/object/apply:os.system ['true']", "Tags"),
        ("a: !x 1", "Tags"),
        ("--- {a: 1}\n--- {b: 2}", "More than one document"),
        ("? [a]\n: 1", "key must be text"),
        ("a: .inf", "no values"),
        ("a: -.nan\nb: .NaN", "no values"),
        ("a: " + "9" * 5_000, "no values"),
        ("a: " + "9" * 400 + ".0", "no values"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1e999}', "Infinity"),
        ('{"a": ' + "9" * 5_000 + "}", "digits"),
        ('{"a": ' + "9" * 20 + "}", "too large"),
        ("a: x\x00y", "NUL"),
        ('a: "x\\0y"', "NUL"),
        ('{"a": "x\\u0000y"}', "NUL"),
        ('{"a\\u0000": 1}', "NUL"),
        ("a: \ud800", "half a character"),
        ('{"a": "\\ud800"}', "half a character"),
        ("a: \x1b", "Not valid YAML"),
        (b"\xff\xfea\x00", "UTF-8"),
        ("[" * 200_000, "Nested deeper"),
        ("{a: " * 1_000, "Nested deeper"),
        ('{"a":' * 1_000 + "1" + "}" * 1_000, "Nested deeper"),
        ("- " * 1_000 + "x", "Nested deeper"),
        ("x" * (256 * 1024 + 1), "256 kB"),
        ("é" * (200 * 1024), "256 kB"),
        ("[" + "1," * 30_000 + "1]", "10000 values"),
        ("a:\n" + "- 1\n" * 30_000, "10000 values"),
    ],
)
def test_hostile_text_is_refused_quickly_and_clearly(text: str | bytes, words: str) -> None:
    started = time.process_time()
    with pytest.raises(DocumentError) as caught:
        load_document(text)
    spent = time.process_time() - started
    assert words in str(caught.value)
    str(caught.value).encode()
    assert spent < 0.5


def test_alias_bomb_of_yaml_and_of_objects_is_refused() -> None:
    bomb = "a: &a [x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    assert "Anchors" in text_problem(bomb).message
    shared: list[Any] = ["x"] * 9
    for _ in range(9):
        shared = [shared] * 9
    assert "More than" in problems_of(minimal(steps=shared))[0].message


def test_data_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["trigger"] = loop
    assert "deeper" in problems_of(loop)[0].message


@pytest.mark.parametrize("bad", [{1, 2}, b"x", 2**60, float("nan"), object(), {3: 4}, "\ud800"])
def test_value_that_json_cannot_hold_is_refused(bad: object) -> None:
    found = problems_of(minimal(trigger={"type": "manual", "params": {"x": bad}}))
    assert found[0].path.startswith("trigger.params.x")


def _nested_groups(depth: int) -> dict[str, Any]:
    group: dict[str, Any] = {"rules": [{"field": "person.team", "operator": "is_empty"}]}
    for _ in range(depth - 1):
        group = {"combinator": "or", "rules": [group]}
    return group


def test_groups_nest_eight_deep_and_no_deeper() -> None:
    document = parse_document(minimal(conditions=_nested_groups(8)))
    assert document.conditions is not None
    assert document.conditions.depth == 8
    assert "8 deep" in problems_of(minimal(conditions=_nested_groups(9)))[0].message
    assert "deeper" in problems_of(minimal(conditions=_nested_groups(1_000)))[0].message


def _nested_lanes(depth: int) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [step(key="inner")]
    for level in range(depth):
        branch = {"lanes": [{"name": "l", "steps": steps}]}
        steps = [{"key": f"b{level}", "branch": branch}]
    return steps


def test_lanes_nest_eight_deep_and_no_deeper() -> None:
    assert len(list(parse_document(minimal(steps=_nested_lanes(8))).walk())) == 9
    assert "8 deep" in problems_of(minimal(steps=_nested_lanes(9)))[0].message


def test_two_hundred_steps_are_enough() -> None:
    steps = [step(key=f"s{n}") for n in range(201)]
    assert len(parse_document(minimal(steps=steps[:200])).steps) == 200
    assert problems_of(minimal(steps=steps))[0].path == "steps"


def test_error_keeps_what_could_be_read() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(minimal(steps=[{"key": "x"}, step()]))
    partial = caught.value.partial
    assert isinstance(partial, WorkflowDocument)
    assert [found.key for found in partial.steps] == ["", "s"]


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["format", "key", "name", "trigger", "conditions", "limits", "steps", "stesp"]
        ),
        JSON,
    )
)
def test_nothing_but_a_document_error_comes_of_bad_data(data: dict[str, Any]) -> None:
    try:
        document = parse_document(data)
    except DocumentError as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)
    else:
        assert parse_document(document.to_data()) == document


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60)))
def test_nothing_but_a_document_error_comes_of_bad_text(text: str | bytes) -> None:
    with pytest.raises(DocumentError):
        load_document(text)
