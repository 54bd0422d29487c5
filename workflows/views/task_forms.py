"""Forms of the pages of tasks."""

from __future__ import annotations

from typing import Any

from django import forms

from people.models import Role
from siit_remote.lib.numbers import row_numbers
from workflows.views.person_field import PersonField

_TEXT = 2000


class ProofForm(forms.Form):
    """What was done: kept with the task as the proof."""

    comment = forms.CharField(
        label="What did you do?",
        help_text="Kept as the proof, for instance a ticket number or what you checked.",
        max_length=_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class RefuseForm(forms.Form):
    """Why a task cannot be done."""

    reason = forms.CharField(
        label="Why can it not be done?",
        help_text="A workflow that waits for it goes on by this answer.",
        max_length=_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RemarkForm(forms.Form):
    """Something to say under a task."""

    text = forms.CharField(
        label="Say something", max_length=_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )


class HandOverForm(forms.Form):
    """To a person or to a role, and why."""

    to = PersonField(label="To a person (work email)", max_length=254, required=False)
    role = forms.ModelChoiceField(
        label="Or to a role",
        queryset=Role.objects.order_by("name"),
        to_field_name="name",
        empty_label="–",
        required=False,
    )
    reason = forms.CharField(label="Why?", max_length=300)

    def clean(self) -> dict[str, Any] | None:
        """One of both."""
        found = super().clean()
        if found is not None and not self.errors and bool(found["to"]) == bool(found["role"]):
            raise forms.ValidationError("Name a person or choose a role: one of both.")
        return found


class ManyForm(forms.Form):
    """An act on the ticked tasks, with its word and, when handed over, to whom."""

    task = forms.TypedMultipleChoiceField(coerce=int)
    do = forms.ChoiceField(choices=[("done", "Mark as done"), ("assign", "Hand over")])
    word = forms.CharField(label="What was done, or why", max_length=_TEXT)
    to = PersonField(label="To whom (work email)", max_length=254, required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        chosen = row_numbers(data.getlist("task"), most=200)
        field = self.fields["task"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - as declared above
        field.choices = [(value, value) for value in chosen]
        field.error_messages["required"] = "Tick the tasks first."
        word = self.fields["word"]
        word.error_messages["required"] = "Say what was done, or why they are handed over."

    def clean(self) -> dict[str, Any] | None:
        """Handing over needs somebody."""
        found = super().clean()
        nobody = found is not None and found.get("do") == "assign" and not found.get("to")
        if nobody and "to" not in self.errors:
            self.add_error("to", "Name the person who gets them.")
        return found
