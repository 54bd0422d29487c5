"""The form of a connection, made from the list of settings its connector declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.base import Connector, Setting

_PREFIX = "setting_"
TYPE_PREFIX = "type_"
_LONG = 20_000


def posted_mapping(data: Mapping[str, str]) -> dict[str, str]:
    """Worker type → employment type as the mapping form sends it; the service checks both."""
    return {
        name.removeprefix(TYPE_PREFIX): value
        for name, value in data.items()
        if name.startswith(TYPE_PREFIX) and value
    }


def _field(setting: Setting, *, stored: bool) -> forms.Field:
    if setting.choices:
        return forms.ChoiceField(
            label=setting.label,
            help_text=setting.help,
            required=setting.required,
            choices=[(choice, choice) for choice in setting.choices],
        )
    help_text = setting.help
    if setting.secret and stored:
        help_text = f"{help_text} Leave it empty to keep the one that is stored.".strip()
    return forms.CharField(
        label=setting.label,
        help_text=help_text,
        required=setting.required and not setting.default and not (setting.secret and stored),
        max_length=_LONG,
        # A secret goes in and never comes back into a page.
        widget=forms.PasswordInput(attrs={"autocomplete": "off"})
        if setting.secret
        else forms.TextInput(),
    )


class ConnectionForm(forms.Form):
    """Name and settings; :meth:`config` and :meth:`secrets` give what a service takes."""

    name = forms.CharField(label="Name", max_length=200, help_text="How it is called here.")

    def __init__(
        self,
        *args: Any,
        connector: Connector,
        config: Mapping[str, Any],
        stored_secrets: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._connector = connector
        for setting in connector.settings:
            field = _field(setting, stored=stored_secrets)
            if not setting.secret:
                field.initial = config.get(setting.name) or setting.default
            self.fields[f"{_PREFIX}{setting.name}"] = field

    def _values(self, *, secret: bool) -> dict[str, str]:
        return {
            setting.name: self.cleaned_data.get(f"{_PREFIX}{setting.name}", "")
            for setting in self._connector.settings
            if setting.secret is secret
        }

    def config(self) -> dict[str, str]:
        """Settings that are no secret."""
        return self._values(secret=False)

    def secrets(self) -> dict[str, str]:
        """Secrets; an empty one keeps what is stored."""
        return self._values(secret=True)


class FrequencyForm(forms.Form):
    """Hours between two syncs."""

    hours = forms.IntegerField(min_value=1, max_value=168)


class DisconnectForm(forms.Form):
    """What happens to what the source sent; erasing is confirmed by typing the name."""

    KEEP, ERASE = "keep", "erase"

    records = forms.ChoiceField(choices=[(KEEP, "Keep"), (ERASE, "Erase")])
    name = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted = wanted

    def clean(self) -> dict[str, Any]:
        """The name must be typed where something is erased."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("records") == self.ERASE and cleaned.get("name", "").strip() != self._wanted:
            self.add_error("name", f"Type {self._wanted} to erase. Nothing was done.")
        return cleaned
