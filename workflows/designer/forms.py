"""Forms of what every workflow has, whatever its nodes: in the same words as a node's `Params`."""

from __future__ import annotations

from typing import Any

from workflows.document.timing import MAX_DAYS
from workflows.fields import FieldSpec
from workflows.operators import OPERATORS
from workflows.params import (
    KeysParam,
    MappingParam,
    NumberParam,
    Param,
    ParamsForm,
    TextParam,
    scalar,
)

_DIRECTIONS = {"before": "days before", "same_day": "on the day", "after": "days after"}


class TimeParam(Param):
    """A time of the day, as 18:00."""

    @property
    def control(self) -> str:
        """A clock."""
        return "time"

    def shown(self, value: Any) -> list[str]:
        """Nine in the morning unless told."""
        return super().shown("09:00" if value is None else value)


class DayParam(Param):
    """A day of the calendar."""

    @property
    def control(self) -> str:
        """A calendar."""
        return "date"


class AmountParam(Param):
    """Any number."""

    @property
    def control(self) -> str:
        """A number with a fraction, perhaps."""
        return "amount"

    def parse(self, posted: list[str]) -> Any:
        """The number; what is none stays text, which is then refused."""
        text = posted[0].strip() if posted else ""
        value = scalar(text)
        if isinstance(value, int) or not text:
            return value if text else None
        whole, _, rest = text.removeprefix("-").partition(".")
        plain = whole.isdigit() and rest.isdigit() and text.isascii() and len(text) < 20
        return float(text) if plain else text


class AboutForm(ParamsForm):
    """What the workflow is, and who answers for it."""

    name = TextParam(label="Name", limit=200)
    description = TextParam(required=False, label="Description", limit=5_000)
    category = TextParam(
        required=False, label="Category", limit=100, help_text="As Onboarding: groups the list."
    )
    owner = TextParam(
        required=False,
        label="Owner",
        limit=254,
        picks="person",
        help_text="Told when a run fails or is held.",
    )


class LimitsForm(ParamsForm):
    """When a run is held before its first effect."""

    people = NumberParam(required=False, label="People", low=0, high=1_000_000)
    percent = NumberParam(required=False, label="Percent of everybody", low=0, high=100)
    per_hours = NumberParam(required=False, label="Within hours", low=1, high=24 * 366)


class WeekLimitsForm(ParamsForm):
    """The same over seven days, so that a slow leak is held too."""

    people = NumberParam(required=False, label="People in 7 days", low=0, high=1_000_000)
    percent = NumberParam(required=False, label="Percent in 7 days", low=0, high=100)


class TimingForm(ParamsForm):
    """When, around a date."""

    days = NumberParam(required=False, label="Days", low=0, high=MAX_DAYS, default=0)
    direction = TextParam(
        required=False,
        label="When to run",
        choices=("before", "same_day", "after"),
        words=_DIRECTIONS,
        default="same_day",
    )
    at = TimeParam(required=False, label="At")
    timezone = TextParam(
        required=False, label="In the time zone of", default="person", picks="timezone"
    )
    weekend = TextParam(
        required=False,
        label="On a weekend or holiday",
        choices=("keep", "previous_working_day", "next_working_day"),
        words={
            "keep": "Run all the same",
            "previous_working_day": "The working day before",
            "next_working_day": "The working day after",
        },
        default="keep",
    )
    late = MappingParam(
        required=False,
        label="If the date comes in after its own moment",
        allowed=("policy", "within_days"),
        parts={
            "policy": TextParam(
                label="Then",
                choices=("run", "skip", "ask"),
                words={"run": "Run it late", "skip": "Leave it out", "ask": "Hold it and ask"},
                default="run",
            ),
            "within_days": NumberParam(label="For up to … days", low=0, high=180, default=3),
        },
    )


class WaitForm(ParamsForm):
    """How long, or until when."""

    kind = TextParam(
        label="Wait",
        choices=("for", "until"),
        words={"for": "For some days", "until": "Until a date"},
        default="for",
    )


class WaitForForm(ParamsForm):
    """Some days."""

    days = NumberParam(label="Days", low=1, high=366, default=1)


class WaitUntilForm(ParamsForm):
    """A moment around a date of the person."""

    days = NumberParam(required=False, label="Days", low=0, high=MAX_DAYS, default=0)
    direction = TextParam(
        required=False,
        label="When",
        choices=("before", "same_day", "after"),
        words=_DIRECTIONS,
        default="same_day",
    )
    anchor = TextParam(
        label="Date",
        choices=("person.start_date", "person.end_date", "person.probation_end_date"),
        words={
            "person.start_date": "Start date",
            "person.end_date": "End date",
            "person.probation_end_date": "Probation end date",
        },
    )
    at = TimeParam(required=False, label="At")


class StepForm(ParamsForm):
    """What every step has."""

    on_error = TextParam(
        required=False,
        label="If it fails",
        choices=("stop", "continue"),
        words={"stop": "Stop the run", "continue": "Go on with the next step"},
        default="stop",
    )
    on_date_change = TextParam(
        required=False,
        label="If the date moves after the run began",
        choices=("replan", "ask", "keep", "cancel"),
        words={
            "replan": "Plan it anew",
            "ask": "Ask somebody",
            "keep": "Keep the old day",
            "cancel": "Cancel the step",
        },
    )


class BranchForm(ParamsForm):
    """Which lanes are taken."""

    mode = TextParam(
        label="Take",
        choices=("first_match", "every_match"),
        words={"first_match": "The first lane that fits", "every_match": "Every lane that fits"},
        default="first_match",
    )


class LaneForm(ParamsForm):
    """A way of a branch."""

    name = TextParam(label="Name of the lane", limit=200)


_LOOKED_UP = ("is", "is_not", "in", "not_in", "has", "has_not", "has_any", "has_all")


def value_param(spec: FieldSpec | None, operator: str, *, picks: str = "") -> Param | None:
    """The input of a condition's value; None where the operator compares with nothing."""
    found = OPERATORS.get(operator)
    takes = found.takes if found else "one"
    if takes == "none":
        return None
    if takes == "days":
        return NumberParam(label="Days", low=0, high=36_500)
    picks = picks if operator in _LOOKED_UP else ""
    choices = () if picks or spec is None else tuple(key for key, _ in spec.choices)
    words = dict(spec.choices) if spec is not None else {}
    if takes == "many":
        return KeysParam(label="Values", choices=choices, words=words, picks=picks)
    if spec is not None and spec.type == "date":
        return DayParam(label="Value")
    if spec is not None and spec.type == "number":
        return AmountParam(label="Value")
    return TextParam(label="Value", choices=choices, words=words, limit=900, picks=picks)
