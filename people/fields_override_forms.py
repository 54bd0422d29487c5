"""One value set by hand: an input that fits the field, and the reason."""

from __future__ import annotations

from typing import Any

import pycountry
from django import forms

from people.countries import country_name
from people.fields_registry import DirectoryField
from people.models import EmploymentType, LegalEntity, Person, Team
from people.overriding import OverrideError, override_clean
from people.zones import zones_known

_SUGGESTED = 300
_YES_NO = (("true", "Yes"), ("false", "No"))


class ChooseFieldForm(forms.Form):
    """Which field to set by hand."""

    field = forms.ChoiceField(label="Field")

    def __init__(self, *args: Any, fields: list[DirectoryField], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for found in fields:
            groups.setdefault(found.group, []).append((found.key, found.label))
        choice: Any = self.fields["field"]
        choice.choices = list(groups.items())


class OverrideForm(forms.Form):
    """The value and why."""

    nothing = forms.BooleanField(
        label="There is no value",
        required=False,
        help_text="Say so on purpose: the field stays empty whatever the sources say.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=300,
        help_text="Shown beside the value to everybody who may see it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, *args: Any, field: DirectoryField, person: Person, present: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._field, self._person = field, person
        self.suggestions: list[tuple[str, str]] = suggestions_for(field)
        self.fields["value"] = _input(field, present)
        if self.suggestions:
            self.fields["value"].widget.attrs["list"] = "suggestions"
        self.order_fields(["value", "nothing", "reason"])

    def clean(self) -> dict[str, Any]:
        """A value or, on purpose, none; and one that the service would take."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        value = data.get("value")
        if "value" in self.errors:
            return data
        if data.get("nothing"):
            if value not in (None, ""):
                self.add_error("nothing", "Give a value or tick this, not both.")
            data["value"] = None
        elif value in (None, ""):
            self.add_error("value", "Give a value, or tick that there is none.")
        else:
            try:
                data["value"] = override_clean(self._person, self._field.key, value)
            except OverrideError as error:
                self.add_error("value", str(error))
        return data


def _input(field: DirectoryField, present: Any) -> forms.Field:
    common: dict[str, Any] = {"label": field.label, "required": False, "initial": present}
    if field.kind == "date":
        # The browser's own date field wants ISO text, whatever the language.
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        return forms.DateField(widget=widget, input_formats=["%Y-%m-%d"], **common)
    choices = _choices(field)
    if choices:
        if field.kind == "boolean" and isinstance(present, bool):
            common["initial"] = "true" if present else "false"
        return forms.ChoiceField(choices=[("", "–"), *choices], **common)
    if field.kind == "number":
        return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal"}), **common)
    if field.kind == "person":
        return forms.EmailField(
            help_text="By work email; start to type to choose.", max_length=254, **common
        )
    return forms.CharField(max_length=2000, **common)


def _choices(field: DirectoryField) -> list[tuple[str, str]]:
    if field.kind == "country":
        codes = (country.alpha_3 for country in pycountry.countries)
        return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])
    if field.kind == "zone":
        return [(name, name.replace("_", " ")) for name in zones_known()]
    if field.kind == "employment_type":
        return list(EmploymentType.objects.values_list("key", "name"))
    if field.kind == "boolean":
        return list(_YES_NO)
    if field.key == "legal_entity":
        return [(name, name) for name in LegalEntity.objects.values_list("name", flat=True)]
    return list(field.choices)


def suggestions_for(field: DirectoryField) -> list[tuple[str, str]]:
    """What the browser may offer while somebody types: (value, words)."""
    if field.kind == "person":
        managers = Person.objects.filter(reports__isnull=False).exclude(status="ended").distinct()
        return [(boss.work_email, str(boss)) for boss in managers[:_SUGGESTED]]
    if field.key == "team":
        return [(name, "") for name in Team.objects.values_list("name", flat=True)[:_SUGGESTED]]
    return []
