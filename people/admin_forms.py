"""Forms of the directory in the site admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from people.models import FieldOverride, LegalEntity, Person, Workspace
from people.overriding import OverrideError, override_clean
from people.plan import OVERRIDABLE
from people.zones import is_zone, zones_of

if TYPE_CHECKING:
    _Form = forms.ModelForm[Any]
else:
    # At run time Django's class takes no type argument.
    _Form = forms.ModelForm


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


class FieldOverrideForm(_Form):
    """A value set by hand, with its reason."""

    field = forms.ChoiceField(choices=[(name, _words(name)) for name in sorted(OVERRIDABLE)])
    value = forms.CharField(
        required=False,
        help_text="A date as 2026-11-24, a country of three letters, a manager by work email. "
        "Empty means: explicitly nothing.",
    )

    class Meta:
        model = FieldOverride
        fields = ("person", "field", "value", "reason")

    def clean(self) -> dict[str, Any]:
        """Only what the service would accept."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        person = data.get("person") or getattr(self.instance, "person", None)
        if isinstance(person, Person) and "field" in data:
            try:
                data["value"] = override_clean(person, data["field"], data.get("value"))
            except OverrideError as error:
                self.add_error("value", str(error))
        return data


class ZoneMixin:
    """Time zones must be ones."""

    cleaned_data: dict[str, Any]

    def clean_timezone(self) -> str:
        """An IANA name, or nothing where that is allowed."""
        name = str(self.cleaned_data["timezone"]).strip()
        if name and not is_zone(name):
            raise forms.ValidationError("Not an IANA time zone. Write it as Europe/Paris.")
        return name


class LegalEntityForm(ZoneMixin, _Form):
    """Country and zone are checked."""

    class Meta:
        model = LegalEntity
        fields = ("name", "external_id", "country", "timezone", "language", "lead")

    def clean_country(self) -> str:
        """A code of three letters."""
        code = str(self.cleaned_data["country"]).strip().upper()
        if code and not zones_of(code):
            raise forms.ValidationError("Not a country code of three letters, as FRA.")
        return code


class WorkspaceForm(ZoneMixin, _Form):
    """The settings of the workspace."""

    class Meta:
        model = Workspace
        fields = (
            "name",
            "timezone",
            "language",
            "sync_every_hours",
            "late_within_days",
            "sync_limit_people",
            "sync_limit_percent",
            "workflow_limit_people",
            "workflow_limit_percent",
            "workflow_limit_hours",
            "address_kept_days",
            "calls_kept_days",
        )

    def clean_calls_kept_days(self) -> int:
        """Between a month and ten years."""
        days = int(self.cleaned_data["calls_kept_days"])
        if not 30 <= days <= 3650:
            raise forms.ValidationError("Between 30 and 3650 days.")
        return days

    def clean_sync_every_hours(self) -> int:
        """Between an hour and a week."""
        hours = int(self.cleaned_data["sync_every_hours"])
        if not 1 <= hours <= 168:
            raise forms.ValidationError("Between 1 and 168 hours.")
        return hours
