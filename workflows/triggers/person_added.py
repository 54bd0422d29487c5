"""A person appears for the first time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from workflows.nodes import NOBODY, TRIGGERS, Occurrence, PlanningWorld, Trigger, Window
from workflows.params import NoParams
from workflows.triggers.events import event_moment, event_sentence


@TRIGGERS.register
class PersonAddedTrigger(Trigger):
    """Never for people of a first import."""

    key = "person.added"
    label = "Person added"
    icon = "user-plus"
    Params = NoParams
    forecastable = False
    reads = ()
    offset = "after"

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return event_sentence("a person is added", params)

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """One for each new person."""
        for event in world.happenings:
            person = world.people.get(event.person_id)
            if event.kind != self.key or event.baseline or person is None:
                continue
            due, zone = event_moment(event, params, person, world)
            if due is not None and window.start < due <= window.end:
                yield Occurrence(
                    person_id=person.id,
                    anchor=f"event:{event.id}",
                    due_at=due,
                    timezone=zone,
                    known_at=event.at,
                )

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q:
        """Only people to whom something happened."""
        return NOBODY
