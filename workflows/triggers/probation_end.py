"""Probation end of a person."""

from __future__ import annotations

from workflows.nodes import TRIGGERS
from workflows.triggers.dates import PersonDateTrigger


@TRIGGERS.register
class ProbationEndTrigger(PersonDateTrigger):
    """Fires around the end of probation."""

    key = "person.probation_end"
    label = "Probation end"
    icon = "calendar"
    field = "probation_end_date"
    words = "the end of probation"
