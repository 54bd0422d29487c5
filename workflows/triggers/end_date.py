"""End date of a person."""

from __future__ import annotations

from workflows.nodes import TRIGGERS
from workflows.triggers.dates import PersonDateTrigger


@TRIGGERS.register
class EndDateTrigger(PersonDateTrigger):
    """Fires around the end date."""

    key = "person.end_date"
    label = "End date"
    icon = "calendar"
    field = "end_date"
    words = "the end date"
    includes_ended = True
