"""Changing how many may start before a second person has to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction

from people.defaults import workspace_get
from people.limits import LIMIT_FIELDS, limits_changed, limits_of
from people.models import Workspace

if TYPE_CHECKING:
    from workflows.services import Actor

    _Form = forms.ModelForm[Workspace]
else:
    # At run time Django's class takes no type argument.
    _Form = forms.ModelForm

_PERCENT = tuple(name for name in LIMIT_FIELDS if name.endswith("_percent"))
_AT_LEAST_ONE = ("workflow_limit_hours", "limit_floor", "hold_days", "directory_stale_hours")
_LABELS = {
    "workflow_limit_people": "People a day",
    "workflow_limit_percent": "Percent of everybody a day",
    "workflow_limit_hours": "Hours that count as a day",
    "workflow_week_people": "People in 7 days",
    "workflow_week_percent": "Percent in 7 days",
    "workspace_limit_people": "People a day, all workflows",
    "workspace_limit_percent": "Percent a day, all workflows",
    "workspace_week_people": "People in 7 days, all workflows",
    "workspace_week_percent": "Percent in 7 days, all workflows",
    "limit_floor": "Percentages count from so many people",
    "hold_days": "Days until a held list is not run",
    "directory_stale_hours": "Hours until the directory is out of date",
}


class LimitsForm(_Form):
    """The limits, and why they change."""

    reason = forms.CharField(label="Why do you change them?", max_length=300)

    class Meta:
        model = Workspace
        fields = LIMIT_FIELDS
        labels = _LABELS

    def clean(self) -> dict[str, Any]:
        """Percentages end at 100; some numbers make no sense at nought."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in _PERCENT:
            value = cleaned.get(name)
            if value is not None and value > 100:
                self.add_error(name, "At most 100 percent.")
        for name in _AT_LEAST_ONE:
            value = cleaned.get(name)
            if value is not None and value < 1:
                self.add_error(name, "At least 1.")
        return cleaned

    def cleaned_values(self) -> dict[str, Any]:
        """The limits without the reason."""
        return {name: self.cleaned_data[name] for name in LIMIT_FIELDS}


def limits_change(values: Mapping[str, Any], *, reason: str, actor: Actor) -> bool:
    """Set the limits and record who did, why, and what from. False when nothing differs."""
    with transaction.atomic():
        workspace_get()
        row = Workspace.objects.select_for_update().get(pk=1)
        before = limits_of(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        return limits_changed(before, row, actor=actor, reason=reason)
