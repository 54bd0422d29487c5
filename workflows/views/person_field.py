"""A form field that takes a person by work email, with suggestions where script runs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from people.models import Person
from people.selectors import person_by_email


class PersonInput(forms.EmailInput):
    """An input with a list of suggestions below it."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """By our own template; the id of the suggestions follows the input's."""
        context = self.get_context(name, value, attrs)
        context["options_id"] = f"{context['widget']['attrs'].get('id', name)}-options"
        return render_to_string("workflows/person_input.html", context)


class PersonField(forms.EmailField):
    """Cleans to the :class:`~people.models.Person`; blank is ``None``."""

    widget = PersonInput

    def clean(self, value: Any) -> Any:
        """Nobody with that address is an error in words."""
        email = super().clean(value)
        if not email:
            return None
        person = person_by_email(email)
        if person is None:
            raise forms.ValidationError(f"Nobody has the work email {email}.")
        return person

    def prepare_value(self, value: Any) -> Any:
        """A person is shown by their work email."""
        return value.work_email if isinstance(value, Person) else value
