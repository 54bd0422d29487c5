"""A synced field of a person changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Q

from workflows.fields import FIELDS
from workflows.nodes import NOBODY, TRIGGERS, Happening, Occurrence, PlanningWorld, Trigger, Window
from workflows.params import AnyParam, ParamsForm, TextParam
from workflows.problems import did_you_mean, shown
from workflows.triggers.events import event_moment, event_sentence


def field_names() -> tuple[str, ...]:
    """Fields of a person that can change."""
    return tuple(key.removeprefix("person.") for key in FIELDS if key.startswith("person."))


def field_name(name: object) -> str:
    """The directory's name: “person.country” and “country” are the same field."""
    return str(name or "").removeprefix("person.")


class ChangedParams(ParamsForm):
    """The field, and the values it went from and to."""

    field = TextParam(label="Field", limit=80, picks="field")
    from_ = AnyParam(required=False, label="From")
    to = AnyParam(required=False, label="To")

    def clean_field(self) -> str:
        """A field of the directory, or ``custom.NAME``."""
        name = field_name(self.cleaned_data["field"])
        if name in field_names() or (name.startswith("custom.") and len(name) > len("custom.")):
            return name
        hint = did_you_mean(name, field_names())
        raise forms.ValidationError(f"There is no field {shown(name)}.{hint}")


@TRIGGERS.register
class PersonChangedTrigger(Trigger):
    """Fires once for each change, never for a first import."""

    key = "person.changed"
    label = "Person changed"
    icon = "user-check"
    Params = ChangedParams
    forecastable = False
    reads = ()
    offset = "after"
    includes_ended = True

    def sentence(self, params: Mapping[str, Any]) -> str:
        """As “when the team changes to Sales”."""
        field = field_name(params.get("field")).removeprefix("custom.") or "field"
        words = f"the {field.replace('_', ' ')} changes"
        if params.get("from"):
            words += f" from {_listed(params['from'])}"
        if params.get("to"):
            words += f" to {_listed(params['to'])}"
        return event_sentence(words, params)

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """One for each change that fits."""
        for event in world.happenings:
            person = world.people.get(event.person_id)
            if person is None or not self._fits(event, params):
                continue
            due, zone = event_moment(event, params, person, world)
            if due is not None and window.start < due <= window.end:
                yield Occurrence(
                    person_id=person.id,
                    anchor=f"event:{event.id}",
                    due_at=due,
                    timezone=zone,
                    known_at=event.at,
                    change={
                        "change.field": event.field,
                        "change.before": event.before,
                        "change.after": event.after,
                    },
                )

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q:
        """Only people to whom something happened."""
        return NOBODY

    def _fits(self, event: Happening, params: Mapping[str, Any]) -> bool:
        if (
            event.kind != self.key
            or event.baseline
            or event.field != field_name(params.get("field"))
        ):
            return False
        return _among(event.before, params.get("from")) and _among(event.after, params.get("to"))


def _among(value: Any, wanted: Any) -> bool:
    """Whether a value is the wanted one or in the wanted list; nothing wanted is everything."""
    if wanted in (None, "", []):
        return True
    listed = wanted if isinstance(wanted, list | tuple) else [wanted]
    return _text(value) in {_text(item) for item in listed}


def _text(value: Any) -> str:
    """A value as a person would type it: nothing is empty, false is “false” and not empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip().casefold()


def _listed(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
