"""Read the fields of one card into the draft. Pure, on plain data; `data` is changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.designer.errors import EditRefusedError
from workflows.designer.forms import (
    AboutForm,
    BranchForm,
    LaneForm,
    LimitsForm,
    StepForm,
    TimingForm,
    WaitForForm,
    WaitUntilForm,
    WeekLimitsForm,
    value_param,
)
from workflows.designer.picks import FIELD_PICKS
from workflows.designer.posted import Posted, params_read, value_read
from workflows.designer.rules import MODES, is_group, mode_of, mode_set
from workflows.designer.steps import host_of, lane_find, step_find
from workflows.document.shape import Data
from workflows.document.timing import COMMON_PARAMS, Timing, own_params
from workflows.fields import NO_TYPES, FieldTypes, field_spec
from workflows.nodes import ACTIONS, TRIGGERS
from workflows.operators import OPERATORS, OPERATORS_BY_TYPE
from workflows.params import ParamsForm

LIMITS: tuple[tuple[str, type[ParamsForm], str], ...] = (
    ("hold_above", LimitsForm, "limits"),
    ("hold_above_week", WeekLimitsForm, "week"),
)
"""Name in the document, its inputs, and what their names begin with."""


def card_read(data: Data, posted: Posted, *, types: FieldTypes = NO_TYPES) -> None:
    """Take over what the card that was sent holds; "card" names it, nothing: no card was sent."""
    kind, _, where = posted.one("card").partition(":")
    if kind == "about":
        _about(data, posted)
    elif kind == "trigger":
        _trigger(data, posted)
    elif kind == "conditions":
        tree_read(data, "conditions", posted, types=types)
    elif kind == "step":
        _step(data, where, posted, types)
    elif kind == "lane":
        _lane(data, where, posted, types)


def _about(data: Data, posted: Posted) -> None:
    names = AboutForm.names()
    found = params_read(
        AboutForm, {name: data[name] for name in names if data.get(name)}, posted, "about"
    )
    for name in names:
        data[name] = found.get(name, "")
    limits = dict(data.get("limits") or {})
    for name, form, prefix in LIMITS:
        stored = limits.get(name) or {}
        read = params_read(form, stored, posted, prefix)
        if read:
            limits[name] = read
        elif stored:
            limits.pop(name)
    if limits:
        data["limits"] = limits
    elif data.get("limits"):
        data.pop("limits")


def _trigger(data: Data, posted: Posted) -> None:
    stored = data.get("trigger") or {}
    params = dict(stored.get("params") or {})
    kind = posted.one("trigger.type", stored.get("type", ""))
    trigger = TRIGGERS.get(kind)
    if kind != stored.get("type", ""):
        timing = {name: params[name] for name in COMMON_PARAMS if name in params}
        dated = trigger is not None and (trigger.forecastable or bool(trigger.offset))
        data["trigger"] = {"type": kind, "params": Timing().to_params() | timing if dated else {}}
        return
    own = own_params(params)
    timing = {name: value for name, value in params.items() if name in COMMON_PARAMS}
    if trigger is not None:
        own = params_read(trigger.Params, own, posted, "trigger")
    timing = same_day_is_zero(timing, params_read(TimingForm, timing, posted, "timing"))
    data["trigger"] = {"type": kind, "params": timing | own}


def same_day_is_zero(before: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Who turns to “on the day” means no days away, whatever number stood there."""
    turned = before.get("direction", "same_day") != "same_day"
    if turned and after.get("direction", "same_day") == "same_day":
        return after | {"days": 0}
    return after


def _step(data: Data, key: str, posted: Posted, types: FieldTypes) -> None:
    step = step_find(data, key).step
    if "wait" in step:
        step["wait"] = _wait(step["wait"], posted)
    elif "branch" in step:
        step["branch"] |= params_read(
            BranchForm, {"mode": step["branch"].get("mode")}, posted, "branch"
        )
    else:
        _action(step, posted)
    if "branch" not in step:
        known = ("on_date_change",) if "wait" in step else ("on_error", "on_date_change")
        options = {name: step[name] for name in known if step.get(name)}
        found = params_read(StepForm, options, posted, "option")
        for name in known:
            step.pop(name, None)
            if name in found:
                step[name] = found[name]
    if step.get("when") is not None:
        tree_read(data, f"{key}/when", posted, types=types)


def _action(step: Data, posted: Posted) -> None:
    action = ACTIONS.get(step["action"])
    if action is None:
        return
    params = params_read(action.Params, step.get("params") or {}, posted, "params")
    for name in posted.all("drop"):
        params.pop(name, None)
    step.pop("params", None)
    if params:
        step["params"] = params


def _wait(wait: Data, posted: Posted) -> Data:
    kind = "until" if "until" in wait else "for"
    wanted = posted.one("wait.kind", kind)
    if wanted not in ("for", "until"):
        raise EditRefusedError("A wait is for some days or until a date.")
    if wanted != kind:
        if wanted == "for":
            return {"for": {"days": 1}}
        until = {"anchor": "person.end_date", "direction": "same_day", "days": 0, "at": "09:00"}
        return {"until": until}
    if kind == "for":
        return {"for": params_read(WaitForForm, wait["for"], posted, "wait")}
    before = wait["until"]
    return {"until": same_day_is_zero(before, params_read(WaitUntilForm, before, posted, "wait"))}


def _lane(data: Data, where: str, posted: Posted, types: FieldTypes) -> None:
    key, _, rest = where.partition("/")
    number = rest.rpartition("/")[2]
    lane = lane_find(data, key, int(number) if number.isdecimal() else -1)
    lane["name"] = params_read(LaneForm, {"name": lane.get("name", "")}, posted, "lane").get(
        "name", ""
    )
    if lane.get("when") is not None:
        tree_read(data, where, posted, types=types)


def row_name(path: str, part: str) -> str:
    """The name of an input of a condition's row."""
    return f"row.{path}.{part}" if path else f"row.{part}"


def tree_read(data: Data, host: str, posted: Posted, *, types: FieldTypes = NO_TYPES) -> None:
    """Take over every row of one condition tree."""
    owner, name = host_of(data, host)
    if owner.get(name) is not None:
        _group_read(owner[name], "", posted, types)


def _group_read(group: Data, path: str, posted: Posted, types: FieldTypes) -> None:
    mode = posted.one(row_name(path, "mode"))
    if mode in MODES and mode != mode_of(group):
        mode_set(group, "", mode)
    for index, entry in enumerate(group.get("rules", [])):
        below = f"{path}.{index}" if path else str(index)
        if is_group(entry):
            _group_read(entry, below, posted, types)
        else:
            _rule_read(entry, below, posted, types)


def _rule_read(rule: Data, path: str, posted: Posted, types: FieldTypes) -> None:
    field = posted.one(row_name(path, "field"), rule.get("field", ""))
    operator = posted.one(row_name(path, "operator"), rule.get("operator", ""))
    if field != rule.get("field", ""):
        spec = field_spec(field, types)
        offered = OPERATORS_BY_TYPE[spec.type] if spec else ()
        rule.clear()
        rule |= {
            "field": field,
            "operator": operator if operator in offered else (*offered, "is")[0],
        }
        return
    stored = rule.get("operator", "")
    value = _value_read(rule, stored, path, posted, types)
    if operator != stored:
        value = _converted(value, stored, operator)
        rule["operator"] = operator
    rule.pop("value", None)
    if value is not None:
        rule["value"] = value


def _value_read(rule: Data, operator: str, path: str, posted: Posted, types: FieldTypes) -> Any:
    spec = field_spec(rule.get("field", ""), types)
    stored = rule.get("value")
    param = value_param(spec, operator, picks=FIELD_PICKS.get(rule.get("field", ""), ""))
    name = row_name(path, "value")
    sent = posted.has(name) or posted.has(f"{name}.shown")
    return value_read(param, stored, posted, name) if param is not None and sent else stored


def _converted(value: Any, before: str, after: str) -> Any:
    """What stays of a value under another operator."""
    old, new = OPERATORS.get(before), OPERATORS.get(after)
    if new is None or new.takes == "none":
        return None
    if old is not None and "days" in (old.takes, new.takes):
        return value if old.takes == new.takes else None
    if new.takes == "many":
        return value if isinstance(value, list) else None if value is None else [value]
    return (value[0] if value else None) if isinstance(value, list) else value
