"""Start date of a person."""

from __future__ import annotations

from workflows.nodes import TRIGGERS
from workflows.triggers.dates import PersonDateTrigger


@TRIGGERS.register
class StartDateTrigger(PersonDateTrigger):
    """Fires around the start date."""

    key = "person.start_date"
    label = "Start date"
    icon = "calendar"
    field = "start_date"
    words = "the start date"
