"""Somebody starts it for chosen people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from workflows.nodes import NOBODY, TRIGGERS, Occurrence, PlanningWorld, Trigger, Window
from workflows.params import NoParams


@TRIGGERS.register
class ManualTrigger(Trigger):
    """Never fires by itself; see :func:`workflows.runs.runs_start`."""

    key = "manual"
    label = "Started by hand"
    icon = "hand"
    category = "By hand"
    Params = NoParams
    forecastable = False
    reads = ()
    includes_ended = True

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "when somebody starts it"

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """None."""
        return ()

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q:
        """Nobody."""
        return NOBODY
