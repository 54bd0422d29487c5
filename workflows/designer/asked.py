"""Who is asked, on a form that is no workflow: the designer's own input and its own reading.

The whole answer travels along as plain data, so that a type that is left as it was keeps what the
form does not know, and a new type begins anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflows.designer.controls import Control, Drawer, Findings
from workflows.designer.posted import Posted, approver_read
from workflows.problems import Problem

PREFIX = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The input, its name on the form, and the answer it was drawn from."""

    name: str
    control: Control
    carried: str

    @property
    def id(self) -> str:
        """The id of the part of the page that is drawn anew."""
        return f"{self.control.id}-part"


def asked_drawn(
    spec: Mapping[str, Any],
    *,
    name: str,
    path: str = "",
    problems: Sequence[Problem] = (),
    without_policy: str = "",
) -> Asked:
    """The input of who is asked. ``without_policy``: the key of a policy that is not offered."""
    base: dict[str, Any] = {
        "name": name,
        "prefix": PREFIX,
        "label": "Approver",
        "help": "",
        "required": True,
    }
    drawer = Drawer(PREFIX, Findings(problems=problems))
    element = Control(kind="", **base).id
    control = drawer.approver(spec, base, path, element)
    if spec.get("type") == "policy" and without_policy:
        control = replace(control, inner=tuple(_offered(control.inner, without_policy)))
    return Asked(name=name, control=control, carried=json.dumps(dict(spec)))


def _offered(controls: Iterable[Control], key: str) -> Iterable[Control]:
    for control in controls:
        kept = (choice for choice in control.choices if choice.key != key or choice.selected)
        yield replace(control, choices=tuple(kept))


def asked_read(values: Mapping[str, Iterable[str]], name: str) -> dict[str, Any]:
    """The answer that was chosen, names turned into keys; what came in pieces counts as nothing."""
    posted = Posted(values)
    try:
        stored = json.loads(posted.one(f"{name}-asked"))
    except (ValueError, RecursionError):
        stored = {}
    found = approver_read(stored if isinstance(stored, dict) else {}, posted, name)
    return dict(found) if isinstance(found, Mapping) else {}
