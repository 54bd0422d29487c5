"""The designer's verbs on documents alone: any sequence keeps a draft that can be read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.designer import rules, steps
from workflows.designer.errors import EditRefusedError
from workflows.designer.posted import Posted
from workflows.designer.verbs import VERBS, edit
from workflows.document import WorkflowDocument, dump_yaml, load_document, parse_document
from workflows.nodes import ACTIONS, TRIGGERS
from workflows.tests.strategies import FIELD_KEYS, documents

KINDS = ["wait", "branch", *ACTIONS.keys()]


def sent(**values: str | list[str]) -> Posted:
    """What a form sends."""
    lists = {name: [value] if isinstance(value, str) else value for name, value in values.items()}
    return Posted({name.replace("__", "."): found for name, found in lists.items()})


def _steps(document: WorkflowDocument) -> list[str]:
    return [step.key for _, step in document.walk()]


def _places(data: dict[str, Any]) -> list[str]:
    found = [""]
    for item in steps.walk(data["steps"]):
        found += [place for place, _ in steps.places_inside(item.step)]
    return found


def _rows(data: dict[str, Any]) -> list[str]:
    """Every row of every condition, as its buttons send it."""
    hosts = ["conditions", *(f"{item.step['key']}/when" for item in steps.walk(data["steps"]))]
    for item in steps.walk(data["steps"]):
        for place, _ in steps.places_inside(item.step):
            if "/lane/" in place:
                hosts.append(place)
    found = []
    for host in hosts:
        owner, name = steps.host_of(data, host)
        if owner.get(name) is not None:
            found += [f"{host}:{path}" for path in _below(owner[name], "")]
    return found or ["conditions:"]


def _below(group: dict[str, Any], path: str) -> list[str]:
    found = [path]
    for index, entry in enumerate(group.get("rules", [])):
        here = f"{path}.{index}" if path else str(index)
        found += _below(entry, here) if rules.is_group(entry) else [here]
    return found


@dataclass(frozen=True)
class Press:
    """One button with what its form held."""

    verb: str
    posted: dict[str, list[str]]


@st.composite
def presses(draw: st.DrawFn, document: WorkflowDocument) -> Press:
    """Any button of the page, and now and then one that is not there any more."""
    data = document.to_data()
    keys = [*_steps(document), "gone"]
    key = draw(st.sampled_from(keys))
    row = draw(st.sampled_from([*_rows(data), "conditions:9"]))
    values = {
        "step": key,
        "row": row,
        "host": row.partition(":")[0],
        "lane": draw(st.sampled_from([f"{key}/lane/0", f"{key}/approved", f"{key}/lane/7"])),
        "kind": draw(st.sampled_from(KINDS)),
        "place": draw(st.sampled_from(_places(data))),
        "outcome": draw(st.sampled_from(["approved", "rejected", "expired"])),
        "to": str(draw(st.integers(0, 6))),
    }
    if draw(st.booleans()):
        values["go"] = draw(st.sampled_from(["up", "down"]))
    elif draw(st.booleans()):
        values["into"] = draw(st.sampled_from(_places(data)))
    card = draw(st.sampled_from(["", "", "conditions", "trigger", "about", f"step:{key}"]))
    if card == "trigger":
        values |= {"card": card, "trigger.type": draw(st.sampled_from(TRIGGERS.keys()))}
    elif card == "conditions":
        values |= {
            "card": card,
            "row.mode": draw(st.sampled_from(list(rules.MODES))),
            "row.0.field": draw(st.sampled_from(FIELD_KEYS)),
            "row.0.operator": draw(st.sampled_from(["is", "in", "is_empty", "in_next_days"])),
            "row.0.value": draw(st.sampled_from(["7", "Sales", "2026-01-31", ""])),
        }
    elif card:
        values |= {"card": card, "about.name": draw(st.sampled_from(["", "A", "Ünï"]))}
    verb = draw(st.sampled_from(sorted(VERBS)))
    return Press(verb, {name: [value] for name, value in values.items()})


@pytest.mark.slow
@pytest.mark.django_db
@given(st.data(), documents())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_verbs_keeps_a_draft_that_reads_back(
    data: st.DataObject, document: WorkflowDocument
) -> None:
    for _ in range(data.draw(st.integers(1, 5))):
        press = data.draw(presses(document))
        before = document.to_data()
        try:
            document = edit(before, press.verb, Posted(press.posted)).document
        except EditRefusedError as refused:
            assert str(refused)
        assert before == parse_document(before).to_data()
        assert parse_document(document.to_data()) == document
        assert load_document(dump_yaml(document)) == document
        keys = _steps(document)
        assert len(keys) == len(set(keys))


@pytest.mark.slow
@given(st.data(), documents())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_moving_a_step_and_back_changes_nothing(
    data: st.DataObject, document: WorkflowDocument
) -> None:
    keys = _steps(document)
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    draft = document.to_data()
    found = steps.step_find(draft, key)
    place, index = found.place, found.index
    target = data.draw(st.sampled_from(_places(draft)))
    try:
        steps.step_move(draft, key, to=data.draw(st.integers(0, 5)), place=target)
    except EditRefusedError:
        assert target.startswith(f"{key}/") or target
    else:
        steps.step_move(draft, key, to=index, place=place)
    assert parse_document(draft) == document


def _document(*keys: str) -> dict[str, Any]:
    found: Sequence[dict[str, Any]] = [{"key": key, "action": "apps.revoke"} for key in keys]
    return {"format": "siit.workflow/1", "key": "a", "name": "A", "steps": list(found)}


def test_moving_past_the_end_says_so_and_changes_nothing() -> None:
    edited = edit(_document("a", "b"), "move-step", sent(step="a", go="up"))
    assert edited.said.words == "It is the first step already"
    assert _steps(edited.document) == ["a", "b"]


def test_moving_announces_the_new_position_and_keeps_the_focus_on_the_button() -> None:
    edited = edit(_document("a", "b", "c", "d"), "move-step", sent(step="a", go="down"))
    assert edited.said.words == "Moved to position 2 of 4"
    assert edited.said.focus == "step-a-down"
    assert _steps(edited.document) == ["b", "a", "c", "d"]


def test_a_step_goes_into_a_lane_but_never_into_itself() -> None:
    data = _document("a", "b")
    data = edit(data, "add-step", sent(kind="approval.request")).document.to_data()
    data = edit(data, "add-outcome", sent(step="approval", outcome="rejected")).document.to_data()
    moved = edit(data, "move-step", sent(step="b", into="approval/rejected", to="1")).document
    assert _steps(moved) == ["a", "approval", "b"]
    with pytest.raises(EditRefusedError, match="into itself"):
        edit(data, "move-step", sent(step="approval", into="approval/rejected", to="1"))


def test_a_copy_of_a_branch_has_keys_of_its_own() -> None:
    data = _document("a")
    data = edit(data, "add-step", sent(kind="branch")).document.to_data()
    data = edit(data, "add-step", sent(kind="wait", place="branch/lane/0")).document.to_data()
    twin = edit(data, "duplicate-step", sent(step="branch")).document
    assert _steps(twin) == ["a", "branch", "wait", "branch-2", "wait-2"]


def test_a_new_field_keeps_an_operator_that_fits_and_drops_the_value() -> None:
    data = _document("a")
    rule = {"field": "person.team", "operator": "in", "value": ["Sales"]}
    data["conditions"] = {"combinator": "and", "rules": [rule]}
    posted = sent(card="conditions", row__0__field="person.country", row__0__operator="in")
    changed = edit(data, "save", posted).document.to_data()["conditions"]["rules"]
    assert changed == [{"field": "person.country", "operator": "in"}]
    posted = sent(card="conditions", row__0__field="person.start_date", row__0__operator="in")
    changed = edit(data, "save", posted).document.to_data()["conditions"]["rules"]
    assert changed == [{"field": "person.start_date", "operator": "is"}]


def test_one_value_becomes_a_list_and_a_list_its_first() -> None:
    data = _document("a")
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    data["conditions"] = {"combinator": "and", "rules": [rule]}
    many = edit(data, "save", sent(card="conditions", row__0__operator="in")).document.to_data()
    assert many["conditions"]["rules"][0]["value"] == ["contractor"]
    one = edit(many, "save", sent(card="conditions", row__0__operator="is")).document.to_data()
    assert one["conditions"]["rules"][0]["value"] == "contractor"


def test_groups_stop_at_the_depth_that_documents_may_have() -> None:
    data = _document("a")
    data["conditions"] = {"combinator": "and", "rules": []}
    path = ""
    for _ in range(7):
        data = edit(data, "add-group", sent(row=f"conditions:{path}")).document.to_data()
        path = f"{path}.1" if path else "0"
    with pytest.raises(EditRefusedError, match="8 deep"):
        edit(data, "add-group", sent(row=f"conditions:{path}"))


def test_turning_to_the_same_day_forgets_the_number_of_days() -> None:
    data = _document("a")
    params = {"direction": "before", "days": 3, "at": "08:00"}
    data["trigger"] = {"type": "person.start_date", "params": params}
    posted = sent(
        card="trigger", timing__direction="same_day", timing__days="3", timing__at="08:00"
    )
    changed = edit(data, "save", posted).document
    assert changed.trigger.params == {"direction": "same_day", "days": 0, "at": "08:00"}


def test_another_trigger_keeps_the_moment_and_drops_what_was_its_own() -> None:
    data = _document("a")
    data["trigger"] = {"type": "person.work_anniversary", "params": {"at": "07:30", "years": [5]}}
    posted = sent(card="trigger", trigger__type="person.birthday")
    params = edit(data, "save", posted).document.trigger.params
    assert params["at"] == "07:30"
    assert "years" not in params
    posted = sent(card="trigger", trigger__type="manual")
    assert edit(data, "save", posted).document.trigger.params == {}


def test_what_is_no_shape_of_a_document_is_refused_with_its_name() -> None:
    data = _document("a")
    data = edit(data, "add-step", sent(kind="wait")).document.to_data()
    with pytest.raises(EditRefusedError, match="Days: Expected a whole number from 1 to 366"):
        edit(data, "save", sent(card="step:wait", wait__days="soon"))
