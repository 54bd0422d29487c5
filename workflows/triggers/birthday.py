"""Birthday of a person."""

from __future__ import annotations

from workflows.nodes import TRIGGERS
from workflows.triggers.dates import YearlyTrigger


@TRIGGERS.register
class BirthdayTrigger(YearlyTrigger):
    """Fires every year; never tells the year of birth."""

    key = "person.birthday"
    label = "Birthday"
    icon = "gift"
    field = "date_of_birth"
    words = "the birthday"
