"""A person appears for the first time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.nodes import TRIGGERS, Occurrence, PlanningWorld, Trigger, Window
from workflows.params import NoParams


@TRIGGERS.register
class PersonAddedTrigger(Trigger):
    """Never for people of a first import."""

    key = "person.added"
    label = "Person added"
    icon = "user-plus"
    Params = NoParams
    forecastable = False

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "when a person is added"

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """One for each new person."""
        for event in world.happenings:
            person = world.people.get(event.person_id)
            if event.kind != self.key or event.baseline or person is None:
                continue
            if window.start < event.at <= window.end:
                yield Occurrence(
                    person_id=person.id,
                    anchor=f"event:{event.id}",
                    due_at=event.at,
                    timezone=person.timezone,
                    known_at=event.at,
                )
