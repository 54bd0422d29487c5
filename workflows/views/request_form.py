"""The form of a service of the catalogue, made from the fields it declares."""

from __future__ import annotations

from typing import Any

from django import forms

from integrations.models import Application
from workflows.models import Service

_PREFIX = "answer_"


def _field(declared: dict[str, Any]) -> forms.Field:
    """The input for one declared field. The service checks the value; this only asks for it."""
    kind = declared.get("type", "text")
    common: dict[str, Any] = {
        "label": declared.get("label") or declared["name"],
        "required": bool(declared.get("required")),
        "help_text": declared.get("help", ""),
    }
    if kind == "choice":
        choices = [(str(item), str(item)) for item in declared.get("choices", [])]
        return forms.ChoiceField(choices=[("", "Choose…"), *choices], **common)
    if kind == "application":
        rows = Application.objects.filter(active=True).values_list("key", "name")
        return forms.ChoiceField(choices=[("", "Choose…"), *rows], **common)
    widgets: dict[str, forms.Widget] = {
        "date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        "number": forms.TextInput(attrs={"inputmode": "decimal"}),
        "person": forms.EmailInput(attrs={"placeholder": "name@company.com"}),
        "long_text": forms.Textarea(attrs={"rows": 4}),
        "textarea": forms.Textarea(attrs={"rows": 4}),
    }
    return forms.CharField(widget=widgets.get(kind, forms.TextInput()), **common)


class RequestForm(forms.Form):
    """One input per field of the service; :meth:`answers` gives what the service takes."""

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for declared in service.fields:
            self.fields[f"{_PREFIX}{declared['name']}"] = _field(declared)

    def answers(self) -> dict[str, str]:
        """Field name → what was entered."""
        return {name.removeprefix(_PREFIX): value for name, value in self.cleaned_data.items()}

    def add_problem(self, name: str, message: str) -> None:
        """Show a problem the service found beside its input, or above the form."""
        field = f"{_PREFIX}{name}"
        self.add_error(field if field in self.fields else None, message)
