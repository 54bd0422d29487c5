"""Forms of Settings → People → Fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import Group

from people.fields_policy import Terms
from people.fields_registry import DirectoryField
from people.sources import SourceInfo

OWN_ORDER = "own"
_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")


def order_words(terms: Terms, sources: Sequence[SourceInfo]) -> str:
    """``Okta, then Remote``: who is asked for the field, in order."""
    names = {info.key: info.name for info in sources}
    order = dict.fromkeys([*terms.sources, *names])
    return ", then ".join(names.get(key, key) for key in order)


def _choice_of(terms: Terms, sources: Sequence[SourceInfo]) -> str:
    """The choice of the short form that says the same: nothing, one source first, an own order."""
    if not terms.sources:
        return ""
    first, *rest = terms.sources
    by_age = [info.key for info in sources if info.key != first]
    return first if rest == by_age[: len(rest)] else OWN_ORDER


class SourcesForm(forms.Form):
    """For every field one choice: which source is asked first."""

    def __init__(
        self,
        *args: Any,
        fields: Sequence[DirectoryField],
        sources: Sequence[SourceInfo],
        terms: Mapping[str, Terms],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._terms = terms
        self._keys = [found.key for found in fields if found.sourced]
        for found in fields:
            if found.sourced:
                self.fields[found.key] = self._choice(found, sources)

    def _choice(self, found: DirectoryField, sources: Sequence[SourceInfo]) -> forms.ChoiceField:
        present = self._terms.get(found.key, Terms())
        chosen = _choice_of(present, sources)
        default = f"As connected: {sources[0].name} first" if sources else "No source yet"
        choices = [("", default)]
        choices += [(info.key, f"{info.name} first") for info in sources]
        if chosen == OWN_ORDER:
            choices.append((OWN_ORDER, order_words(present, sources)))
        elif chosen and chosen not in dict(choices):
            choices.append((chosen, f"{chosen} first"))
        return forms.ChoiceField(
            choices=choices,
            required=False,
            initial=chosen,
            widget=forms.Select(attrs={"aria-label": f"Source of truth: {found.label}"}),
        )

    def wanted(self) -> dict[str, Terms]:
        """The terms of every field whose choice was changed."""
        wanted = {}
        for key in self._keys:
            if key not in self.data:
                continue  # a form that was cut short must not clear anything
            choice, present = self.cleaned_data.get(key, ""), self._terms.get(key, Terms())
            if choice != (self.fields[key].initial or "") and choice != OWN_ORDER:
                sources = (choice,) if choice else ()
                wanted[key] = Terms(sources=sources, visible_to=present.visible_to)
        return wanted


class FieldForm(forms.Form):
    """One field: the whole order of its sources, and who may see it."""

    visible_to = forms.MultipleChoiceField(
        label="Who may see it",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody ticked: everybody who may see the person.",
    )

    def __init__(
        self,
        *args: Any,
        field: DirectoryField,
        sources: Sequence[SourceInfo],
        terms: Terms,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._places: list[str] = []
        roles = list(Group.objects.order_by("pk").values_list("name", flat=True))
        visible: Any = self.fields["visible_to"]
        visible.choices = [(name, name) for name in dict.fromkeys([*roles, *terms.visible_to])]
        visible.initial = list(terms.visible_to)
        if field.sourced and len(sources) > 1:
            self._add_places(sources, terms)
        self._kept = () if self._places else terms.sources
        self.order_fields([*self._places, "visible_to"])

    def _add_places(self, sources: Sequence[SourceInfo], terms: Terms) -> None:
        known = {info.key: info.name for info in sources}
        known.update({key: key for key in terms.sources if key not in known})
        for number in range(min(len(known), len(_ORDINALS))):
            name = f"place_{number}"
            self._places.append(name)
            self.fields[name] = forms.ChoiceField(
                label=_ORDINALS[number],
                required=False,
                choices=[("", "As connected"), *known.items()],
                initial=terms.sources[number] if number < len(terms.sources) else "",
            )

    def clean(self) -> dict[str, Any]:
        """Each source at most once."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        seen: set[str] = set()
        for name in self._places:
            choice = data.get(name, "")
            if choice and choice in seen:
                self.add_error(name, "This source already stands further up.")
            seen.add(choice)
        return data

    def terms(self) -> Terms:
        """What was chosen."""
        order = [self.cleaned_data[name] for name in self._places if self.cleaned_data[name]]
        return Terms(
            sources=tuple(order) if self._places else self._kept,
            visible_to=tuple(self.cleaned_data["visible_to"]),
        )
