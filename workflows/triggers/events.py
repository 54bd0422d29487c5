"""What triggers on something that just happened share: at once, or some days after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows.document.timing import parse_timing
from workflows.nodes import Happening, PlannedPerson, PlanningWorld
from workflows.timing import zone_of
from workflows.triggers.dates import due_moment


def event_moment(
    event: Happening, params: Mapping[str, Any], person: PlannedPerson, world: PlanningWorld
) -> tuple[datetime | None, str]:
    """The moment (UTC) and its zone: at once, else N days after the day it happened on there."""
    timing = parse_timing(params, "trigger.params")[0]
    if timing.offset_days <= 0:
        return event.at, person.timezone
    zones = {"person": person.timezone, "workspace": world.workspace_timezone}
    zone = zones.get(timing.timezone, timing.timezone)
    return due_moment(event.at.astimezone(zone_of(zone)).date(), timing, person, world)


def event_sentence(words: str, params: Mapping[str, Any]) -> str:
    """“when …”, or “3 days after … at 09:00 in the person's time zone”."""
    timing = parse_timing(params, "trigger.params")[0]
    return timing.sentence(words) if timing.offset_days > 0 else f"when {words}"
