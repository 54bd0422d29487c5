"""Ask for an approval, wait, go on by the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from workflows.approvers.policy import resolve_spec
from workflows.asking import Question, question_pursue
from workflows.nodes import ACTIONS, APPROVERS, Action, ActionContext, Outcome
from workflows.params import (
    ApproverParam,
    FlagParam,
    KeysParam,
    MappingParam,
    NumberParam,
    ParamsForm,
    TextParam,
    listed,
)
from workflows.problems import Problem, did_you_mean, shown

RULES = ("any", "all", "at_least")
ON_NO_RESPONSE = ("escalate", "reassign", "reject", "expire")
_MOST = 50


class StagesParam(KeysParam):
    """Further stages: a list of approvers or of ``{approver: {…}, rule: …}``."""

    @property
    def control(self) -> str:
        """One approver after the other."""
        return "stages"

    def to_python(self, value: Any) -> Any:
        """A list of mappings; approver_problems looks inside."""
        if value in (None, ""):
            return []
        if not isinstance(value, list | tuple):
            raise forms.ValidationError(f"Expected a list of approvers, found {shown(value)}.")
        return list(value)


class RuleParam(TextParam):
    """``any``, ``all``, ``at_least 2`` or ``{at_least: 2}``."""

    def to_python(self, value: Any) -> Any:
        """Words stay words, a number of people becomes the mapping."""
        if isinstance(value, str) and value.startswith("at_least ") and value[9:].isdecimal():
            value = {"at_least": int(value[9:12])}
        if not isinstance(value, Mapping):
            return super().to_python(value)
        count = value.get("at_least")
        if set(value) != {"at_least"} or isinstance(count, bool) or not isinstance(count, int):
            raise forms.ValidationError("Expected any, all or {at_least: 2}.")
        if not 1 <= count <= _MOST:
            raise forms.ValidationError(f"at_least is a number from 1 to {_MOST}.")
        return dict(value)


class ApprovalParams(ParamsForm):
    """Whom, by when, what if nobody answers."""

    approver = ApproverParam(label="Who is asked")
    fallback = ApproverParam(label="If nobody is found, ask")
    also = StagesParam(required=False, label="Further stages")
    rule = RuleParam(
        required=False,
        label="Who must agree",
        choices=RULES,
        words={"any": "Any one of them", "all": "All of them", "at_least": "At least …"},
        default="any",
    )
    at_least = NumberParam(required=False, label="At least", low=1, high=_MOST, default=1)
    due = MappingParam(
        required=False,
        label="Answer within",
        allowed=("working_days",),
        parts={"working_days": NumberParam(label="Working days", low=1, high=90)},
    )
    remind_every = MappingParam(
        required=False,
        label="Remind every",
        allowed=("working_days",),
        parts={"working_days": NumberParam(label="Working days", low=1, high=90)},
    )
    on_no_response = TextParam(
        required=False,
        label="If nobody answers in time",
        choices=ON_NO_RESPONSE,
        words={
            "escalate": "Ask the next in line",
            "reject": "Take it as a no",
            "expire": "Let it expire",
        },
        default="escalate",
    )
    together = FlagParam(required=False, label="Ask all stages at once")
    bulk = FlagParam(required=False, label="May be approved together with others")
    message = TextParam(required=False, label="Word to the approver", limit=2000)

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Also every approver inside."""
        problems = super().validate(params, path)
        for name in ("approver", "fallback"):
            if isinstance(params.get(name), Mapping):
                problems += approver_problems(params[name], f"{path}.{name}")
        for index, stage in enumerate(listed(params.get("also"))):
            here = f"{path}.also[{index}]"
            if not isinstance(stage, Mapping):
                problems.append(Problem(here, "Expected an approver."))
                continue
            problems += stage_problems(stage, here)
        for name in ("due", "remind_every"):
            value = params.get(name)
            days = value.get("working_days", 1) if isinstance(value, Mapping) else 1
            if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 90:
                problems.append(Problem(f"{path}.{name}.working_days", "A number from 1 to 90."))
        return problems


def stage_problems(stage: Mapping[str, Any], path: str) -> list[Problem]:
    """What is wrong with one further stage."""
    if "approver" not in stage:
        return approver_problems(stage, path)
    known = ("approver", "rule")
    problems = [
        Problem(f"{path}.{key}", f'Unknown key "{key}".{did_you_mean(str(key), known)}')
        for key in stage
        if key not in known
    ]
    try:
        RuleParam(required=False, choices=RULES).clean(stage.get("rule"))
    except forms.ValidationError as error:
        problems.append(Problem(f"{path}.rule", error.messages[0]))
    return [*problems, *approver_problems(stage["approver"], f"{path}.approver")]


def approver_problems(spec: Any, path: str) -> list[Problem]:
    """What is wrong with one approver of a document."""
    if not isinstance(spec, Mapping):
        return [Problem(path, "Expected an approver, as {type: manager}.")]
    kind = str(spec.get("type", ""))
    approver = APPROVERS.get(kind)
    if approver is None:
        hint = did_you_mean(kind, APPROVERS.keys())
        return [Problem(f"{path}.type", f"Unknown approver type “{kind}”.{hint}")]
    own = {key: value for key, value in spec.items() if key != "type"}
    found: list[Problem] = approver.Params.validate(own, path)
    return found


@ACTIONS.register
class ApprovalRequestAction(Action):
    """Silence never approves."""

    key = "approval.request"
    label = "Ask for approval"
    icon = "user-check"
    category = "People"
    Params = ApprovalParams
    harmless = True

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        spec = params.get("approver")
        if not isinstance(spec, Mapping):
            return "ask somebody for approval"
        approver = APPROVERS.get(str(spec.get("type", "")))
        own = {key: value for key, value in spec.items() if key != "type"}
        return f"ask {approver.sentence(own) if approver else 'somebody'} for approval"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Who would be asked."""
        spec = params.get("approver") or {}
        found = resolve_spec(spec, subject=ctx.person, facts=ctx.facts, now=ctx.now)
        if found.people:
            return f"Ask {', '.join(map(str, found.people))} ({found.how})"
        spec = params.get("fallback") or {}
        other = resolve_spec(spec, subject=ctx.person, facts=ctx.facts, now=ctx.now)
        whom = ", ".join(map(str, other.people)) or "nobody can be asked"
        return f"{found.reason} The fallback: {whom}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Ask, remind, count, escalate: whatever is next."""
        return question_pursue(ctx, Question.read(self.Params.read(params)))
