"""An approver policy: rules in order, the first match wins, a baseline is always there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.tree import parse_group
from workflows.models import ApproverPolicy
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import ParamsForm, TextParam
from workflows.timing import zone_of

_DEEPEST = 4


class PolicyParams(ParamsForm):
    """Which."""

    key = TextParam(label="Policy", limit=60, picks="policy")


def resolve_spec(
    spec: Mapping[str, Any],
    *,
    subject: Person,
    facts: Mapping[str, Any],
    now: datetime,
    depth: int = 0,
) -> Resolution:
    """Resolve ``{type: …}`` as it stands in a document; an unknown type is a reason, no error."""
    approver = APPROVERS.get(str(spec.get("type", "")))
    if approver is None:
        return Resolution(reason=f"Unknown approver type {spec.get('type')!r}.")
    params = {key: value for key, value in spec.items() if key != "type"}
    if isinstance(approver, PolicyApprover):
        return approver.resolve_at(params, subject=subject, facts=facts, now=now, depth=depth)
    return approver.resolve(params, subject=subject, facts=facts, now=now)


@APPROVERS.register
class PolicyApprover(Approver):
    """By rules over the person and the request."""

    key = "policy"
    label = "Approver policy"
    Params = PolicyParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"whom the policy “{params.get('key', '')}” names"

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """Whom the first matching rule names; the baseline where none matches."""
        return self.resolve_at(params, subject=subject, facts=facts, now=now, depth=0)

    def resolve_at(
        self,
        params: Mapping[str, Any],
        *,
        subject: Person,
        facts: Mapping[str, Any],
        now: datetime,
        depth: int,
    ) -> Resolution:
        """The same with a count of policies inside policies, which may form a circle."""
        if depth >= _DEEPEST:
            return Resolution(reason="The policies refer to each other in a circle.")
        key = str(params.get("key", ""))
        policy = ApproverPolicy.objects.filter(key=key).first()
        if policy is None:
            return Resolution(reason=f"There is no approver policy {key}.")
        spec, how = self._choose(policy, facts, now)
        found = resolve_spec(spec, subject=subject, facts=facts, now=now, depth=depth + 1)
        return replace(found, how=f"{found.how} ({how} of {policy})" if found.how else how)

    def _choose(
        self, policy: ApproverPolicy, facts: Mapping[str, Any], now: datetime
    ) -> tuple[Mapping[str, Any], str]:
        today = now.astimezone(zone_of(str(facts.get("person.timezone") or "UTC"))).date()
        for number, rule in enumerate(policy.rules, start=1):
            group, reader = parse_group(rule.get("when"), "when")
            if not reader.problems and compile_group(group)(facts, today) is Truth.TRUE:
                return rule["approver"], f"rule {number}"
        return policy.baseline, "the baseline"
