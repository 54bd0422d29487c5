"""People whom two workflows hit with opposite actions on one application or account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from workflows.gap_plan import AHEAD, NEAR, Coming, LiveWorkflow, Outlook
from workflows.params import listed

if TYPE_CHECKING:
    from datetime import timedelta

ANY = "*"
_SAME_DAY = 1
_SIGNS: dict[str, tuple[str, bool]] = {
    "apps.assign": ("app", True),
    "apps.revoke": ("app", False),
    "idp.create_account": ("account", True),
    "idp.reactivate_account": ("account", True),
    "idp.suspend_account": ("account", False),
    "slack.reopen_access": ("Slack", True),
    "slack.close_access": ("Slack", False),
}


@dataclass(frozen=True, slots=True)
class Touch:
    """One thing that a workflow gives (or takes): an application's key, an account, Slack."""

    kind: str
    target: str
    gives: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """Two moments that undo each other for one person."""

    person_id: int
    first: Coming
    second: Coming
    what: str


def collisions(outlook: Outlook) -> list[Collision]:
    """Each pair once, the soonest first."""
    touches = {one.workflow.pk: frozenset(_touches(one)) for one in outlook.live}
    people: dict[int, list[Coming]] = {}
    for coming in outlook.coming:
        near = outlook.now - NEAR <= coming.at <= outlook.now + AHEAD + NEAR
        if near and touches[coming.workflow.workflow.pk]:
            people.setdefault(coming.person_id, []).append(coming)
    found = [
        collision
        for person_id, moments in people.items()
        for collision in _of_person(person_id, moments, touches)
    ]
    return sorted(found, key=lambda item: (item.second.at, item.person_id))


def _touches(one: LiveWorkflow) -> Iterator[Touch]:
    for step in one.actions():
        if step.action not in _SIGNS:
            continue
        kind, gives = _SIGNS[step.action]
        for target in _targets(kind, step.params):
            yield Touch(kind, target, gives)


def _targets(kind: str, params: dict[str, Any]) -> list[str]:
    if kind != "app":
        return [str(params.get("connection") or ANY)]
    apps = params.get("apps")
    # Everything, or whatever the team is entitled to: it may be any of them.
    return [ANY] if apps in (None, "", "all", []) else [str(key) for key in listed(apps)]


def _of_person(
    person_id: int, moments: list[Coming], touches: dict[int, frozenset[Touch]]
) -> Iterator[Collision]:
    moments.sort(key=lambda item: item.at)
    for first, second in combinations(moments, 2):
        if first.workflow.workflow.pk == second.workflow.workflow.pk:
            continue
        apart = second.at - first.at
        what = _opposite(
            touches[first.workflow.workflow.pk], touches[second.workflow.workflow.pk], apart=apart
        )
        if what:
            yield Collision(person_id=person_id, first=first, second=second, what=what)


def _opposite(first: frozenset[Touch], second: frozenset[Touch], *, apart: timedelta) -> str:
    """What both touch in opposite ways, in words; empty for nothing or too far apart."""
    for one in sorted(first, key=str):
        for other in sorted(second, key=str):
            if one.kind != other.kind or one.gives == other.gives:
                continue
            limit = NEAR if one.kind == "app" else NEAR / NEAR.days * _SAME_DAY
            if apart > limit:
                continue
            shared = one.target if other.target == ANY else other.target
            if ANY not in (one.target, other.target) and one.target != other.target:
                continue
            if one.kind != "app":
                return "the account" if one.kind == "account" else one.kind
            return "applications" if shared == ANY else f"the application {shared}"
    return ""
