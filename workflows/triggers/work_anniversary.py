"""Anniversary of the start date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from workflows.nodes import TRIGGERS
from workflows.params import AnyParam, ParamsForm
from workflows.problems import shown
from workflows.triggers.dates import YearlyTrigger


class YearsParam(AnyParam):
    """A list of whole years."""

    def parse(self, posted: list[str]) -> Any:
        """Always a list."""
        value = super().parse(posted)
        return value if value is None or isinstance(value, list) else [value]

    def to_python(self, value: Any) -> list[int]:
        """Refuse what is no list of years from 1 to 80."""
        if value in (None, "", []):
            return []
        good = isinstance(value, list | tuple) and all(
            isinstance(year, int) and not isinstance(year, bool) and 1 <= year <= 80
            for year in value
        )
        if not good:
            raise forms.ValidationError(f"Expected a list of years, found {shown(value)}.")
        return list(value)


class AnniversaryParams(ParamsForm):
    """Which years; every one unless told."""

    years = YearsParam(
        required=False, label="Only these years", help_text="As 1, 5, 10; empty: every."
    )


@TRIGGERS.register
class WorkAnniversaryTrigger(YearlyTrigger):
    """Fires every year on the day of the start, from the first anniversary on."""

    key = "person.work_anniversary"
    label = "Work anniversary"
    icon = "award"
    field = "start_date"
    words = "the work anniversary"
    Params = AnniversaryParams

    def counts(self, params: Mapping[str, Any], years: int) -> bool:
        """From the first year on; only the chosen years where some are."""
        chosen = params.get("years")
        return years > 0 and (not chosen or years in chosen)
