"""Forms of custom fields."""

from __future__ import annotations

from typing import Any

from django import forms

from people.models import CustomField


class CustomFieldForm(forms.Form):
    """An own field: its name, its type once and for all, and what can be chosen."""

    label = forms.CharField(label="Name", max_length=200)
    type = forms.ChoiceField(
        label="Kind of value",
        choices=CustomField.Type.choices,
        help_text="Decides how conditions compare it. It cannot be changed later.",
    )
    options = forms.CharField(
        label="Choices",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One a line; only for a field of the kind “One of several”.",
    )

    def __init__(self, *args: Any, known: CustomField | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known is not None:
            self.fields["label"].initial = known.label
            del self.fields["type"]
            if known.type == CustomField.Type.CHOICE:
                self.fields["options"].initial = "\n".join(known.options)
            else:
                del self.fields["options"]

    def lines(self) -> list[str]:
        """The choices."""
        text = self.cleaned_data.get("options", "")
        return [line for line in str(text).splitlines() if line.strip()]
