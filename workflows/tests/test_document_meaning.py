"""Validation, sentences and differences."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings

from workflows.conditions.check import check_group
from workflows.conditions.tree import Group, Rule
from workflows.document import (
    ActionStep,
    Problem,
    References,
    WaitFor,
    WaitStep,
    WaitUntil,
    WorkflowDocument,
    check_text,
    describe_document,
    diff_documents,
    load_document,
    parse_timing,
    validate_document,
)
from workflows.fields import FieldTypes
from workflows.tests.strategies import TYPES, documents, groups, rules
from workflows.tests.test_document_read import EXAMPLE


@dataclass(frozen=True)
class FakeEntry:
    words: str
    allowed: tuple[str, ...]

    def validate(self, params: dict[str, Any], path: str) -> list[Problem]:
        return [Problem(f"{path}.{key}", "no") for key in params if key not in self.allowed]

    def sentence(self, params: dict[str, Any]) -> str:
        return self.words

    @property
    def label(self) -> str:
        return self.words.capitalize()

    @property
    def destructive(self) -> bool:
        return False

    def chosen(self, params: dict[str, Any]) -> dict[str, str]:
        return {}

    def worded(self, params: dict[str, Any]) -> dict[str, Any]:
        return params


class FakeTrigger(FakeEntry):
    def sentence(self, params: dict[str, Any]) -> str:
        return parse_timing(params, "")[0].sentence("the end date")


_ENTRIES = {
    "trigger": {"person.end_date": FakeTrigger("", ())},
    "action": {
        "apps.revoke": FakeEntry("revoke app access", ("apps", "except")),
        "slack.close_access": FakeEntry("Close Slack access", ("connection",)),
        "message.send": FakeEntry("notify the manager", ("to", "channels", "template")),
        "approval.request": FakeEntry("ask the manager", ("approver", "fallback", "also")),
        "flow.stop": FakeEntry("stop", ("reason",)),
    },
    "approver": {
        "manager": FakeEntry("the manager", ()),
        "role": FakeEntry("a role", ("name",)),
        "policy": FakeEntry("a policy", ("key",)),
    },
}


@dataclass(frozen=True)
class FakeVocabulary:
    references: References | None = None
    field_types: FieldTypes = field(default_factory=dict)

    def trigger(self, key: str) -> FakeEntry | None:
        return _ENTRIES["trigger"].get(key)

    def action(self, key: str) -> FakeEntry | None:
        return _ENTRIES["action"].get(key)

    def approver(self, key: str) -> FakeEntry | None:
        return _ENTRIES["approver"].get(key)

    def keys(self, kind: str) -> Collection[str]:
        return _ENTRIES[kind]


WORDS = FakeVocabulary()


def found(document: WorkflowDocument, vocabulary: FakeVocabulary = WORDS) -> dict[str, str]:
    return {p.path: p.message for p in validate_document(document, vocabulary)}


@pytest.fixture
def example() -> WorkflowDocument:
    return load_document(EXAMPLE)


def test_example_is_valid(example: WorkflowDocument) -> None:
    assert found(example) == {}


def test_unfinished_draft_is_told_what_is_missing() -> None:
    draft = WorkflowDocument("draft", conditions=Group(rules=(Rule("", ""), Group())))
    assert set(found(draft)) == {
        "name",
        "trigger",
        "conditions.rules[0].field",
        "conditions.rules[1]",
        "steps",
    }


def test_workflow_for_everybody_is_a_warning(example: WorkflowDocument) -> None:
    problems = validate_document(replace(example, conditions=None), WORDS)
    assert [(problem.path, problem.level) for problem in problems] == [("conditions", "warning")]


def test_unknown_keys_are_named_with_a_suggestion() -> None:
    text = (
        EXAMPLE.replace("apps.revoke", "app.revoke")
        .replace("type: person.end_date", "type: person.end_dat")
        .replace("{type: manager}", "{type: manger}")
    )
    problems = found(load_document(text))
    assert 'Did you mean "apps.revoke"?' in problems["steps[0].action"]
    assert 'Did you mean "person.end_date"?' in problems["trigger.type"]
    approver = "steps[2].branch.lanes[0].steps[0].params.approver.type"
    assert 'Did you mean "manager"?' in problems[approver]


def test_params_go_to_their_own_entry(example: WorkflowDocument) -> None:
    trigger = replace(example.trigger, params={"days": 200, "nonsense": 1})
    steps = (replace(example.steps[0], params={"aps": 1}),)
    problems = found(replace(example, trigger=trigger, steps=steps))
    assert set(problems) == {
        "trigger.params.days",
        "trigger.params.nonsense",
        "steps[0].params.aps",
    }


def test_approval_needs_an_approver_and_a_fallback(example: WorkflowDocument) -> None:
    step = ActionStep("ask", "approval.request", {"fallback": "it", "also": [{"type": "x"}]})
    problems = found(replace(example, steps=(step,)))
    assert set(problems) == {
        "steps[0].params.approver",
        "steps[0].params.fallback",
        "steps[0].params.also[0].type",
    }


def test_names_that_do_not_exist_are_found() -> None:
    known = References(
        templates=["contractor-lefd"], applications=["github"], roles=["hr"], connections=["slack"]
    )
    text = EXAMPLE.replace("except: []", "except: [github, gitlab]")
    problems = found(load_document(text), FakeVocabulary(known))
    assert set(problems) == {
        "steps[0].params.except[1]",
        "steps[2].branch.lanes[0].steps[0].params.fallback.name",
        "steps[3].params.template",
    }
    assert 'Did you mean "contractor-lefd"?' in problems["steps[3].params.template"]


def test_outcomes_belong_to_approvals(example: WorkflowDocument) -> None:
    step = ActionStep("x", "flow.stop", outcomes={"approved": ()})
    assert set(found(replace(example, steps=(step,)))) == {"steps[0].outcomes"}


def test_lane_that_nobody_reaches_is_found() -> None:
    lane = next(line for line in EXAMPLE.splitlines() if line.strip().startswith("when:"))
    again = f"        - name: Again\n{lane}\n"
    text = EXAMPLE.replace("      otherwise:\n", f"{again}      otherwise:\n")
    assert set(found(load_document(text))) == {"steps[2].branch.lanes[1]"}


@pytest.mark.parametrize("anchor", ["", "person.birthday", "person.date_of_birth", "person.team"])
def test_wait_hangs_on_a_date_of_the_person(example: WorkflowDocument, anchor: str) -> None:
    step = WaitStep("w", WaitUntil(anchor))
    assert set(found(replace(example, steps=(step,)))) == {"steps[0].wait.until.anchor"}


@pytest.mark.parametrize(
    ("rule", "part", "words"),
    [
        (Rule("person.worker_type", "is", "employee"), "value", "Employment type"),
        (Rule("person.worker_type", "is", "EOR Employee"), "value", '"eor_employee"'),
        (Rule("person.worker_type", "is", "contracter"), "value", '"contractor"'),
        (Rule("person.country", "is", "FR"), "value", "Did you mean FRA (France)?"),
        (Rule("person.country", "in", ("ESP", "France")), "value[1]", "FRA (France)"),
        (Rule("person.country", "is", "UK"), "value", "GBR"),
        (Rule("person.country", "is", "Germny"), "value", "DEU (Germany)"),
        (Rule("person.country", "is", "Narnia of old"), "value", "no country code"),
        (Rule("person.contry", "is", "FRA"), "field", '"person.country"'),
        (Rule("person.custom.", "is", "x"), "field", "no field"),
        (Rule("person.team", "contains", "x"), "operator", "no operator"),
        (Rule("person.team", "iss", "x"), "operator", '"is"'),
        (Rule("person.team", "is"), "value", "Choose a value"),
        (Rule("person.team", "is", True), "value", "quotes"),
        (Rule("person.team", "is", ("a", "b")), "value", "one value"),
        (Rule("person.team", "in", "a"), "value", "list"),
        (Rule("person.team", "is_empty", None, *()), "", ""),
        (Rule("person.team", "is_empty", "x"), "value", "no value"),
        (Rule("person.start_date", "is", "2026-02-30"), "value", "calendar"),
        (Rule("person.start_date", "is", "0000-00-00"), "value", "calendar"),
        (Rule("person.start_date", "is", "2026-01-01T10:00:00"), "value", "date like"),
        (Rule("person.start_date", "is", 20260101), "value", "date like"),
        (Rule("person.start_date", "in_next_days", 10**9), "value", "number of days"),
        (Rule("person.start_date", "in_next_days", "7"), "value", "number of days"),
        (Rule("person.custom.level", "greater_than", "9"), "value", "without quotes"),
    ],
)
def test_rule_without_sense_is_explained(rule: Rule, part: str, words: str) -> None:
    problems = check_group(Group(rules=(rule,)), types={"person.custom.level": "number"})
    if not part:
        assert problems == []
        return
    assert [problem.path for problem in problems] == [f"conditions.rules[0].{part}"]
    assert words in problems[0].message


def test_thousands_of_wrong_rules_are_answered_quickly() -> None:
    wrong = tuple(Rule("person.country", "is", f"Frnce{n}") for n in range(2_000))
    started = time.process_time()
    problems = check_group(Group(rules=wrong))
    assert time.process_time() - started < 0.5
    assert len(problems) == 101
    assert "more problems" in problems[-1].message


@settings(max_examples=30, deadline=None)
@given(groups(rules()))
def test_generated_rules_make_sense(group: Group) -> None:
    assert check_group(group, types=TYPES) == []


@settings(max_examples=30, deadline=None)
@given(documents())
def test_any_document_can_be_judged_and_told(document: WorkflowDocument) -> None:
    for problem in validate_document(document, WORDS):
        assert problem.message
    sentence = describe_document(document, WORDS)
    assert sentence.endswith(".")
    assert diff_documents(document, document) == []
    assert diff_documents(document, replace(document, name=document.name + "!"))


@settings(max_examples=30, deadline=None)
@given(documents(), documents())
def test_different_documents_have_a_difference(
    old: WorkflowDocument, new: WorkflowDocument
) -> None:
    assert bool(diff_documents(old, new)) is (old != new)


def test_text_is_judged_for_shape_and_meaning_at_once() -> None:
    text = EXAMPLE.replace("key: revoke", "kye: revoke").replace("ESP", "ES")
    document, problems = check_text(text, WORDS)
    assert document is None
    assert [problem.path for problem in problems] == [
        "steps[0].kye",
        "steps[0].key",
        "conditions.rules[1].rules[0].value[1]",
    ]
    lines = text.splitlines()
    assert all("kye" in lines[(problem.line or 0) - 1] for problem in problems[:2])
    assert "ES]" in lines[(problems[2].line or 0) - 1]
    assert check_text(EXAMPLE, WORDS)[1] == []
    assert check_text("a: [", WORDS)[0] is None


def test_workflow_is_one_sentence(example: WorkflowDocument) -> None:
    group = Group(
        rules=(
            Rule("person.worker_type", "is", "contractor"),
            Rule("person.country", "in", ("FRA", "ESP")),
        )
    )
    steps = (
        ActionStep("a", "apps.revoke"),
        ActionStep("b", "slack.close_access"),
        ActionStep("off", "flow.stop", disabled=True),
        ActionStep("c", "message.send"),
    )
    document = replace(example, conditions=group, steps=steps)
    assert describe_document(document, WORDS) == (
        "On the end date at 18:00 in the person's time zone, if worker type is Contractor and "
        "(country is France or Spain), revoke app access, close Slack access, "
        "then notify the manager."
    )


def test_forks_waits_and_outcomes_are_told(example: WorkflowDocument) -> None:
    sentence = describe_document(example, WORDS)
    assert "wait 2 days" in sentence
    assert "if country is France: ask the manager (if rejected: stop)" in sentence
    assert "otherwise: wait until 1 day after the end date at 09:00" in sentence


def test_differences_are_told_in_words(example: WorkflowDocument) -> None:
    params = {**example.trigger.params, "at": "17:00", "late": {"policy": "ask", "within_days": 3}}
    steps = (
        replace(example.steps[0], params={"apps": ["github"], "except": []}, disabled=True),
        WaitStep("pause", WaitFor(3)),
        example.steps[3],
        example.steps[2],
        ActionStep("last", "flow.stop"),
    )
    new = replace(
        example,
        name="Leaver",
        trigger=replace(example.trigger, params=params),
        conditions=Group(rules=(Rule("person.team", "is", "Sales"),)),
        limits=None,
        steps=steps,
    )
    assert diff_documents(example, new) == [
        "Name: Contractor offboarding → Leaver",
        "When, at: 18:00 → 17:00",
        "When, late, policy: run → ask",
        "Only if: worker type is Contractor and (country is France or Spain or legal entity is "
        "Acme SAS) → team is Sales",
        "Limit, hold above: a mapping → nothing",
        "Step last added (flow.stop)",
        "Step revoke switched off",
        "Step revoke, apps: all → github",
        "Step pause: wait 2 days → wait 3 days",
        "Order of steps: revoke, pause, tell, fork, ask, stop, later",
    ]
