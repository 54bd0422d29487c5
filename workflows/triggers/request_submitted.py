"""An employee submitted a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from workflows.nodes import NOBODY, TRIGGERS, Occurrence, PlanningWorld, Trigger, Window
from workflows.params import ParamsForm, TextParam


class SubmittedParams(ParamsForm):
    """Which service; every one unless told."""

    service = TextParam(required=False, label="Service", limit=60, picks="service")


@TRIGGERS.register
class RequestSubmittedTrigger(Trigger):
    """The person is the requester."""

    key = "request.submitted"
    label = "Request submitted"
    icon = "inbox"
    category = "Requests"
    Params = SubmittedParams
    forecastable = False
    reads = ()

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        service = params.get("service")
        return (
            f"when a request for “{service}” is submitted"
            if service
            else ("when a request is submitted")
        )

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """One for each request."""
        for event in world.happenings:
            person = world.people.get(event.person_id)
            if event.kind != self.key or person is None:
                continue
            if params.get("service") and params["service"] != event.service:
                continue
            if window.start < event.at <= window.end:
                yield Occurrence(
                    person_id=person.id,
                    anchor=f"request:{event.id}",
                    due_at=event.at,
                    timezone=person.timezone,
                    known_at=event.at,
                    change=event.facts,
                    request_id=event.id,
                )

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q:
        """Only people to whom something happened."""
        return NOBODY
