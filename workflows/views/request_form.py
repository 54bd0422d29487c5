"""The form of a service of the catalogue, made from the fields it declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from integrations.models import Application
from people.models import Person
from workflows.models import Service
from workflows.views.person_field import PersonField, PersonInput

_PREFIX = "answer_"
_YES_NO = [("", "Choose…"), ("yes", "Yes"), ("no", "No")]


def _field(declared: Mapping[str, Any]) -> forms.Field:
    """The input for one declared field. The service checks the value; this only asks for it."""
    kind = declared.get("type", "text")
    common: dict[str, Any] = {
        "label": declared.get("label") or str(declared["name"]).replace("_", " ").capitalize(),
        "required": bool(declared.get("required")),
        "help_text": declared.get("help", ""),
    }
    if kind == "choice":
        choices = [(str(item), str(item)) for item in declared.get("choices", [])]
        return forms.ChoiceField(choices=[("", "Choose…"), *choices], **common)
    if kind == "application":
        rows = Application.objects.filter(active=True).values_list("key", "name")
        return forms.ChoiceField(choices=[("", "Choose…"), *rows], **common)
    if kind == "boolean":
        return forms.ChoiceField(choices=_YES_NO, **common)
    widgets: dict[str, forms.Widget] = {
        "date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        "number": forms.TextInput(attrs={"inputmode": "decimal"}),
        "person": PersonInput(),
        "long_text": forms.Textarea(attrs={"rows": 4}),
    }
    return forms.CharField(widget=widgets.get(kind, forms.TextInput()), **common)


def _shown(value: Any) -> Any:
    return ("yes" if value else "no") if isinstance(value, bool) else value


class RequestForm(forms.Form):
    """One input per field of the service; :meth:`answers` gives what the service takes.

    With ``for_others`` it also asks for whom; ``answers`` fills it in with those given before.
    """

    def __init__(
        self,
        *args: Any,
        service: Service,
        for_others: bool = False,
        me: Person | None = None,
        answers: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if for_others:
            self.fields["for_whom"] = PersonField(
                label="For whom", initial=me, required=False, help_text="Empty: for yourself."
            )
        for declared in service.fields:
            field = _field(declared)
            field.initial = _shown((answers or {}).get(declared["name"]))
            self.fields[f"{_PREFIX}{declared['name']}"] = field

    def requester(self) -> Person | None:
        """For whom it is, where that was asked."""
        found: Person | None = self.cleaned_data.get("for_whom")
        return found

    def answers(self) -> dict[str, str]:
        """Field name → what was entered."""
        return {
            name.removeprefix(_PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(_PREFIX)
        }

    def add_problem(self, name: str, message: str) -> None:
        """Show a problem the service found beside its input, or above the form."""
        field = "for_whom" if name == "requester" else f"{_PREFIX}{name}"
        self.add_error(field if field in self.fields else None, message)
