"""Measured by :mod:`siit_remote.bench.forecast` in a process of its own: prints one JSON line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django
from django.core.management import call_command
from django.db.models import Q

django.setup()

from people.models import Person  # noqa: E402 - models need the set-up above
from siit_remote.bench.stopwatch import alternate  # noqa: E402
from workflows.calendar_feed import calendar_of  # noqa: E402
from workflows.document.parse import parse_document  # noqa: E402
from workflows.engine.forecast import forecast  # noqa: E402
from workflows.engine.planner import PlannedWorkflow  # noqa: E402
from workflows.engine.world import planned_version  # noqa: E402
from workflows.forecasting import coming_runs  # noqa: E402
from workflows.services import draft_save, workflow_publish  # noqa: E402

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 90
_TRIGGERS = {
    "person.start_date": "start_date",
    "person.end_date": "end_date",
    "person.probation_end": "probation_end_date",
}
_COUNTRIES = ("FRA", "DEU", "ESP", "GBR")
_TYPES = ("contractor", "eor_employee", "direct_employee")


def people_make(count: int) -> None:
    """One date each, spread over some four years; all three are indexed columns."""
    rows = []
    for number in range(count):
        field = tuple(_TRIGGERS.values())[number % 3]
        rows.append(
            Person(
                work_email=f"p{number}@acme.test",
                full_name=f"Person {number}",
                country=_COUNTRIES[number // 3 % 4],
                worker_type=_TYPES[number // 12 % 3],
                status="active",
                timezone="UTC",
                created_at=NOW - timedelta(days=400),
                updated_at=NOW,
                **{field: NOW.date() + timedelta(days=number * 7 % 1_447 - 700)},
            )
        )
    Person.objects.bulk_create(rows, batch_size=500)


def document_of(number: int) -> dict[str, Any]:
    """Workflow ``number``: a date, an offset of up to nine days, two conditions."""
    return {
        "format": "siit.workflow/1",
        "key": f"workflow-{number}",
        "name": f"Workflow {number}",
        "owner": "owner@acme.test",
        "trigger": {
            "type": tuple(_TRIGGERS)[number % 3],
            "params": {
                "direction": "before",
                "days": 1 + number % 9,
                "at": "09:00",
                "timezone": "person",
                "weekend": "keep",
            },
        },
        "conditions": {
            "combinator": "and",
            "rules": [
                {
                    "field": "person.worker_type",
                    "operator": "in",
                    "value": [_TYPES[number % 3], _TYPES[(number + 1) % 3]],
                },
                {
                    "field": "person.country",
                    "operator": "is_not",
                    "value": _COUNTRIES[number % 4],
                },
            ],
        },
        "steps": [{"key": "task", "action": "task.create", "params": {"title": "Look at it"}}],
    }


def workflows_make(count: int) -> list[PlannedWorkflow]:
    """Published just now, so that the past sets nothing off."""
    planned = []
    for number in range(count):
        workflow = draft_save(parse_document(document_of(number)), now=NOW)
        planned.append(planned_version(workflow_publish(workflow, now=NOW)))
    return planned


def by_query(count: int) -> Iterator[tuple[str, str, str]]:
    """The peer: filters as one would write them by hand, one query for each day and workflow."""
    for number in range(count):
        field = tuple(_TRIGGERS.values())[number % 3]
        ahead = timedelta(days=1 + number % 9)
        wanted = Q(worker_type__in=[_TYPES[number % 3], _TYPES[(number + 1) % 3]])
        matching = Person.objects.filter(wanted & ~Q(country=_COUNTRIES[number % 4]))
        for offset in range(DAYS):
            day = NOW.date() + timedelta(days=offset) + ahead
            for email in matching.filter(**{field: day}).values_list("work_email", flat=True):
                yield f"workflow-{number}", email, day.isoformat()


def due_lists(count: int) -> Callable[[], int]:
    """The limit: everybody by date beforehand; only the lists of the days are touched."""
    lists: dict[tuple[str, date], list[str]] = {}
    for field in _TRIGGERS.values():
        rows = Person.objects.exclude(**{field: None}).values_list(field, "work_email")
        for day, email in rows.iterator(chunk_size=5_000):
            lists.setdefault((field, day), []).append(email)

    def touch() -> int:
        found = 0
        for number in range(count):
            field = tuple(_TRIGGERS.values())[number % 3]
            first = NOW.date() + timedelta(days=1 + number % 9)
            for offset in range(DAYS):
                found += len(lists.get((field, first + timedelta(days=offset)), ()))
        return found

    return touch


def main(people: str, workflows: str, rounds: str) -> None:
    """Both ways find the same before either is timed."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    people_make(int(people))
    planned = workflows_make(int(workflows))
    expected = sorted(by_query(int(workflows)))
    coming = forecast(planned, now=NOW, days=DAYS)
    found = sorted((row["workflow"], row["person"], row["anchor"]) for row in coming)
    if not found or found != expected:
        raise SystemExit(f"Forecast and queries disagree: {len(found)}, {len(expected)} runs.")
    ours, calendar, queries, lists = alternate(
        int(rounds),
        lambda: forecast(planned, now=NOW, days=DAYS),
        lambda: calendar_of(coming_runs(now=NOW), site="https://acme.test", now=NOW),
        lambda: list(by_query(int(workflows))),
        due_lists(int(workflows)),
    )
    result = {
        "ours": ours,
        "calendar": calendar,
        "queries": queries,
        "lists": lists,
        "runs": len(found),
    }
    sys.stdout.write(f"{json.dumps(result)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
