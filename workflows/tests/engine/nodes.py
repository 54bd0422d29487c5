"""A trigger and an action for tests of the engine: one date, one effect in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from workflows.nodes import (
    ACTIONS,
    TRIGGERS,
    Action,
    ActionContext,
    Done,
    Occurrence,
    Outcome,
    PlannedPerson,
    PlanningWorld,
    Trigger,
    Window,
)
from workflows.params import NoParams
from workflows.timing import moment_of


class DayTrigger(Trigger):
    """Fires at 09:00 local on a date of the person."""

    key = "test.day"
    label = "Day"
    includes_ended = True

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "on the day"

    def _day(self, params: Mapping[str, Any], person: PlannedPerson) -> date | None:
        value = person.facts.get(f"person.{params.get('field', 'end_date')}")
        return value if isinstance(value, date) else None

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """One for each person with a date."""
        name = str(params.get("field", "end_date"))
        for person in world.people.values():
            day = self._day(params, person)
            due = day and moment_of(day, offset_days=0, at="09:00", timezone=person.timezone)
            if day and due and window.start < due <= window.end:
                yield Occurrence(
                    person_id=person.id,
                    anchor=day.isoformat(),
                    due_at=due,
                    timezone=person.timezone,
                    known_at=person.known_at.get(name, person.first_seen_at),
                )

    def current_anchor(self, params: Mapping[str, Any], person: PlannedPerson) -> str | None:
        """The date now."""
        day = self._day(params, person)
        return day.isoformat() if day else None


class EffectAction(Action):
    """Does what the test told it to; by default succeeds and remembers."""

    Params = NoParams
    key = "test.effect"
    label = "Effect"
    destructive = False
    effects: list[str] = []
    script: Callable[[ActionContext, Mapping[str, Any]], Outcome] | None = None

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"make the effect {params.get('name', '')}".strip()

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Act by script, else remember the key."""
        if EffectAction.script is not None:
            return EffectAction.script(ctx, params)
        ctx.before_effect()
        EffectAction.effects.append(ctx.idempotency_key)
        return Done(summary="Made it.")


class DestructiveAction(EffectAction):
    """The same, taking something away."""

    key = "test.destroy"
    label = "Destroy"
    destructive = True


def install() -> None:
    """Put the test nodes into the registries, once."""
    if TRIGGERS.get(DayTrigger.key) is None:
        TRIGGERS.register(DayTrigger)
        ACTIONS.register(EffectAction)
        ACTIONS.register(DestructiveAction)
