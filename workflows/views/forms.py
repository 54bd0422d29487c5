"""Small forms of the pages."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from siit_remote.lib.numbers import row_numbers

_TEXT = 2000
_ROWS = 200_000
NO_FILES = "Files are not taken: say in words where the document is kept."


class ReasonForm(forms.Form):
    """Why something is done; it stays with the record."""

    reason = forms.CharField(label="Why?", max_length=300)


class RestoredForm(ReasonForm):
    """A backup was restored, and nothing of ours has noticed."""

    stands_at = forms.DateTimeField(
        label="When was the backup made? (UTC, optional)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


class OptionalReasonForm(forms.Form):
    """A reason where none is demanded."""

    reason = forms.CharField(label="Why? (optional)", max_length=300, required=False)


class ResolveForm(ReasonForm):
    """What became of a step that ended without an answer."""

    happened = forms.TypedChoiceField(
        label="What happened?",
        choices=[("yes", "It happened; go on"), ("no", "It did not happen; try again")],
        coerce=lambda value: value == "yes",
    )
    field_order = ("happened", "reason")


class HoldForm(ReasonForm):
    """A decision about the chosen people of a held list, exactly as it was shown."""

    runs = forms.TypedMultipleChoiceField(coerce=int)
    seal = forms.CharField(max_length=64)
    named = forms.CharField(max_length=254, required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        chosen = row_numbers(data.getlist("runs"), most=_ROWS)
        field = self.fields["runs"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - as declared above
        field.choices = [(value, value) for value in chosen]


class CommentForm(forms.Form):
    """A remark with a decision or a finished task."""

    comment = forms.CharField(
        label="Comment (optional)",
        max_length=_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class QuestionForm(forms.Form):
    """What an approver needs to know first."""

    question = forms.CharField(
        label="What do you need to know?",
        max_length=_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReassignForm(forms.Form):
    """To whom a question is moved, and why."""

    to = forms.EmailField(label="To whom? (work email)", max_length=254)
    reason = forms.CharField(label="Why?", max_length=200)
