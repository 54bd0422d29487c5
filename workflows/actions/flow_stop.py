"""End the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.nodes import ACTIONS, Action, ActionContext, Outcome, Stop
from workflows.params import ParamsForm, TextParam


class FlowStopParams(ParamsForm):
    """Why."""

    reason = TextParam(required=False, label="Reason", limit=300)


@ACTIONS.register
class FlowStopAction(Action):
    """The steps after it are not done."""

    key = "flow.stop"
    label = "Stop here"
    icon = "octagon"
    category = "Flow"
    Params = FlowStopParams
    harmless = True

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "stop here"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Stop."""
        return Stop(reason=str(params.get("reason") or "The workflow stops here."))
