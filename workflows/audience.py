"""To whom a service of the catalogue is offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from people.models import Person
from workflows.conditions.describe import describe_group
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.tree import parse_group
from workflows.facts import person_facts
from workflows.models import Service
from workflows.timing import zone_of
from workflows.vocabulary import vocabulary_now


def service_open_to(service: Service, person: Person, *, now: datetime) -> bool:
    """Whether ``person`` belongs to the audience. What cannot be told is no."""
    return service in services_open_to(person, [service], now=now)


def services_open_to(
    person: Person, services: Iterable[Service], *, now: datetime
) -> list[Service]:
    """Those of ``services`` that are offered to ``person``, in their order."""
    found: list[Service] = []
    facts: Mapping[str, Any] | None = None
    today = now.astimezone(zone_of(person.timezone or "UTC")).date()
    for service in services:
        if service.audience:
            facts = person_facts(person) if facts is None else facts
            if not _matches(service.audience, facts, today):
                continue
        found.append(service)
    return found


def _matches(audience: Mapping[str, Any], facts: Mapping[str, Any], today: date) -> bool:
    group, reader = parse_group(audience, "audience")
    return not reader.problems and compile_group(group)(facts, today) is Truth.TRUE


def audience_words(audience: Mapping[str, Any] | None) -> str:
    """The audience in words: “everybody”, or the condition."""
    if not audience:
        return "everybody"
    return describe_group(parse_group(audience, "audience")[0], vocabulary_now().field_types)
