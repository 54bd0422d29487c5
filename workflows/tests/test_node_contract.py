"""What every trigger, action and approver keeps to, whoever adds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.document import parse_document, validate_document
from workflows.document.describe import describe_document
from workflows.nodes import ACTIONS, APPROVERS, TRIGGERS
from workflows.params import ParamsForm
from workflows.problems import Problem
from workflows.vocabulary import VOCABULARY

KINDS = {"trigger": TRIGGERS, "action": ACTIONS, "approver": APPROVERS}

GOOD: dict[str, list[dict[str, Any]]] = {
    "person.start_date": [{}, {"direction": "before", "days": 3, "at": "08:00"}],
    "person.end_date": [{}, {"timezone": "workspace", "late": {"policy": "ask"}}],
    "person.probation_end": [{}],
    "person.birthday": [{}],
    "person.work_anniversary": [{}, {"years": [1, 5, 10]}],
    "person.added": [{}],
    "person.changed": [
        {"field": "country"},
        {"field": "person.country", "from": "FRA", "to": ["ESP", "DEU"]},
        {"field": "custom.level", "to": 3},
    ],
    "request.submitted": [{}, {"service": "laptop"}],
    "date.specific": [{"date": "2026-12-24"}, {"every": {"weekday": "monday"}}],
    "manual": [{}],
    "idp.create_account": [
        {},
        {"connection": "idp", "username": "{{ person.work_email }}", "groups": ["all"]},
    ],
    "idp.suspend_account": [{}, {"connection": "idp"}],
    "idp.reactivate_account": [{}, {"connection": "idp"}],
    "idp.update_account": [{}, {"connection": "idp"}],
    "slack.reopen_access": [{}, {"connection": "slack"}],
    "apps.assign": [{"by": "team"}, {"by": "request"}, {"apps": ["github", "notion"]}],
    "apps.revoke": [{}, {"apps": "all", "except": []}, {"apps": ["a"], "except": ["b"]}],
    "slack.close_access": [{}, {"connection": "slack"}],
    "message.send": [
        {"to": "manager", "channels": ["email", "slack"], "template": "contractor-left"},
        {"to": "#it", "channels": ["slack"], "subject": "s", "body": "{{ person.full_name }}"},
        {"to": "it@acme.test", "body": "x"},
    ],
    "equipment.ship": [
        {"bundle": "laptop"},
        {"bundle": "b", "address_from": "worker", "note": "n"},
    ],
    "equipment.collect": [{"bundle": "laptop"}],
    "approval.request": [
        {"approver": {"type": "manager"}, "fallback": {"type": "role", "name": "hr"}},
        {
            "approver": {"type": "policy", "key": "by-entity"},
            "fallback": {"type": "person", "email": "hr@acme.test"},
            "also": [{"type": "entity_lead"}, {"approver": {"type": "app_owner"}, "rule": "all"}],
            "rule": "at_least 2",
            "due": {"working_days": 3},
            "remind_every": {"working_days": 1},
            "on_no_response": "escalate",
        },
    ],
    "task.create": [{"title": "t"}, {"title": "t", "body": "b", "assignee": "it@acme.test"}],
    "request.set_status": [{"status": "in_progress"}],
    "http.call": [
        {"connection": "hook"},
        {
            "connection": "hook",
            "method": "PUT",
            "path": "/p/{{ person.work_email }}",
            "headers": {"X-A": "b"},
            "body": "{}",
        },
    ],
    "flow.stop": [{}, {"reason": "enough"}],
    "manager": [{}],
    "managers_manager": [{}],
    "person": [{"email": "ana@acme.test"}],
    "role": [{"name": "hr"}],
    "entity_lead": [{}],
    "app_owner": [{}],
    "policy": [{"key": "by-entity"}],
}

BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("trigger", "person.work_anniversary", {"years": ["x"]}, "years"),
    ("trigger", "person.work_anniversary", {"years": [0]}, "years"),
    ("trigger", "person.changed", {}, "field"),
    ("trigger", "person.changed", {"field": "contry"}, "field"),
    ("trigger", "date.specific", {}, ""),
    ("trigger", "date.specific", {"date": "2026-02-30"}, "date"),
    ("trigger", "date.specific", {"date": "2026-12-24", "every": {"weekday": "monday"}}, ""),
    ("trigger", "date.specific", {"every": {"weekday": "mon"}}, ""),
    ("action", "apps.assign", {}, ""),
    ("action", "apps.assign", {"apps": ["a"], "by": "team"}, ""),
    ("action", "apps.assign", {"by": "country"}, "by"),
    ("action", "apps.revoke", {"apps": ["a", 5]}, "apps"),
    ("action", "apps.revoke", {"apps": {"a": 1}}, "apps"),
    ("action", "message.send", {"to": "person"}, ""),
    ("action", "message.send", {"to": "manger", "body": "x"}, "to"),
    ("action", "message.send", {"to": "a@b.test, c@d.test", "body": "x"}, "to"),
    ("action", "message.send", {"to": "person", "body": "x", "channels": ["fax"]}, "channels[0]"),
    ("action", "message.send", {"to": "person", "body": "{{ nobody.x }}"}, "body"),
    ("action", "message.send", {"to": "person", "template": "a", "body": "x"}, ""),
    ("action", "equipment.ship", {}, "bundle"),
    ("action", "approval.request", {}, "approver"),
    ("action", "approval.request", {"approver": {"type": "manager"}}, "fallback"),
    (
        "action",
        "approval.request",
        {"approver": {"type": "manger"}, "fallback": {"type": "manager"}},
        "approver.type",
    ),
    (
        "action",
        "approval.request",
        {"approver": {"type": "manager"}, "fallback": {"type": "role"}},
        "fallback.name",
    ),
    (
        "action",
        "approval.request",
        {
            "approver": {"type": "manager"},
            "fallback": {"type": "manager"},
            "on_no_response": "approve",
        },
        "on_no_response",
    ),
    ("action", "task.create", {}, "title"),
    ("action", "task.create", {"title": "t", "wait_until_done": "yes"}, "wait_until_done"),
    ("action", "request.set_status", {"status": "done"}, "status"),
    ("action", "http.call", {}, "connection"),
    ("action", "http.call", {"connection": "a", "method": "TRACE"}, "method"),
    ("action", "http.call", {"connection": "a", "headers": ["x"]}, "headers"),
    ("action", "http.call", {"connection": "a", "body": "{{ settings.x }}"}, "body"),
    ("approver", "person", {}, "email"),
    ("approver", "role", {"nam": "hr"}, "nam"),
    ("approver", "policy", {}, "key"),
]

ALL = [(kind, key) for kind, registry in KINDS.items() for key in registry.keys()]  # noqa: SIM118
OURS = [(kind, key) for kind, key in ALL if not key.startswith("test.")]


def entry_of(kind: str, key: str) -> Any:
    entry = getattr(VOCABULARY, kind)(key)
    assert entry is not None
    return entry


def test_everything_the_format_names_is_there() -> None:
    assert set(GOOD) == {key for _, key in OURS}


@pytest.mark.parametrize(("kind", "key"), OURS)
def test_node_has_what_the_designer_shows(kind: str, key: str) -> None:
    node = KINDS[kind].get(key)  # type: ignore[attr-defined]
    assert node.key == key
    assert node.label
    assert issubclass(node.Params, ParamsForm)
    assert type(node).__doc__
    node.Params().as_p()
    if kind != "approver":
        assert node.icon
        assert node.category
    if kind == "action" and node.destructive:
        assert node.reversible, "say how it is undone"


@pytest.mark.parametrize(("kind", "key"), OURS)
def test_good_params_pass_and_have_words(kind: str, key: str) -> None:
    entry = entry_of(kind, key)
    for params in GOOD[key]:
        assert entry.validate(params, "params") == []
        words = entry.sentence(params)
        assert words
        assert not words.endswith(".")
        assert "None" not in words
        assert "{" not in words


@pytest.mark.parametrize(("kind", "key", "params", "path"), BAD, ids=str)
def test_bad_params_are_refused_where_they_are_bad(
    kind: str, key: str, params: dict[str, Any], path: str
) -> None:
    problems = entry_of(kind, key).validate(params, "params")
    wanted = f"params.{path}" if path else "params"
    assert problems
    assert any(problem.path.startswith(wanted) for problem in problems), problems
    assert all(problem.message[-1] in ".?" for problem in problems)


@pytest.mark.parametrize(("kind", "key"), OURS)
def test_misspelt_param_is_told_what_was_meant(kind: str, key: str) -> None:
    entry = entry_of(kind, key)
    for params in GOOD[key]:
        for name in params:
            if len(name) < 4 or name in ("direction", "days", "timezone", "late"):
                continue
            wrong = {**params, f"{name}x": params[name]}
            found = [item for item in entry.validate(wrong, "p") if item.path == f"p.{name}x"]
            assert found
            assert name in found[0].message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**30) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "rule", "working_days", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(("kind", "key"), OURS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_params_at_all_give_problems_and_words_but_no_error(
    kind: str, key: str, data: st.DataObject
) -> None:
    entry = entry_of(kind, key)
    names = sorted({name for params in GOOD[key] for name in params} | {"unknown"})
    params = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=len(names)))
    for problem in entry.validate(params, "params"):
        assert isinstance(problem, Problem)
        assert problem.path.startswith("params")
    assert isinstance(entry.sentence(params), str)


@pytest.mark.parametrize("key", ["request.submitted", "manual", "person.end_date"])
def test_days_are_refused_where_they_would_mean_nothing(key: str) -> None:
    trigger = {"type": key, "params": {"direction": "after", "days": 2}}
    document = parse_document({"format": "siit.workflow/1", "key": "a", "trigger": trigger})
    paths = [problem.path for problem in validate_document(document, VOCABULARY)]
    assert ("trigger.params.days" in paths) is (key != "person.end_date")


GALLERY = sorted((Path(__file__).parents[1] / "gallery").glob("*.yaml"))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_gallery_can_be_published_and_read_aloud(path: Path) -> None:
    data = yaml.safe_load(path.read_text())
    if data["format"] != "siit.workflow/1":
        return
    document = parse_document(data)
    problems = validate_document(document, VOCABULARY)
    assert [problem for problem in problems if problem.level == "error"] == []
    words = describe_document(document, VOCABULARY)
    assert "not supported" not in words
